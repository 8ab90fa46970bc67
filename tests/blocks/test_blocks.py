"""Blocks: the order of their layers, exact adjoints, gradients, the identity, drop-path."""

import numpy as np
import pytest

from refmnas.blocks import ConvBNAct, Conventions, MBConv, ResBottleneck, SepConv
from refmnas.errors import SpecError
from refmnas.layers import Pointwise, gradcheck

F64 = {"dtype": np.float64}
BLOCKS = {
    "sep": lambda c, **o: SepConv(4, 3, kernel=3, conventions=c, **o),
    "sep with skip": lambda c, **o: SepConv(4, 4, kernel=3, has_skip=True, conventions=c, **o),
    "mbconv3 5x5 stride 2": lambda c, **o: MBConv(4, 6, mid=12, kernel=5, stride=2, conventions=c, **o),
    "mbconv6 with skip": lambda c, **o: MBConv(4, 4, mid=24, kernel=3, has_skip=True, conventions=c, **o),
    "mbconv, expansion 1": lambda c, **o: MBConv(4, 4, mid=None, kernel=3, has_skip=True, conventions=c, **o),
    "mbconv with SE": lambda c, **o: MBConv(4, 6, mid=12, kernel=3, stride=2, squeeze=2, conventions=c, **o),
    "mbconv with SE, skip": lambda c, **o: MBConv(4, 4, mid=12, kernel=5, squeeze=2, has_skip=True, conventions=c, **o),
    "separable": lambda c, **o: SepConv(4, 6, kernel=3, stride=2, is_linear=False, conventions=c, **o),
    "bottleneck stride 2": lambda c, **o: ResBottleneck(4, 6, groups=3, stride=2, conventions=c, **o),
    "bottleneck wider": lambda c, **o: ResBottleneck(4, 6, groups=2, conventions=c, **o),
    "bottleneck with SE, skip": lambda c, **o: ResBottleneck(4, 4, groups=2, squeeze=3, has_skip=True, conventions=c, **o),
}
ACTIVATIONS = {
    "relu": Conventions(**F64),
    "swish, SAME": Conventions("swish", "same", 1e-3, 0.01, False, "swish", **F64),
    "with biases": Conventions(conv_bias=True, **F64),
}


def filled(block, seed=1):
    rng = np.random.default_rng(seed)
    for name, p in block.named_params():
        p.value[...] = rng.standard_normal(p.value.shape)
        if name.endswith("var"):
            p.value[...] = rng.uniform(0.5, 2, p.value.shape)
    return block


def image(shape=(3, 7, 6, 4), seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def order(block, size=(8, 8, 4)):
    return [f"{s.name}:{s.kind}" for s in block.steps(size)]


def test_mbconv_has_the_order_of_the_figure():
    block = MBConv(4, 4, mid=12, kernel=3, squeeze=2, has_skip=True, drop_path=0.1)
    assert order(block) == [
        "expand.conv:pointwise", "expand.bn:batch norm", "expand.act:relu",
        "depthwise.conv:depthwise", "depthwise.bn:batch norm", "depthwise.act:relu",
        "se.pool:pool", "se.reduce:linear", "se.act:relu", "se.expand:linear", "se.gate:sigmoid", "se.scale:scale",
        "project.conv:pointwise", "project.bn:batch norm", "drop_path:drop path", "add:add",
    ]  # fmt: skip


def test_sepconv_has_the_order_of_the_figure():
    assert order(SepConv(4, 6, kernel=3)) == [
        "depthwise.conv:depthwise", "depthwise.bn:batch norm", "depthwise.act:relu",
        "project.conv:pointwise", "project.bn:batch norm",
    ]  # fmt: skip


def test_a_bottleneck_has_the_order_of_the_figure():
    before = [
        "expand.conv:pointwise", "expand.bn:batch norm", "expand.act:relu",
        "grouped.conv:conv", "grouped.bn:batch norm", "grouped.act:relu",
        "se.pool:pool", "se.reduce:linear", "se.act:relu", "se.expand:linear", "se.gate:sigmoid", "se.scale:scale",
        "project.conv:pointwise", "project.bn:batch norm",
    ]  # fmt: skip
    after = ["add:add", "act:relu"]
    assert order(ResBottleneck(4, 4, groups=2, squeeze=2, has_skip=True)) == before + after
    shortcut = ["shortcut.conv:pointwise", "shortcut.bn:batch norm"]
    assert order(ResBottleneck(4, 6, groups=2, squeeze=2, stride=2)) == before + shortcut + after


def test_an_identity_that_cannot_be_is_named():
    for wrong in ({"stride": 2}, {"c_out": 6}):
        options = {"c_out": 4, "groups": 2, "has_skip": True} | wrong
        with pytest.raises(SpecError, match="wanted|needs stride 1"):
            ResBottleneck(4, **options)
    with pytest.raises(SpecError, match="wanted one of the two"):
        SepConv(4, 4, kernel=3, has_skip=True, is_linear=False)


def test_conv_bn_act_ends_with_or_without_the_activation():
    assert order(ConvBNAct(Pointwise(4, 6))) == ["conv:pointwise", "bn:batch norm", "act:relu"]
    assert order(ConvBNAct(Pointwise(4, 6), activation=False)) == ["conv:pointwise", "bn:batch norm"]


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("conventions", ACTIVATIONS)
@pytest.mark.parametrize("name", BLOCKS)
def test_backward_is_the_gradient_of_forward(name, conventions, train):
    block = filled(BLOCKS[name](ACTIVATIONS[conventions], drop_path=0.4, seed=3))
    for seed in range(5):
        check = gradcheck.along(block, image(), train=train, seed=seed)
        if not check.crosses_kink:
            break
    assert check.holds, check
    assert check.allowed <= 1e-6 * check.scale, check  # noise of about sqrt(n) u in values of size scale, over h = 1e-6


def integer_block(block, seed=1):
    """Linear and exact: identity activations, whole weights, batch norm with scale 1/2 and no shift."""
    rng = np.random.default_rng(seed)
    for name, p in block.named_params():
        p.value[...] = rng.integers(-4, 5, p.value.shape)
        for ending, value in {"beta": 0, "mean": 0, "var": 1, "gamma": 2}.items():
            if name.endswith(ending):
                p.value[...] = value
    return block


@pytest.mark.parametrize("padding", ["same", "symmetric"])
@pytest.mark.parametrize("name", [name for name in BLOCKS if "SE" not in name])
def test_backward_is_the_adjoint_of_forward_exactly(name, padding):
    """<dy, y> = <dx, x>, and = <dw, w> for each weight, of its own branch: y is linear in each."""
    block = integer_block(BLOCKS[name](Conventions("identity", padding, bn_eps=3.0, **F64)))  # sqrt(1 + 3) = 2
    rng = np.random.default_rng(2)
    x = rng.integers(-4, 5, (2, 7, 6, 4)).astype(np.float64)
    y = block.forward(x)
    dy = rng.integers(-4, 5, y.shape).astype(np.float64)
    dx, total = block.backward(dy), np.sum(dy * y)
    assert total != 0
    assert np.sum(dx * x) == total
    beside = np.sum(dy * _beside(block, x))
    for path, p in block.named_params():
        if path.endswith((".w", ".gamma")):
            assert np.sum(p.grad * p.value) == (beside if path.startswith("shortcut.") else total - beside), path


def _beside(block, x):
    """What is added to the branch."""
    if "shortcut" in block.children:
        return block.children["shortcut"].forward(x)
    return x if getattr(block, "has_skip", False) else 0


def test_a_dropped_branch_leaves_the_identity_and_a_kept_one_is_scaled():
    block = filled(BLOCKS["mbconv6 with skip"](ACTIVATIONS["relu"], drop_path=0.75, seed=1))
    plain = filled(BLOCKS["mbconv6 with skip"](ACTIVATIONS["relu"]))
    x = image((40, 4, 4, 4))
    y, branch = block.forward(x, True), plain.forward(x, True) - x
    dropped = np.array([np.array_equal(a, b) for a, b in zip(y, x, strict=True)])
    assert 0 < dropped.sum() < 40  # all or none of 40: chance 1e-5 and less
    # (y - x) loses at most an ulp of y twice; 1 / (1 - .75) = 4 is exact
    atol = 8 * np.spacing(np.abs(y).max())
    np.testing.assert_allclose((y - x)[~dropped], 4 * branch[~dropped], rtol=0, atol=atol)


def test_drop_path_acts_only_beside_an_identity():
    assert "drop_path" not in BLOCKS["sep"](ACTIVATIONS["relu"], drop_path=0.5).children
    assert "drop_path" in BLOCKS["sep with skip"](ACTIVATIONS["relu"], drop_path=0.5).children


@pytest.mark.parametrize("shape", [{"stride": 2}, {"c_out": 8}])
def test_an_identity_that_cannot_be_is_refused(shape):
    options = {"c_in": 4, "c_out": 4, "kernel": 3, "has_skip": True} | shape
    with pytest.raises(SpecError, match="SepConv: an identity needs stride 1 and equal widths"):
        SepConv(**options)
    with pytest.raises(SpecError, match="MBConv: an identity needs stride 1 and equal widths"):
        MBConv(mid=8, **options)
