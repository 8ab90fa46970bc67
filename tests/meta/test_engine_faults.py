"""Every fault planted in the engine must change logits from those of the contract's slow program."""

from __future__ import annotations

import clib
import numpy as np
import planting
import pytest
from engine_battery import NETS, difference_in_c, first_difference, problem
from engine_faults import FEW, MORE, PYTHON

from refmnas import kernels

if not kernels.built():
    pytest.skip(f"no C: {kernels.why_not()}", allow_module_level=True)
needs_compiler = pytest.mark.skipif(clib.compiler() is None, reason="no C compiler to build the faulty engine with")
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def planted(fault):
    """The text of csrc that holds the fault, by its name."""
    source = (clib.CSRC / fault.text).read_text(encoding="utf-8")
    return {fault.text: planting.replaced(source, fault.old, fault.new, str(fault))}


def caught_in_c(fault):
    return difference_in_c(planted(fault))


def test_the_engine_as_it_is_passes():
    with kernels.select_isa("scalar"):
        assert first_difference() is None


@needs_compiler
@pytest.mark.slow
def test_the_engine_as_it_is_passes_when_built_here():
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


def test_the_further_faults_still_have_their_anchors():
    for fault in MORE:  # they are planted in the slow tests only
        planted(fault)


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
