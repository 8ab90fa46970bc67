"""Convolution layers: the op with the padding that the rule gives for this size."""

import numpy as np
import pytest

from refmnas import layers
from refmnas.errors import SpecError
from refmnas.layers.conv import four_sides
from refmnas.ops import conv, depthwise, pointwise


def image(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


# size, kernel, stride -> SAME; by hand: ceil(size / S) windows, the odd pixel after
@pytest.mark.parametrize(
    ("size", "kernel", "stride", "pair"),
    [
        (6, 3, 2, (0, 1)), (7, 3, 2, (1, 1)), (6, 5, 2, (1, 2)), (7, 5, 2, (2, 2)),
        (6, 7, 2, (2, 3)), (6, 3, 1, (1, 1)), (1, 3, 2, (1, 1)), (2, 1, 2, (0, 0)),
    ],
)
def test_same_follows_the_size_and_symmetric_does_not(size, kernel, stride, pair):
    assert four_sides("same", (size, 7), kernel, stride)[:2] == pair
    assert four_sides("same", (7, size), kernel, stride)[2:] == pair
    assert four_sides("symmetric", (size, 7), kernel, stride) == (kernel // 2,) * 4


@pytest.mark.parametrize("padding", ["same", "symmetric"])
@pytest.mark.parametrize("size", [(6, 7), (5, 4)])
@pytest.mark.parametrize("kind", ["conv", "depthwise"])
def test_a_layer_is_its_op(kind, size, padding):
    options = {"kernel": 3, "stride": 2, "padding": padding, "dtype": np.float64}
    layer = layers.Conv(3, 4, **options) if kind == "conv" else layers.Depthwise(3, **options)
    op = conv if kind == "conv" else depthwise
    w = layer.params["w"].value
    w[...] = image(*w.shape, seed=1)
    x, pad = image(2, *size, 3), four_sides(padding, size, 3, 2)
    y = layer.forward(x)
    assert np.array_equal(y, op.forward(x, w, stride=2, pad=pad))
    dy = image(*y.shape, seed=2)
    dx, want = layer.backward(dy), op.backward(dy, x, w, stride=2, pad=pad)
    assert np.array_equal(dx, want.x)
    assert np.array_equal(layer.params["w"].grad, want.w)


def test_one_layer_takes_images_of_any_size():
    layer = layers.Depthwise(2, kernel=5, stride=2, padding="same", dtype=np.float64)
    for size in ((9, 8), (1, 1), (4, 7)):
        x = image(1, *size, 2)
        y = layer.forward(x)
        assert y.shape == (1, -(-size[0] // 2), -(-size[1] // 2), 2)
        assert layer.backward(y).shape == x.shape


def test_pointwise_is_its_op():
    layer = layers.Pointwise(3, 5, dtype=np.float64)
    w = layer.params["w"].value
    w[...] = image(3, 5, seed=1)
    x = image(2, 3, 4, 3)
    y = layer.forward(x)
    assert np.array_equal(y, pointwise.forward(x, w))
    dx, want = layer.backward(y), pointwise.backward(y, x, w)
    assert np.array_equal(dx, want.x)
    assert np.array_equal(layer.params["w"].grad, want.w)


def test_an_unknown_padding_rule_is_refused_when_the_layer_is_made():
    with pytest.raises(SpecError, match="padding: 'full', wanted one of same, symmetric, valid"):
        layers.Conv(3, 4, kernel=3, padding="full")


@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_the_even_rule_is_same_of_an_even_image_whatever_the_image(kernel):
    for size in (8, 9, 14, 15):
        even = four_sides("even", (size, size), kernel, 2)
        assert even == four_sides("same", (size // 2 * 2,) * 2, kernel, 2)
        layer = layers.Depthwise(1, kernel=kernel, stride=2, padding="even")
        assert layer.shape((size, size, 1)) == (size // 2, size // 2, 1)
        assert four_sides("even", (size, size), kernel) == four_sides("symmetric", (size, size), kernel)
