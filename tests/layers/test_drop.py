"""Dropout and drop-path: the seed, the mask, and the statistics of both."""

import numpy as np
import pytest

from refmnas.errors import SpecError
from refmnas.layers import Dropout, DropPath

ONES = np.ones((64, 8, 8, 4))


@pytest.mark.parametrize("kind", [Dropout, DropPath])
def test_the_seed_decides_and_each_forward_draws_anew(kind):
    a, b, other = kind(0.3, seed=5), kind(0.3, seed=5), kind(0.3, seed=6)
    first = a.forward(ONES, True)
    assert np.array_equal(first, b.forward(ONES, True))
    assert not np.array_equal(first, other.forward(ONES, True))
    assert not np.array_equal(first, a.forward(ONES, True))
    a.reseed(5)
    assert np.array_equal(first, a.forward(ONES, True))


@pytest.mark.parametrize("kind", [Dropout, DropPath])
def test_evaluation_and_rate_zero_are_the_identity_and_draw_nothing(kind):
    a, b = kind(0.3, seed=5), kind(0.3, seed=5)
    assert a.forward(ONES, False) is ONES
    assert a.backward(ONES) is ONES
    assert np.array_equal(a.forward(ONES, True), b.forward(ONES, True))
    assert kind(0.0).forward(ONES, True) is ONES


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("kind", [Dropout, DropPath])
def test_the_share_of_zeros_is_the_rate_and_the_rest_is_scaled(kind, rate):
    """Statistical: 5 standard deviations of a binomial share, missed by chance once in 1.7 million seeds."""
    x = np.ones((4000, 2, 1, 1))
    y = kind(rate, seed=1).forward(x, True)
    assert set(np.unique(y)) == {0.0, 1 / (1 - rate)}
    draws = y if kind is Dropout else y[:, 0]
    deviation = np.sqrt(rate * (1 - rate) / draws.size)
    assert abs(np.mean(draws == 0) - rate) <= 5 * deviation


def test_drop_path_drops_whole_images_and_dropout_does_not():
    paths = DropPath(0.5, seed=2).forward(ONES, True).reshape(64, -1)
    assert np.array_equal(paths.min(axis=1), paths.max(axis=1))
    values = Dropout(0.5, seed=2).forward(ONES, True).reshape(64, -1)
    assert np.all(values.min(axis=1) < values.max(axis=1))  # 256 equal draws by chance: 2^-255


@pytest.mark.parametrize("kind", [Dropout, DropPath])
def test_backward_uses_the_mask_of_forward(kind):
    layer = kind(0.4, seed=3)
    y = layer.forward(ONES, True)
    assert np.array_equal(layer.backward(ONES), y)
    assert np.array_equal(layer.backward(2 * ONES), 2 * y)


@pytest.mark.parametrize("kind", [Dropout, DropPath])
def test_two_seeds_are_independent(kind):
    """Statistical: the shares of agreement of two masks of rate 1/2 is 1/2 within 5 standard deviations."""
    x = np.ones((4000, 1, 1, 1))
    agree = np.mean(kind(0.5, seed=(0, 1)).forward(x, True) == kind(0.5, seed=(0, 2)).forward(x, True))
    assert abs(agree - 0.5) <= 5 * np.sqrt(0.25 / len(x))


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan"), "a", None])
def test_a_rate_that_is_no_chance_to_drop_is_refused(rate):
    with pytest.raises(SpecError, match="0 <= rate < 1"):
        Dropout(rate)


def test_a_share_of_the_rate_is_of_the_one_that_the_layer_was_made_with():
    layer = DropPath(0.4)
    for share, rate in ((0.5, 0.2), (0.5, 0.2), (0, 0), (1, 0.4)):
        layer.scale(share)
        assert layer.rate == rate
