"""Every layer's backward agrees with its forward, and the check itself catches a wrong one."""

import numpy as np
import pytest

from refmnas import layers
from refmnas.layers import gradcheck

F64 = {"dtype": np.float64}
LAYERS = {
    "conv": lambda: layers.Conv(3, 4, kernel=3, stride=2, padding="same", **F64),
    "depthwise": lambda: layers.Depthwise(3, kernel=5, stride=2, padding="symmetric", **F64),
    "pointwise": lambda: layers.Pointwise(3, 5, **F64),
    "batch norm": lambda: layers.BatchNorm(3, eps=1e-3, **F64),
    "relu": lambda: layers.Activation("relu"),
    "relu6": lambda: layers.Activation("relu6"),
    "swish": lambda: layers.Activation("swish"),
    "hard_swish": lambda: layers.Activation("hard_swish"),
    "hard_sigmoid": lambda: layers.Activation("hard_sigmoid"),
    "sigmoid": lambda: layers.Activation("sigmoid"),
    "pool": layers.GlobalPool,
    "pool and linear": lambda: layers.Chain({"pool": layers.GlobalPool(), "linear": layers.Linear(3, 4, **F64)}),
    "squeeze_excite": lambda: layers.SqueezeExcite(3, 2, activation="swish", **F64),
    "residual": lambda: layers.Residual({"conv": layers.Pointwise(3, 3, **F64), "bn": layers.BatchNorm(3, **F64)}),
    "dropout": lambda: layers.Dropout(0.4, seed=3),
    "drop path": lambda: layers.DropPath(0.4, seed=3),
}


def filled(layer, seed=1):
    """Every array drawn at random; variances positive."""
    rng = np.random.default_rng(seed)
    for name, p in layer.named_params():
        p.value[...] = rng.standard_normal(p.value.shape)
        if name.endswith("var"):
            p.value[...] = rng.uniform(0.5, 2, p.value.shape)
    return layer


def checked(layer, x, train):
    """The first direction without a crossing; every direction that crosses is one in many."""
    for seed in range(5):
        check = gradcheck.along(layer, x, train=train, seed=seed)
        if not check.crosses_kink:
            return check
    raise AssertionError("five directions in a row cross a kink")


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_backward_is_the_gradient_of_forward(name, train):
    x = 2 * np.random.default_rng(0).standard_normal((3, 6, 5, 3))
    check = checked(filled(LAYERS[name]()), x, train)
    assert check.holds, check
    # Sharp: f sums a few hundred products to about sqrt(n) u of their size; divided by h that is 1e-8 at most.
    assert check.allowed <= 1e-7 * check.scale, check


class _Wrong(layers.Pointwise):
    def backward(self, dy):
        dx = super().backward(dy)
        self.params["w"].grad[0, 0] *= 1 + 1e-4
        return dx


def test_an_error_of_one_part_in_ten_thousand_in_one_entry_is_found():
    x = np.random.default_rng(0).standard_normal((2, 3, 3, 3))
    assert not gradcheck.along(filled(_Wrong(3, 2, **F64)), x).holds


def test_a_crossing_is_told_and_is_not_a_pass():
    check = gradcheck.along(layers.Activation("relu"), np.full((1, 2, 2, 1), 1e-9))
    assert check.crosses_kink
    assert not check.holds


def test_the_layer_itself_is_left_alone():
    layer = filled(layers.BatchNorm(3, **F64))
    before = {name: p.value.copy() for name, p in layer.named_params()}
    gradcheck.along(layer, np.random.default_rng(0).standard_normal((2, 3, 3, 3)), train=True)
    assert all(np.array_equal(p.value, before[name]) for name, p in layer.named_params())
    with pytest.raises(ValueError, match="no forward came before"):
        layer.backward(np.zeros((2, 3, 3, 3)))
