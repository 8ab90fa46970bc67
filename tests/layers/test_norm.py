"""Batch norm: which statistics normalise, which are kept, and whose backward runs."""

import numpy as np
import pytest

from refmnas.errors import DataError
from refmnas.layers import BatchNorm

# One channel, four values: mean 3, biased variance 5, unbiased 20/3.  All of these are exact in float64 but 20/3.
X = np.array([0.0, 2.0, 4.0, 6.0]).reshape(1, 2, 2, 1)


def norm(**options):
    layer = BatchNorm(1, **{"eps": 4.0, "momentum": 0.25, "dtype": np.float64} | options)
    for name, value in {"gamma": 3.0, "beta": 1.0, "mean": 8.0, "var": 12.0}.items():
        layer.params[name].value[...] = value
    return layer


def values(layer):
    return {name: float(p.value[0]) for name, p in layer.params.items()}


def test_training_normalises_by_the_batch():
    y = norm().forward(X, True)
    # sqrt(5 + 4) = 3, so gamma / sigma = 1 and y = x - 3 + 1; one rounding of 1/3 each way
    np.testing.assert_allclose(y.ravel(), [-2, 0, 2, 4], rtol=0, atol=4 * np.spacing(4.0))


def test_evaluation_normalises_by_the_running_statistics():
    y = norm().forward(X, False)
    assert y.ravel().tolist() == [3 * (x - 8) * 0.25 + 1 for x in (0, 2, 4, 6)]  # sqrt(12 + 4) = 4: exact


@pytest.mark.parametrize(("unbiased", "variance"), [(False, 0.75 * 12 + 0.25 * 5), (True, 0.75 * 12 + 0.25 * 20 / 3)])
def test_one_step_moves_the_running_statistics_by_hand(unbiased, variance):
    layer = norm(unbiased=unbiased)
    layer.forward(X, True)
    got = values(layer)
    assert got["mean"] == 0.75 * 8 + 0.25 * 3
    assert abs(got["var"] - variance) <= 4 * np.spacing(variance)  # one quotient, two products, one sum
    assert (got["gamma"], got["beta"]) == (3, 1)


def test_evaluation_moves_nothing():
    layer = norm()
    before = values(layer)
    layer.backward(layer.forward(X, False))
    assert values(layer) == before


def test_the_arrays_stay_the_same_objects():
    layer = norm()
    held = {name: p.value for name, p in layer.params.items()}
    layer.forward(X, True)
    assert all(layer.params[name].value is array for name, array in held.items())
    assert float(held["mean"][0]) == 0.75 * 8 + 0.25 * 3


def test_backward_is_of_the_forward_that_ran():
    layer, dy = norm(), np.array([1.0, 0, 0, 0]).reshape(X.shape)
    layer.forward(X, True)
    train = layer.backward(dy)
    layer.forward(X, False)
    mean, sigma = values(layer)["mean"], np.sqrt(values(layer)["var"] + 4)
    evaluation = layer.backward(dy)
    # dx = gamma / sigma (dy - mean(dy) - z mean(dy z)), z = -1, -1/3, 1/3, 1; sigma = 3
    want = [1 - 1 / 4 - 1 / 4, -1 / 4 - 1 / 12, -1 / 4 + 1 / 12, -1 / 4 + 1 / 4]
    np.testing.assert_allclose(train.ravel(), want, rtol=0, atol=8 * np.finfo(float).eps)  # 14 roundings below 1/2
    np.testing.assert_allclose(evaluation.ravel(), [3 / sigma, 0, 0, 0], rtol=4 * np.finfo(float).eps)
    np.testing.assert_allclose(layer.params["gamma"].grad, (0 - mean) / sigma, rtol=8 * np.finfo(float).eps)
    assert layer.params["beta"].grad[0] == 1
    assert layer.params["mean"].grad is None
    assert layer.params["var"].grad is None


def test_one_value_per_channel_has_no_unbiased_variance_and_changes_nothing():
    layer = norm()
    before = values(layer)
    with pytest.raises(DataError, match="count is 1"):
        layer.forward(X[:, :1, :1], True)
    assert values(layer) == before
    assert norm(unbiased=False).forward(X[:, :1, :1], True).ravel().tolist() == [1]
