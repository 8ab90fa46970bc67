"""Which weights the steps ask for before they are wanted: refmnas/engine/early.py."""

from itertools import pairwise

import pytest

from refmnas import compile
from refmnas.engine import early, pack, steps
from refmnas.engine.steps import Step
from refmnas.models import build


def step(kind, macs, w=0, pixels=49):
    record = {"squeeze" if kind == steps.SCALE else "project": {"w": w}, "p": pixels, "q": 1}
    return Step(kind, record, (), (), macs, macs, 0)


def lines(count):
    """Multiply-adds in which so many lines are asked for."""
    return count // early.LINES * early.TILE_MACS


def asked(program):
    early.ask(program)
    return [(s.record["later"], s.record["later_size"]) if "later" in s.record else None for s in program]


def test_the_nearest_is_served_first_and_its_beginning_by_the_first_step():
    line = pack.LINE
    program = [
        step(steps.SLAB, lines(100)),
        step(steps.SLAB, lines(4)),
        step(steps.SCALE, 6 * line, w=1000),
        step(steps.POINT, lines(10)),
        step(steps.POINT, lines(2)),
        step(steps.DENSE, 20 * line, w=5000, pixels=1),
    ]
    whole = 5000 + 8 * line
    last = [(whole, 10 * line), (whole + 10 * line, 2 * line), None]
    assert asked(program) == [(1000, 2 * line), (1000 + 2 * line, 4 * line), None, *last]


def test_a_step_of_one_pixel_asks_for_nothing_and_lacks_its_own():
    program = [step(steps.SLAB, lines(2)), step(steps.POINT, 64, w=100, pixels=1), step(steps.DENSE, 16, w=900, pixels=1)]
    assert asked(program) == [(100 + 64 - 32, 32), None, None]


@pytest.mark.parametrize("name", ["mobilenet-v3-large", "efficientnet-b0", "mnasnet-b1"])
def test_what_is_asked_for_lies_in_the_weights_of_a_later_step_of_one_pixel(name):
    plan = compile(build(name, size=64), threads=2)
    program, size = plan._built.steps, plan._weights.size
    hungry = [(k, early._one_pixel(s), s.macs) for k, s in enumerate(program) if early._one_pixel(s) is not None]
    asking = [(k, s.record["later"], s.record["later_size"]) for k, s in enumerate(program) if s.record.get("later_size")]
    assert asking
    assert all(
        any(k < user and begin <= at and at + share <= begin + room <= size for user, begin, room in hungry)
        for k, at, share in asking
    )
    ends = sorted((at, at + share) for _, at, share in asking)
    assert all(end <= begin for (_, end), (begin, _) in pairwise(ends))  # nothing twice
