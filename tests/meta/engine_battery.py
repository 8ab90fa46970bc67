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

from small import NETS, defined, net, size, words

SOURCES = ("dispatch.c", "plan.c", "threads.c", "engine_scalar.c", "target_scalar.c")


@cache
def problem(name):
    """(network, image, the definition's logits)."""
    x, values, last = defined(name)
    return net(name), x, words(values[last])


def first_difference():
    """The first small network whose logits differ, with 1 and with 2 threads, over memory that held other numbers."""
    for name in NETS:
        network, x, want = problem(name)
        for threads in (1, 2):
            plan = refmnas.compile(network, batch=len(x), size=size(name), threads=threads)
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
