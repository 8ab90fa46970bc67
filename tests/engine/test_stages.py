"""The steps of a stage are independent, and networks of cells have few stages."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from networks import stirred
from small import NETS, images, net, size, words

import refmnas
from refmnas.engine import steps


def shuffled(plan, seed):
    """The plan's own program for one thread, the steps of every stage in another order."""
    draw, given, threads = Random(seed), plan._built.steps, plan.threads
    order = [k for stage in plan._built.stages for k in draw.sample(stage, len(stage))]
    begins = {stage[0] for stage in plan._built.stages}
    moved = [replace(given[k], record=given[k].record | {"meets": int(at in begins)}) for at, k in enumerate(order)]
    try:
        plan._built.steps, plan.threads = moved, 1
        return plan._assembled(plan.batch)
    finally:
        plan._built.steps, plan.threads = given, threads


@pytest.mark.parametrize("name", NETS)
def test_the_steps_of_a_stage_run_in_any_order(name):
    """In memory where each buffer's place is another's in other stages."""
    plan, x = refmnas.compile(net(name), size=size(name), threads=2), images(size(name))
    want = words(refmnas.compile(net(name), size=size(name))(x))
    for seed in range(4):
        program, _, work, _ = shuffled(plan, seed)
        work.fill(np.nan)
        y = np.zeros((1, plan.classes), np.float32)
        program.run(x, y)
        assert np.array_equal(words(y), want), seed


@pytest.mark.parametrize("threads", [2, 3])
def test_a_network_of_cells_meets_once_for_a_row_of_branches(threads):
    """Its branches stand side by side: fewer than one stage for three steps."""
    network = stirred("nasnet-a-mobile", width=0.25, classes=5)
    plan = refmnas.compile(network, size=65, threads=threads)
    assert 3 * len(plan._built.stages) < len(plan.steps)
    assert [k for stage in plan._built.stages for k in stage] == list(range(len(plan.steps)))
    alone = refmnas.compile(network, size=65)
    assert len(alone._built.stages) == len(alone.steps)
    assert sorted(plan.steps) == sorted(alone.steps)
    x = images((65, 65))
    assert np.array_equal(words(plan(x)), words(alone(x)))


def test_what_does_not_split_is_shared_out_whole():
    """Depthwise steps of one panel stand side by side in a cell: each has one owner, and not all the same one."""
    plan = refmnas.compile(stirred("nasnet-a-mobile", width=0.25, classes=5), size=65, threads=2)
    records = [s.record for s in plan._built.steps if s.kind == steps.SLAB and s.record["units"] == 1]
    owners = [record["owner"] for record in records]
    assert {0, 1} <= set(owners)
    assert owners.count(-1) < len(owners) / 2


def test_a_chain_has_a_stage_for_every_step():
    plan = refmnas.compile(net("plain"), size=size("plain"), threads=2)
    assert len(plan._built.stages) == len(plan.steps)
    assert all(s.record["meets"] and s.record["owner"] == -1 for s in plan._built.steps)
