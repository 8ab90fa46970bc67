"""Squeeze and excitation: one product, two paths to x."""

import numpy as np
import pytest

from refmnas.layers import SqueezeExcite

U = np.finfo(np.float64).eps / 2


@pytest.fixture
def layer():
    layer = SqueezeExcite(5, 3, activation="relu", gate="sigmoid", dtype=np.float64)
    rng = np.random.default_rng(1)
    for _, p in layer.named_params():
        p.value[...] = rng.standard_normal(p.value.shape)
    return layer


def arrays():
    rng = np.random.default_rng(2)
    return rng.standard_normal((2, 4, 3, 5)), rng.standard_normal((2, 4, 3, 5))


def test_names_and_kinds(layer):
    assert [(n, p.kind) for n, p in layer.named_params()] == [
        ("reduce.w", "pointwise"), ("reduce.b", "plain"), ("expand.w", "pointwise"), ("expand.b", "plain"),
    ]  # fmt: skip


def test_forward_is_the_formula(layer):
    x, _ = arrays()
    w1, b1, w2, b2 = (p.value for _, p in layer.named_params())
    s = x.mean(axis=(1, 2))
    g = 1 / (1 + np.exp(-(np.maximum(s @ w1 + b1, 0) @ w2 + b2)))
    want = x * g[:, None, None, :]
    # A logit meets n = 12 + 5 + 3 roundings of terms that sum to less than 30; the sigmoid's slope is at most 1/4.
    np.testing.assert_allclose(layer.forward(x), want, rtol=0, atol=20 * U * 30 * np.abs(x).max())


def test_the_gradient_is_the_sum_of_two_paths(layer):
    """Written out by hand: through the product, and through mean, matrices and gate."""
    x, dy = arrays()
    w1, b1, w2, b2 = (p.value for _, p in layer.named_params())
    s = x.mean(axis=(1, 2))
    z1 = s @ w1 + b1
    g = 1 / (1 + np.exp(-(np.maximum(z1, 0) @ w2 + b2)))
    through_product = dy * g[:, None, None, :]
    dz2 = (dy * x).sum(axis=(1, 2)) * g * (1 - g)
    dz1 = dz2 @ w2.T * (z1 > 0)
    through_mean = np.broadcast_to((dz1 @ w1.T / 12)[:, None, None, :], x.shape)
    layer.forward(x)
    got = layer.backward(dy)
    assert np.abs(through_product).max() > 100 * U  # neither path is empty
    assert np.abs(through_mean).max() > 100 * U
    size = np.abs(through_product).max() + np.abs(dy * x).sum() * np.abs(w1).sum() * np.abs(w2).sum() / 12
    np.testing.assert_allclose(got, through_product + through_mean, rtol=0, atol=40 * U * size)
    grads = {n: p.grad for n, p in layer.named_params()}
    size = np.abs(dy * x).sum()
    np.testing.assert_allclose(grads["expand.b"], dz2.sum(axis=0), rtol=0, atol=40 * U * size)
    np.testing.assert_allclose(grads["reduce.b"], dz1.sum(axis=0), rtol=0, atol=40 * U * size * np.abs(w2).sum())


def test_each_image_has_its_own_gate(layer):
    x, _ = arrays()
    both = layer.forward(x)
    # another matrix product shape may round otherwise: the logit's error of the test above
    np.testing.assert_allclose(layer.forward(x[1:]), both[1:], rtol=0, atol=20 * U * 30 * np.abs(x).max())


def test_steps_are_listed_in_the_order_of_computation(layer):
    steps = [(s.name, s.kind, s.shape) for s in layer.steps((4, 3, 5))]
    assert steps == [
        ("pool", "pool", (5,)), ("reduce", "linear", (3,)), ("act", "relu", (3,)),
        ("expand", "linear", (5,)), ("gate", "sigmoid", (5,)), ("scale", "scale", (4, 3, 5)),
    ]  # fmt: skip
