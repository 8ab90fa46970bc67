"""The engine against the contract's slow program on small networks, and libraries of a changed engine.

    first_difference()      where logits differ, or None
    difference_in_c(texts)  the same of a library whose C sources are changed
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import clib
import planting

import refmnas
from refmnas import kernels

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "engine"))

import definition
import strided
from small import NETS, defined, net, size, words

from refmnas.engine import run

SOURCES = ("dispatch.c", "plan.c", "threads.c", "engine_scalar.c", "target_scalar.c")


@cache
def problem(name):
    """(what a plan is made of, image, the definition's logits)."""
    if name in strided.STRIDED:
        nodes, x = strided.nodes(name), strided.images(name, 2)
        return nodes, x, words(definition.run(nodes, x)[nodes[-1].name])
    x, values, last = defined(name)
    return net(name), x, words(values[last])


def _plan(name, network, batch, threads):
    if name in strided.STRIDED:
        return run.Plan(network, batch=batch, threads=threads)
    return refmnas.compile(network, batch=batch, size=size(name), threads=threads)


def first_difference():
    """The first small network whose logits differ, with 1 and with 2 threads, over memory that held other numbers."""
    for name in (*NETS, *strided.STRIDED):
        network, x, want = problem(name)
        for threads in (1, 2):
            plan = _plan(name, network, len(x), threads)
            plan._work.fill(3)
            wrong = int((words(plan(x)) != want).sum())
            if wrong:
                return f"{name}, {threads} threads: {wrong} of {want.size} logits differ"
    return None


def built(folder, changed):
    """A library of the scalar engine alone, with the sources changed."""
    folder = Path(folder)
    for path in clib.CSRC.iterdir():
        if path.suffix in (".c", ".h"):
            text = changed.get(path.name) or path.read_text(encoding="utf-8")
            (folder / path.name).write_text(text, encoding="utf-8")
    others = [isa for isa in clib.TARGETS if isa != "scalar"]
    empty = "".join(
        f'const rm_kernels rm_kernels__{isa} = {{"{isa}"}};\nconst rm_engine rm_engine__{isa} = {{0}};\n' for isa in others
    )
    (folder / "absent.c").write_text(f'#include "isa.h"\n#include "engine.h"\n{empty}', encoding="utf-8")
    subprocess.run([sys.executable, clib.CSRC / "tiles.py", "scalar", folder / "tiles_scalar.inc.h"], check=True)
    sources = [folder / name for name in (*SOURCES, "absent.c")]
    command = [clib.compiler(), *clib.FLAGS, "-I", folder, "-shared", "-o", folder / "engine.so", *sources, "-lm", "-lpthread"]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise clib.BuildError(run.stderr[-2000:])
    return folder / "engine.so"


KEPT = []  # libraries stay loaded: their workers sleep in them


def difference_in_c(changed):
    with tempfile.TemporaryDirectory() as folder:
        KEPT.append(clib.opened(built(folder, changed)))
        with planting.cffi_from(*KEPT[-1]), kernels.select_isa("scalar"):
            return first_difference()
