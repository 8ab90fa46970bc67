"""A program of any language as a kernel: files in, files out, exit codes."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import tempfile
from pathlib import Path

from ... import io
from ...cases import prove
from ...errors import SpecError
from ..callables.problem import names_of_results
from . import files

PLACES = ("{case}", "{in}", "{out}")
DECLINED = 77  # the exit code by which test programs say that they were not run


class ProgramError(Exception):
    """The program failed; its last words say why."""


def command(line, function, layout="NHWC", form="safetensors", limit_s=10.0):
    """`line` with {case}, {in} and {out} as a callable for `refmnas.verify.op(function, ...)`.

    {case} is a JSON file of function, layout, options and names; {in} the arguments, {out} where
    the results go, float32, under the names y, or dx, dw, db and so on.  Exit code 0: answered; 77:
    the program does not take this case; any other is a fault.

    Raises   SpecError where {in} or {out} is missing, or the line is none.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise SpecError(f"kit: --command {line!r} is no command: {error}") from None
    for place in PLACES[1:]:
        if not any(place in word for word in words):
            raise SpecError(f"kit: --command {line!r} has no {place}, wanted {', '.join(PLACES)} in it")
    if form not in files.SUFFIXES:
        raise SpecError(f"kit: format is {form!r}, wanted one of {', '.join(files.SUFFIXES)}")
    names = names_of_results(function)

    def kernel(*arrays, **options):
        given = {key: a for key, a in zip(prove.takes(function), arrays, strict=False) if a is not None}
        with tempfile.TemporaryDirectory(prefix="refmnas-") as folder:
            paths = {place: Path(folder) / name for place, name in zip(
                PLACES, ("case.json", f"in{files.SUFFIXES[form]}", f"out{files.SUFFIXES[form]}"), strict=True)}  # fmt: skip
            record = {"function": function, "layout": layout, "options": options, "inputs": list(given), "results": names}
            paths["{case}"].write_text(json.dumps(record), encoding="utf-8")
            files.save(paths["{in}"], given, {"function": function, "layout": layout} | options)
            _run([_filled(word, paths) for word in words], limit_s)
            if not paths["{out}"].is_file():
                raise ProgramError("exit code 0, and nothing at {out}")
            answered = io.load(paths["{out}"], max_bytes=1 << 34)
        if not set(names) & set(answered):
            raise ProgramError(f"{{out}} has {', '.join(answered) or 'nothing'}, wanted {', '.join(names)}")
        found = tuple(answered.get(name) for name in names)
        return found if len(found) > 1 else found[0]

    return kernel


def _filled(word, paths):
    for place, path in paths.items():
        word = word.replace(place, str(path))
    return word


def _run(words, limit_s):
    """The program in a process group of its own, so that all of it ends at the limit."""
    try:
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                   start_new_session=True)  # fmt: skip
    except OSError as error:
        raise ProgramError(f"{words[0]} cannot be run: {error.strerror}") from None
    try:
        _, told = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise ProgramError(f"no answer within {limit_s:g} s") from None
    if process.returncode == DECLINED:
        raise NotImplementedError("exit code 77")
    if process.returncode:
        last = told.decode("utf-8", "replace").strip().splitlines()[-1:] or [""]
        how = f"exit code {process.returncode}" if process.returncode > 0 else signal.Signals(-process.returncode).name
        raise ProgramError(f"{how}: {last[0][:200]}".removesuffix(": "))
