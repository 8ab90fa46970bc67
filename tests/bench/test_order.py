"""Order statistics: intervals that hold the median as often as they say, whatever the distribution."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refmnas.bench import order

TIMES = st.lists(st.floats(0.001, 1000), min_size=1, max_size=60)


def coverage(count, k):
    """The chance that the k-th smallest and k-th largest of `count` values enclose the median."""
    return 1 - 2 * sum(Fraction(comb(count, i), 2**count) for i in range(k))


@given(st.integers(1, 400), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_rank_is_the_narrowest_that_covers(count, confidence):
    k = order.rank(count, confidence)
    assert k == 0 or coverage(count, k) >= Fraction(confidence) - Fraction(1, 10**12)
    assert 2 * (k + 1) > count + 1 or coverage(count, k + 1) < Fraction(confidence)


@given(TIMES)
def test_an_interval_encloses_the_sample_median_and_moves_with_the_values(values):
    found = order.interval(values)
    if len(values) < 6:
        assert found is None
        return
    low, high = found
    assert low in values
    assert high in values
    assert low <= order.median(values) <= high
    assert order.interval([3 * v for v in reversed(values)]) == (3 * low, 3 * high)


@pytest.mark.parametrize("draw", ["exponential", "lognormal", "uniform"])
def test_intervals_hold_the_true_median_as_often_as_they_say(draw):
    """2000 samples of 20: the true share is 0.9586, and 0.945 lies three deviations below."""
    rng = np.random.default_rng(5)
    samples = getattr(rng, draw)(size=(2000, 20))
    median = {"exponential": np.log(2), "lognormal": 1.0, "uniform": 0.5}[draw]
    inside = sum(low <= median <= high for low, high in map(order.interval, samples.tolist()))
    assert inside >= 0.945 * len(samples)


@given(TIMES, st.floats(0, 1))
def test_quantiles_are_numpys(values, part):
    assert order.quantile(values, part) == pytest.approx(np.quantile(values, part), rel=1e-12)


@given(TIMES)
def test_a_summary_is_in_order(values):
    least, q1, median, q3 = order.summary(values)
    assert least == min(values)
    assert least <= q1 <= median <= q3 <= max(values)
