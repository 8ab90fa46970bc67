"""What all layers have in common: memory, names, listing."""

import numpy as np
import pytest

from refmnas import layers
from refmnas.errors import DataError, DtypeError, ShapeError

MAKE = {
    "conv": lambda: layers.Conv(3, 4, kernel=3),
    "depthwise": lambda: layers.Depthwise(3, kernel=3, stride=2),
    "pointwise": lambda: layers.Pointwise(3, 4),
    "norm": lambda: layers.BatchNorm(3),
    "activation": lambda: layers.Activation("relu"),
    "pool": layers.GlobalPool,
    "max_pool": lambda: layers.MaxPool(3, stride=2),
    "average_pool": lambda: layers.AveragePool(2, stride=2, padding=(0, 0, 0, 0), ceil=True),
    "resize": lambda: layers.Resize((7, 3)),
    "graph": lambda: layers.Graph({"x": (4, 4, 3)}, {
        "a": (layers.Pointwise(3, 2), "x"), "b": (layers.MaxPool(3), "x"), "y": (layers.Concat(), "a", "b"),
    }),
    "squeeze_excite": lambda: layers.SqueezeExcite(3, 2),
    "dropout": lambda: layers.Dropout(0.5),
    "drop_path": lambda: layers.DropPath(0.5),
}


def image(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("name", MAKE)
def test_backward_before_forward_is_a_named_error(name):
    with pytest.raises(DataError, match="backward: no forward came before it"):
        MAKE[name]().backward(image(1, 4, 4, 3))


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("name", MAKE)
def test_backward_refuses_a_dy_that_is_not_like_y(name, train):
    layer = MAKE[name]()
    y = layer.forward(image(2, 4, 4, 3), train)
    with pytest.raises(ShapeError, match=r"dy has shape \(1, "):
        layer.backward(y[:1])
    with pytest.raises(DtypeError, match="dy is float64, wanted float32"):
        layer.backward(y.astype(np.float64))
    with pytest.raises(DtypeError, match="dy is list, wanted a NumPy array"):
        layer.backward(y.tolist())
    assert layer.backward(y).shape == (2, 4, 4, 3)


@pytest.mark.parametrize("name", MAKE)
def test_the_shape_that_is_told_is_the_shape_that_comes(name):
    layer = MAKE[name]()
    y = layer.forward(image(2, 5, 4, 3))
    assert layer.shape((5, 4, 3)) == y.shape[1:]
    assert [step.shape for step in layer.steps((5, 4, 3))][-1] == y.shape[1:]


@pytest.mark.parametrize("name", MAKE)
def test_memory_of_one_batch_does_not_reach_the_next(name):
    """forward and backward give the same bits whether or not another batch went before, in another mode."""
    fresh, used = MAKE[name](), MAKE[name]()
    rng = np.random.default_rng(5)
    for (_, a), (_, b) in zip(fresh.named_params(), used.named_params(), strict=True):
        a.value[...] = b.value[...] = np.abs(rng.standard_normal(a.value.shape)) + 0.5
    statistics = {n: p.value.copy() for n, p in used.named_params()}
    used.backward(used.forward(image(3, 6, 6, 3, seed=1), True))
    for n, p in used.named_params():
        p.value[...] = statistics[n]  # training moved the running statistics
    x = image(2, 4, 4, 3, seed=2)
    y, again = fresh.forward(x), used.forward(x)
    assert np.array_equal(y, again)
    assert np.array_equal(fresh.backward(y), used.backward(y))
    for (n, a), (_, b) in zip(fresh.named_params(), used.named_params(), strict=True):
        assert not a.trainable or np.array_equal(a.grad, b.grad), n


def test_gradients_are_overwritten_and_those_handed_out_stay():
    layer = layers.Pointwise(3, 2)
    y = layer.forward(image(1, 2, 2, 3))
    layer.backward(np.ones_like(y))
    first = layer.params["w"].grad
    kept = first.copy()
    layer.backward(2 * np.ones_like(y))
    assert np.array_equal(layer.params["w"].grad, 2 * kept)
    assert np.array_equal(first, kept)


def test_forget_lets_go_of_everything_below():
    chain = layers.Chain({"se": layers.SqueezeExcite(3, 2), "drop": layers.Dropout(0.5)})
    y = chain.forward(image(1, 2, 2, 3), True)
    chain.forget()
    for layer in (chain.children["se"], chain.children["drop"], *chain.children["se"].children.values()):
        assert layer._memory is None
    with pytest.raises(DataError):
        chain.backward(y)


def test_a_residual_adds_no_name_and_one_step():
    inside = {"conv": layers.Pointwise(3, 3), "bn": layers.BatchNorm(3)}
    with_skip, without = layers.Residual(inside), layers.Residual(inside, has_skip=False)
    names = ["conv.w", "bn.gamma", "bn.beta", "bn.mean", "bn.var"]
    assert [n for n, _ in with_skip.named_params()] == [n for n, _ in without.named_params()] == names
    assert [s.name for s in with_skip.steps((2, 2, 3))] == ["conv", "bn", "add"]
    assert [s.name for s in without.steps((2, 2, 3))] == ["conv", "bn"]
    assert [s.parameters for s in with_skip.steps((2, 2, 3))] == [9, 6, 0]


def test_the_identity_adds_x_forward_and_dy_backward():
    inside = {"conv": layers.Pointwise(3, 3)}
    inside["conv"].params["w"].value[...] = image(3, 3)
    x, dy = image(1, 2, 2, 3), image(1, 2, 2, 3, seed=1)
    with_skip, without = layers.Residual(inside), layers.Residual(inside, has_skip=False)
    assert np.array_equal(with_skip.forward(x), x + without.forward(x))
    assert np.array_equal(with_skip.backward(dy), dy + without.backward(dy))
