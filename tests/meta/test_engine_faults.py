"""Every fault planted in the engine must change logits from those of the contract's slow program."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import clib
import numpy as np
import planting
import pytest
from engine_faults import FEW, MORE, PYTHON

import refmnas
from refmnas import kernels
from refmnas.models import fold

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "engine"))

import definition
from small import NETS, images, net, size, words

if not kernels.built():
    pytest.skip(f"no C: {kernels.why_not()}", allow_module_level=True)
needs_compiler = pytest.mark.skipif(clib.compiler() is None, reason="no C compiler to build the faulty engine with")
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
SOURCES = ("dispatch.c", "plan.c", "threads.c", "engine_scalar.c", "target_scalar.c")
BATCH = 2


@cache
def problem(name):
    """(network, image, the definition's logits)."""
    network, x = net(name), images(size(name), BATCH)
    nodes = fold.nodes(network, size(name))
    return network, x, words(definition.run(nodes, x)[nodes[-1].name])


def first_difference():
    """The first small network whose logits differ, with 1 and with 2 threads, over memory that held other numbers."""
    for name in NETS:
        network, x, want = problem(name)
        for threads in (1, 2):
            plan = refmnas.compile(network, batch=BATCH, size=size(name), threads=threads)
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


def caught_in_c(fault):
    source = (clib.CSRC / fault.text).read_text(encoding="utf-8")
    return difference_in_c({fault.text: planting.replaced(source, fault.old, fault.new, str(fault))})


@needs_compiler
def test_the_engine_as_it_is_passes():
    assert difference_in_c({}) is None


@pytest.mark.parametrize("fault", PYTHON, ids=str)
def test_a_fault_in_what_plans_is_caught(fault):
    name = f"refmnas.engine.{fault.text}"
    changed = planting.replaced(planting.source_of(name), fault.old, fault.new, str(fault))
    with planting.holding(name, changed), kernels.select_isa("scalar"):
        assert first_difference()


@needs_compiler
@pytest.mark.parametrize("fault", FEW, ids=str)
def test_a_fault_in_what_runs_is_caught(fault):
    assert caught_in_c(fault)


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("fault", MORE, ids=str)
def test_each_further_fault_in_what_runs_is_caught(fault):
    assert caught_in_c(fault)


def test_images_and_answers_are_worth_comparing():
    for name in NETS:
        logits = problem(name)[2].view(np.float32)
        assert np.isfinite(logits).all()
        assert len(np.unique(logits)) > logits.size // 2
