"""What no paper has: the branch merge, the pyramid of bins, the gated means; each differentiated, and in whole networks."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import refmnas
from refmnas.blocks import Conventions
from refmnas.blocks.branch_merge import branch_merge
from refmnas.errors import SpecError
from refmnas.geometry import bins
from refmnas.layers import Chain, GlobalPool, Graph, PyramidPool, ResizeLike, SqueezeExcite, gradcheck
from refmnas.models import build, cost, fold, naming
from refmnas.models.spec import Head, NetSpec, Stage, Stem
from refmnas.ops import resize

C = Conventions(padding="same", dtype=np.float64)
RNG = np.random.default_rng


def filled(layer, seed=0):
    rng = RNG(seed)
    for name, p in layer.named_params():
        if p.trainable:
            p.value[...] = rng.uniform(-1, 1, p.value.shape) + 1.5 * name.endswith("gamma")
    return layer


def smooth(layer, x, train, directions=5):
    """The checks that meet no kink, of several directions."""
    checks = [gradcheck.along(layer, x, train=train, seed=seed) for seed in range(directions)]
    found = [check for check in checks if not check.crosses_kink]
    assert found
    return found


@pytest.mark.parametrize("train", [False, True])
def test_the_merge_is_differentiated(train):
    """Three depths of one image, as in a network: their own layers are resizes, so that one direction moves all."""
    merge = filled(branch_merge([(6, 5, 3), (4, 4, 3), (3, 2, 3)], C))
    nodes = {
        "small": (ResizeLike(), "x", "b"), "smaller": (ResizeLike(), "x", "c"), "merge": (merge, "x", "small", "smaller"),
    }  # fmt: skip
    graph = Graph({"x": (6, 5, 3), "b": (4, 4, 3), "c": (3, 2, 3)}, nodes)
    x, b, c = (RNG(1).standard_normal((2, *size, 3)) for size in ((6, 5), (4, 4), (3, 2)))

    class OfOne(Chain):
        """The graph of its first input alone."""

        def forward(self, x, train=False):
            return self.remember(graph_of(self).forward((x, b, c), train))

        def backward(self, dy):
            return graph_of(self).backward(dy)[0]

    def graph_of(layer):
        return layer.children["graph"]

    assert all(check.holds for check in smooth(OfOne({"graph": graph}), x, train))


def test_the_merge_is_its_equations():
    sizes = [(4, 4, 2), (2, 2, 3)]
    merge = filled(branch_merge(sizes, C))
    x, last = (RNG(k).standard_normal((2, *size)) for k, size in enumerate(sizes))
    z = np.concatenate([resize.forward(x, size=(2, 2)), last], axis=-1)
    p = {name: param.value for name, param in merge.named_params()}
    mixed = z @ p["mix.conv.w"]
    mixed = (mixed - p["mix.bn.mean"]) / np.sqrt(p["mix.bn.var"] + C.bn_eps) * p["mix.bn.gamma"] + p["mix.bn.beta"]
    np.testing.assert_allclose(merge.forward((x, last)), last + mixed, rtol=1e-13)


def test_a_merge_takes_images_that_it_was_not_made_for():
    """Made for maps of one size, given such of two: what is of the same extents is not resized."""
    net = build("mnasnet-small", width=0.35, size=9, classes=3, merge=(1, 3))
    assert not [step for step in fold.nodes(net) if step.op == "resize" and step.shape == step.shape_in]
    for size in (9, 70):
        x = RNG(0).standard_normal((1, size, size, 3)).astype(np.float32)
        steps = fold.nodes(net, size)
        got = fold.evaluate(steps, x)[steps[-1].name]
        np.testing.assert_allclose(net.forward(x), got, rtol=0, atol=1e-4 * np.abs(got).max())  # a step misread is off by 1
    assert [step.op for step in fold.nodes(net, 70)].count("resize") == 2


@given(size=st.integers(1, 40), count=st.integers(1, 12))
def test_bins_cover_the_image_in_order_and_none_is_empty(size, count):
    found = bins(size, count)
    assert (found[0][0], found[-1][1], len(found)) == (0, size, count)
    assert all(a < b for a, b in found)
    assert all(a[0] <= b[0] and b[0] <= a[1] for a, b in pairwise(found))


@pytest.mark.parametrize("size", [(7, 5), (1, 1), (4, 8)])
def test_the_pyramid_is_the_largest_value_of_each_bin(size):
    x = RNG(0).standard_normal((2, *size, 3))
    y = PyramidPool((1, 2, 3)).forward(x)
    want = [x[:, a:b, c:d].max(axis=(1, 2)) for n in (1, 2, 3) for a, b in bins(size[0], n) for c, d in bins(size[1], n)]
    assert np.array_equal(y, np.concatenate(want, axis=1))
    assert y.shape[1:] == PyramidPool((1, 2, 3)).shape((*size, 3))


@pytest.mark.parametrize("size", [(7, 5), (2, 3)])
def test_the_pyramid_is_differentiated(size):
    assert all(check.holds for check in smooth(PyramidPool((1, 2, 4)), RNG(2).standard_normal((2, *size, 3)), True))


def test_gated_means_are_the_means_of_the_gated():
    """The gate is one number per channel, so squeeze and excitation before the mean is the same as after it."""
    se = filled(SqueezeExcite(8, 2, dtype=np.float64))
    x = RNG(3).standard_normal((2, 5, 4, 8))
    s = GlobalPool().forward(x)
    p = {name: param.value for name, param in se.named_params()}
    g = 1 / (1 + np.exp(-(np.maximum(s @ p["reduce.w"] + p["reduce.b"], 0) @ p["expand.w"] + p["expand.b"])))
    np.testing.assert_allclose(GlobalPool().forward(se.forward(x)), s * g, rtol=1e-13, atol=1e-15)


OPTIONS = ({"head": "spp"}, {"head": "gap-se"}, {"merge": (1, 3)}, {"head": "spp", "merge": (0, 2)})


TINY = NetSpec(  # swish: the pyramid's maxima are its only kinks
    "tiny", "", Stem(3, 2, 4), (Stage("sep", 1, 3, 1, 1, 3), Stage("mbconv", 1, 3, 2, 2, 4), Stage("mbconv", 2, 3, 2, 2, 5)),
    Head(8, classes=3, dropout=0.0), size=16, activation="swish",
)  # fmt: skip


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("options", [{"head": "spp"}, {"head": "gap-se"}, {"merge": (0, 1)}, {"head": "spp", "merge": (1,)}])
def test_whole_networks_with_them_are_differentiated(options, train):
    net = build(TINY, dialect="timm", dtype=np.float64, **options)
    x = RNG(4).standard_normal((3, 16, 15, 3))
    assert all(check.holds for check in smooth(net._chain, x, train, directions=2))
    net.forward(x, train)
    net.backward(RNG(5).standard_normal((3, 3)))
    assert set(net.gradients()) == set(net.parameters())


@pytest.mark.parametrize("options", OPTIONS)
def test_arrays_rows_and_layers_agree(options):
    net = build("mobilenet-v2", width=0.35, size=64, classes=5, **options)
    assert list(naming.inventory.of(net.spec, net.dialect)) == list(net.state())
    assert cost.totals(net.cost()).parameters == sum(a.size for a in net.parameters().values())
    assert sum(row.macs for row in net.cost()) == sum(n.macs for n in fold.nodes(net))
    with pytest.raises(SpecError, match="which no paper has; wanted names refmnas"):
        net.state("torchvision")
    again = build("mobilenet-v2", width=0.35, size=64, classes=5, seed=1, **options).load(net.state())
    assert all(np.array_equal(a, b) for a, b in zip(again.state().values(), net.state().values(), strict=True))


@pytest.mark.parametrize(("options", "words"), [
    ({"head": "max"}, "pool 'max', wanted one of gap, gap-se, spp"),
    ({"merge": (6,)}, r"merge \(6,\), wanted rising stages from 0 to 5"),
    ({"merge": (2, 1)}, "merge"),
    ({"merge": (-1,)}, "merge"),
])  # fmt: skip
def test_options_that_cannot_be_are_named(options, words):
    with pytest.raises(SpecError, match=words):
        build("mnasnet-small", **options)


def test_levels_that_cannot_be_are_named():
    for levels in ((), (0,), (1, 2.0), (17,), [1]):
        with pytest.raises(SpecError, match="levels"):
            Head(0, levels=levels)
    with pytest.raises(SpecError, match="levels"):
        PyramidPool((0,))


@pytest.mark.parametrize("options", OPTIONS)
def test_the_engine_takes_them_or_refuses_them_by_name(options):
    net = build("mnasnet-small", width=0.35, size=33, classes=5, **options)
    try:
        plan = refmnas.compile(net)
    except SpecError as error:
        assert "no step of the engine takes" in str(error)  # noqa: PT017
        return
    x = RNG(6).standard_normal((1, 33, 33, 3)).astype(np.float32)
    np.testing.assert_allclose(plan(x), net.forward(x), rtol=0, atol=1e-5 * np.abs(net.forward(x)).max())
