"""Feature maps: the last of each stride, the network's own, of chains and of graphs."""

from dataclasses import replace

import numpy as np
import pytest

from refmnas.models import build, cost, features, zoo
from refmnas.models import dialect as dialects
from refmnas.models.cell_spec import CellSpec
from refmnas.models.spec import Head, NetSpec, Stage, Stem

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("name", [name for name, spec in zoo.SPECS.items() if not isinstance(spec, CellSpec)])
def test_every_network_has_five_maps_each_the_last_of_its_stride(name):
    """By the listing of layers, which knows nothing of strides: behind a map the image is made smaller, or the head begins."""
    spec = zoo.get(name)
    dialect = dialects.of(spec.sources[0], name)
    found = features.names(spec, dialect)
    assert list(found) == [2, 4, 8, 16, 32]
    rows = [row for row in cost.of(spec, dialect, 64) if len(row.shape) == 3]
    for stride, layer in found.items():
        last = max(k for k, row in enumerate(rows) if row.name.startswith(f"{layer}."))
        assert rows[last].shape[0] == 64 // stride
        spatial = [row for row in rows[last + 1 :] if row.kind != "pointwise"]  # an expansion comes before the stride
        assert (spatial == []) if stride == 32 else spatial[0].shape[0] == 32 // stride


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("name", ["mnasnet-a1", "mobilenet-v3-small", "regnety-200mf"])
def test_maps_come_beside_the_same_logits_and_gradients(name, train):
    x = RNG.standard_normal((2, 32, 32, 3)).astype(np.float32)
    dy = RNG.standard_normal((2, 1000)).astype(np.float32)
    plain, with_maps = build(name, seed=1), build(name, seed=1)
    want = plain.forward(x, train)
    y, maps = with_maps.forward(x, train, features=True)
    assert np.array_equal(y, want)
    assert {stride: m.shape[1] for stride, m in maps.items()} == {s: 32 // s for s in (2, 4, 8, 16, 32)}
    maps[4][...] = np.nan  # an array of the caller's own: what backward reads is not touched
    assert np.array_equal(with_maps.backward(dy), plain.backward(dy))


def test_the_head_of_v3_counts_and_efficientnets_does_not():
    large = build("mobilenet-v3-large")
    _, maps = large.forward(RNG.standard_normal((1, 32, 32, 3)).astype(np.float32), features=True)
    assert (large.features[32], maps[32].shape) == ("head", (1, 1, 1, 960))
    assert build("efficientnet-b0").features[32] == "stages.6.0"


def test_a_network_without_stride_has_no_map():
    spec = NetSpec("flat", "of this test", Stem(3, 1, 8), (Stage("sep", 1, 3, 1, 1, 8),), Head(0, classes=3))
    _, maps = build(spec).forward(np.zeros((1, 8, 8, 3), np.float32), features=True)
    assert maps == {}


@pytest.mark.parametrize(("name", "maps"), [
    ("nasnet-a-mobile", {2: "stem", 4: "stem_0.y", 8: "cell_3.y", 16: "cell_7.y", 32: "cell_11.y"}),
    ("nasnet-a-large", {2: "stem", 4: "stem_0.y", 8: "cell_5.y", 16: "cell_11.y", 32: "cell_17.y"}),
    ("nasnet-a-cifar", {2: "cell_11.y", 4: "cell_17.y"}), ("enas-micro", {2: "cell_9.y", 4: "cell_14.y"}),
])  # fmt: skip
def test_networks_of_cells_have_those_of_their_stem_and_cells(name, maps):
    spec = zoo.get(name)
    assert features.names(spec, dialects.of(spec.sources[0], name)) == maps


def test_a_graph_has_maps_too():
    spec = replace(zoo.get("nasnet-a-mobile"), filters=24, repeats=1, head=Head(0, classes=5), size=64)
    net = build(spec, merge=(2,), auxiliary=0.0)
    graph, rng = net._chain, np.random.default_rng(1)
    for _, p in graph.named_params():
        p.value[...] = rng.uniform(0.5, 1.5, p.value.shape) / (p.value[..., 0].size if p.value.ndim > 1 else 1)
    x = rng.standard_normal((1, 64, 64, 3)).astype(np.float32)
    found = features.of_graph(graph, (64, 64, 3))
    with features.tapped(graph, found) as maps:
        y = graph.forward(x)
    assert found == {2: "stem", 4: "stem_0", 8: "cell_0", 16: "cell_1", 32: "merge"}
    assert {s: m.shape[1] for s, m in maps.items()} == {2: 31, 4: 16, 8: 8, 16: 4, 32: 2}
    assert np.array_equal(graph.children["head"].forward(maps[32]), y)
    assert np.array_equal(graph.forward(x), y)
    assert not any("forward" in vars(layer) for layer in graph.children.values())
    logits, own = net.forward(x, features=True)  # the merge stands after the cells, and is no map of theirs
    assert np.array_equal(logits, y)
    assert list(own) == [2, 4, 8, 16, 32]
    assert all(np.array_equal(own[stride], maps[stride]) for stride in (2, 4, 8, 16))
    assert own[32].shape == maps[32].shape


def test_a_forward_that_fails_leaves_no_tap():
    net = build("mnasnet-small", size=32)
    with pytest.raises(ZeroDivisionError), features.tapped(net._chain, net.features):
        raise ZeroDivisionError
    assert "forward" not in vars(net._chain.children["stages"].children["0"].children["0"])
