"""The tests are tested: every planted fault must fail a property of its op.

And the other way round: the texts as they are pass the same harness, so that a
catch means something.
"""

from __future__ import annotations

import tempfile

import battery
import clib
import faults_c
import planting
import pytest
from faults import NUMPY, ORACLE

from refmnas.cases import OPS

# What a faulty text divides by zero or overflows is the fault's own doing.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
needs_compiler = pytest.mark.skipif(clib.compiler() is None, reason="no C compiler to build the faulty kernels with")


@pytest.fixture(autouse=True, scope="module")
def _oracles_answer_from_memory():
    with battery.remembered():
        yield


def caught(fault):
    """What failed under the fault, or None."""
    if fault.text in ("oracle", "numpy"):
        name = f"refmnas.{'oracle' if fault.text == 'oracle' else 'ops'}.{fault.op}"
        changed = planting.replaced(planting.source_of(name), fault.old, fault.new, str(fault))
        with planting.holding(name, changed):
            return battery.first_failure(fault.op, "numpy", fault.function)
    return failure_in_c(fault.op, planted(fault), fault.function)


def planted(fault):
    """The text of csrc that holds the fault, by its name."""
    source = (clib.CSRC / fault.text).read_text(encoding="utf-8")
    return {fault.text: planting.replaced(source, fault.old, fault.new, str(fault))}


def failure_in_c(op, changed, function=None):
    """What fails of an op over a library built with changed sources, or None."""
    with tempfile.TemporaryDirectory() as folder:
        library = clib.opened(clib.build(folder, changed))
        with planting.cffi_from(*library):
            return battery.first_failure(op, "c", function) or (
                battery.first_failure(op, "c", function, battery.MORE_SEEDS) if changed else None
            )


def must_be_caught(fault):
    failure = caught(fault)
    assert failure is not None, f"no property fails under: {fault}"
    assert not failure.is_crash, f"caught by a crash only, which is no test of the values: {failure.detail}"


@pytest.mark.parametrize("op", OPS)
def test_the_texts_as_they_are_pass(op):
    assert battery.first_failure(op, "numpy") is None


@needs_compiler
def test_the_kernels_as_they_are_pass():
    assert failure_in_c("depthwise", {}) is None


@pytest.mark.parametrize("fault", ORACLE, ids=str)
def test_a_fault_in_an_oracle_is_caught_by_the_reference(fault):
    must_be_caught(fault)


@pytest.mark.parametrize("fault", NUMPY, ids=str)
def test_a_fault_in_the_reference_is_caught(fault):
    must_be_caught(fault)


@needs_compiler
@pytest.mark.parametrize("fault", faults_c.FEW, ids=str)
def test_a_fault_in_a_kernel_is_caught(fault):
    must_be_caught(fault)


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("fault", faults_c.MORE, ids=str)
def test_each_further_fault_in_a_kernel_is_caught(fault):
    must_be_caught(fault)


def test_faults_cover_every_op_and_all_three_texts():
    in_c = faults_c.FEW + faults_c.MORE
    assert len(ORACLE + NUMPY + in_c) >= 40
    assert {f.op for f in ORACLE} == {f.op for f in NUMPY} == set(OPS)
    assert {f.function for f in in_c} == {"depthwise.forward", "depthwise.backward"}
    assert len(faults_c.FEW) <= 10


def test_the_further_faults_still_have_their_anchors():
    for fault in faults_c.MORE:  # they are planted in the slow tests only
        planted(fault)


def test_a_fault_whose_anchor_vanished_is_an_error():
    with pytest.raises(planting.AnchorError, match="occurs 0 times"):
        planting.replaced("y = x", "z", "w", "here")
    with pytest.raises(planting.AnchorError, match="occurs 2 times"):
        planting.replaced("x = x", "x", "w", "here")


def test_all_is_as_before_after_a_fault():
    import refmnas.ops.gate as gate
    from refmnas.backend import TABLE

    before = gate.forward, TABLE["gate.forward"]
    source = planting.source_of("refmnas.ops.gate")
    with planting.holding("refmnas.ops.gate", source.replace("x * g[", "x + g[")):
        assert gate.forward is not before[0]
    assert (gate.forward, TABLE["gate.forward"]) == before
