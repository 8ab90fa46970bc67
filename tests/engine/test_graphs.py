"""Networks that are no chains of blocks: cells, and nodes in any order, have the definition's bits too."""

from dataclasses import replace

import definition
import numpy as np
import pytest
import random_graph
from networks import KINDS, cells, every_step
from small import images, net, size, words

import refmnas
from refmnas import kernels
from refmnas.engine import lanes, merge, run
from refmnas.models import build, fold

NAMES = ("nasnet-a-mobile", "nasnet-a-large", "nasnet-a-cifar", "enas-micro")


def defined(nodes, x):
    with np.errstate(over="ignore", invalid="ignore"):
        return definition.run(nodes, x)


def agree(nodes, seed=0, isas=None):
    """A plan's logits, and all that it stores, are the definition's on every instruction set."""
    x = images(nodes[0].shape_in[:2], 2, seed)
    want = defined(nodes, x)
    for k, isa in enumerate(isas or kernels.isas()):
        with kernels.select_isa(isa):
            plan = run.Plan(nodes, batch=2, threads=1 + k)
        plan._work.fill(np.nan)
        assert np.array_equal(words(plan(x)), words(want[nodes[-1].name])), isa
        for key, got in plan.outputs(list(plan.outputs([])._shapes))(x).items():
            assert np.array_equal(words(got), words(want[key])), (isa, key)


@pytest.mark.parametrize("name", NAMES)
def test_networks_of_cells_are_the_definitions(name):
    agree(fold.nodes(cells(name, 32), 32), isas=kernels.isas()[:1])


@pytest.mark.parametrize("seed", range(40))
def test_nodes_in_any_order_are_the_definitions(seed):
    agree(random_graph.nodes(seed), seed, [kernels.isas()[seed % len(kernels.isas())]])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40, 140))
def test_more_nodes_in_any_order_are(seed):
    agree(random_graph.nodes(seed, 20), seed)


@pytest.mark.parametrize("kind", KINDS)
def test_each_op_with_each_activation_is_the_definitions(kind):
    agree(every_step(kind))


# Of "excited": blocks whose nodes read otherwise than the fused steps have it.
CHANGED = {
    "a sum with itself": ("stages.1.1.add", {"inputs": ("stages.1.1.project",) * 2}),
    "a sum of two others": ("stages.1.1.add", {"inputs": ("stages.0.0.project", "stages.1.0.add")}),
    "a projection that skips the gate": ("stages.1.0.project", {"inputs": ("stages.1.0.depthwise",)}),
    "an activation after the gate": ("stages.1.0.se.scale", {"act": "relu"}),
    "an activation after the mean": ("head.pool", {"act": "relu"}),
    "an activation before a sum": ("stages.1.1.project", {"act": "relu"}),
}


@pytest.mark.parametrize("what", CHANGED)
def test_a_block_that_reads_otherwise_is_taken_node_by_node(what):
    name, fields = CHANGED[what]
    nodes = fold.nodes(net("excited"), size("excited"))
    changed = [replace(n, **fields) if n.name == name else n for n in nodes]
    agree(changed)
    assert len(run.Plan(changed, batch=1, threads=1).steps) >= len(run.Plan(nodes, batch=1, threads=1).steps)


def test_a_concatenation_copies_nothing():
    """But for one part of each cell, which others read before its activation."""
    plan = refmnas.compile(build("nasnet-a-mobile", size=64))
    assert not any(row.kind == "lanes" for row in plan.steps)
    places = plan._built.laid.places
    copies = [name for name in places if "/" in name and name not in plan._built.made_of]
    assert 12 * 6 + 4 * 4 <= len(places) <= 12 * 6 + 4 * 4 + 4 * 2  # or joined: both halves of a factorised reduction
    assert len(copies) == 16
    for name, (whole, _) in places.items():
        outer, inner = plan._buffers[whole], plan._buffers[name]
        assert outer.at <= inner.at
        assert inner.at + inner.size <= outer.at + outer.size


def test_lanes_are_apart_where_a_part_ends_inside_a_block():
    made = [random_graph.Node(n, "act", ("x",), (1, 1, 3), (1, 1, 3)) for n in "ab"]
    whole = random_graph.Node("c", "concat", ("a", "b"), (1, 1, 3), (1, 1, 6))
    assert lanes.Laid([*made, whole], 8).lanes["c"].tolist() == [0, 1, 2, 8, 9, 10]


def test_an_activation_moves_into_what_it_alone_reads():
    nodes = fold.nodes(cells("nasnet-a-mobile", 32), 32)
    moved = merge.Merged(nodes)
    names = [name for names in moved.made_of.values() for name in names]
    assert len(set(names)) == len(names)
    others = {n.name for n in moved.nodes if n.name not in moved.made_of and "/" not in n.name}
    assert {n.name for n in nodes} == others | set(names)
    kept = merge.Merged(nodes, {n.name for n in nodes})
    assert [n.name for n in kept.nodes] == [n.name for n in nodes]


@pytest.mark.parametrize("name", NAMES)
def test_the_features_of_cells_are_taken_by_stride(name):
    network = cells(name, 32)
    x = images((32, 32), 2)
    found = refmnas.compile(network, batch=2).outputs(network.features)(x)
    _, want = network.forward(x, features=True)
    assert list(found) == list(want)
    for stride, ours in found.items():
        assert ours.shape == want[stride].shape
        assert np.abs(ours - want[stride]).max() <= 1e4 * 2.0**-24 * np.abs(want[stride]).max()  # no chain's bound
