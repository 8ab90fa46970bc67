"""A kit is written: cases of ops, and whole small networks step by step."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

import numpy as np

from ... import __version__
from ...backend import TABLE
from ...cases import CLAIMS, prove
from ...errors import FormatError, SpecError
from ...layout import check as check_layout
from ..callables import choose
from ..callables import data as kinds_of_data
from ..callables.problem import Problem, claim_of, float64, names_of_results
from . import files, networks, rounded

MOST_MACS = 6_000  # of a case: small files, and scalar loops
_BITS = 11


def functions(names):
    """The functions that a list of ops and functions means; all of them for an empty one."""
    every = [claim.function for claims in CLAIMS.values() for claim in claims]
    if not names:
        return every
    for name in names:
        if name not in CLAIMS and name not in every:
            raise SpecError(f"kit: no op {name!r}, wanted of {', '.join(CLAIMS)}, or one function such as depthwise.forward")
    return [function for function in every if function in names or function.partition(".")[0] in names]


def make(folder, *, ops=(), nets=(), cases=24, seed=0, layout="NHWC", form="safetensors", size=32, width=0.35, tell=None):
    """Write a kit into a new folder, whole or not at all: its manifest.

    `ops` are names of ops or functions (all where there are none and no network is asked for),
    `nets` names of networks, `cases` the number of cases of each function.

    Shapes   as of refmnas.ops, or of `layout` NCHW.
    Units    `size` pixels, the edge of a network's image.
    Dtypes   inputs float32 (labels int64), expected values and bounds float64.
    Raises   SpecError for an unknown op, network, layout or form; FormatError where the folder
             is there and not empty.
    Error    bounds are those of refmnas.bounds, rounded up to 11 bits, 0 where every order of
             summation gives the same bits.
    """
    folder = Path(folder)
    _check(folder, cases, layout, form)
    if nets and layout != "NHWC":
        raise SpecError(f"kit: networks in layout {layout}, wanted NHWC")
    chosen = functions(ops) if ops or not nets else []
    if layout != "NHWC":
        chosen = [function for function in chosen if TABLE[function].turns]
    plans = [networks.steps(name, size, width) for name in nets]
    tell = tell or (lambda done, total, note: None)
    partial = folder.with_name(f".{folder.name}.{secrets.token_hex(6)}.tmp")
    try:
        (partial / "cases").mkdir(parents=True)
        total = len(chosen) * cases + sum(map(len, plans))
        rows = []
        for name, problem in [*_problems(chosen, cases, seed, layout), *(step for plan in plans for step in plan)]:
            rows.append(_write(partial, name, problem, files.SUFFIXES[form]))
            tell(len(rows), total, name)
        record = {"format": files.FORMAT, "made_by": f"refmnas {__version__}", "layout": layout,
                  "suffix": files.SUFFIXES[form], "cases": rows}  # fmt: skip
        files.write_manifest(partial, record)
        if folder.is_dir():
            folder.rmdir()  # empty, as was checked
        os.replace(partial, folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return record


def _check(folder, cases, layout, form):
    check_layout(layout, "kit")
    if form not in files.SUFFIXES:
        raise SpecError(f"kit: format is {form!r}, wanted one of {', '.join(files.SUFFIXES)}")
    if cases < 1:
        raise SpecError(f"kit: cases is {cases}, wanted at least 1")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FormatError(f"kit: {folder} is there and not an empty folder, wanted a new one")
    if not folder.absolute().parent.is_dir():
        raise FormatError(f"kit: {folder.absolute().parent} is no folder, wanted the one that {folder.name} goes into")


def _problems(chosen, cases, seed, layout):
    """(name, problem): each case with one kind of data, the kinds in turn."""
    for function in chosen:
        own = choose.domain(function, {"n": (1, 2, 3)}, {})  # not the empty batch: `kit run` has it
        for number in range(cases):
            case = choose.drawn(function, layout, own, seed + number, MOST_MACS)
            kinds = kinds_of_data.kinds(claim_of(function), case)
            yield f"{function}-{number:03d}", Problem(function, case, kinds[number % len(kinds)], layout)


def _write(folder, name, problem, suffix):
    """Both files of one case; its row of the manifest."""
    want, bound = answers(problem)
    names = names_of_results(problem.function)
    given = {key: np.ascontiguousarray(a) for key, a in problem.arrays.items() if a is not None}
    words = {"function": problem.function, "layout": problem.layout} | problem.options
    expected = dict(zip(names, want, strict=True)) | {f"{key}.bound": b for key, b in zip(names, bound, strict=True)}
    path = folder / "cases" / name
    row = {"name": name, "function": problem.function, "case": str(problem.case), "data": problem.data,
           "options": {key: list(v) if isinstance(v, tuple) else v for key, v in problem.options.items()},
           "inputs": list(given), "results": list(names)}  # fmt: skip
    row["in"] = files.save(path.with_name(f"{name}.in{suffix}"), given, words)
    row["want"] = files.save(path.with_name(f"{name}.want{suffix}"), expected, {"function": problem.function})
    return row


def answers(problem):
    """([expected], [bound]) in float64 and the kit's layout, the same on every machine."""
    define = rounded.definition(problem.function)
    given = [float64(a) for a in problem.ours.values()]
    want = prove.results(define(*given, **problem.options))
    bounds = problem.bounds(given, problem.options, want, define)
    return problem.turned_back([np.asarray(w, np.float64) for w in want]), problem.turned_back(list(map(_up, bounds)))


def _up(bound):
    """Rounded up to 11 bits: what is left of the last bits of NumPy's exp is rounded away."""
    with np.errstate(all="ignore"):
        fraction, exponent = np.frexp(bound)
        return np.ldexp(np.ceil(fraction * 2.0**_BITS), exponent - _BITS)
