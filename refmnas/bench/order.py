"""Statistics by order alone: nothing is assumed of how times are distributed."""

from __future__ import annotations

from math import comb, exp, log
from statistics import fmean
from typing import NamedTuple


class Summary(NamedTuple):
    """Minimum, quartiles, median."""

    least: float
    q1: float
    median: float
    q3: float


def quantile(values, part):
    """The value below which `part` of the sorted values lie, between neighbours linearly.

    >>> quantile([3.0, 1.0, 2.0, 10.0], 0.5)
    2.5
    """
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def summary(values):
    """A Summary of at least one value."""
    return Summary(min(values), *(quantile(values, part) for part in (0.25, 0.5, 0.75)))


def median(values):
    """The middle value, or the mean of the two."""
    return quantile(values, 0.5)


def rank(count, confidence=0.95):
    """The largest k for which the k-th smallest and k-th largest of `count` values hold the median with `confidence`.

    A value lies below the true median as a coin falls, so the chance that fewer than k of
    n do is that of a binomial variable, and the interval misses with twice that chance.
    0 where there are too few values: below 6 at 0.95.

    >>> rank(5), rank(6), rank(20), rank(100)
    (0, 1, 6, 40)
    """
    below, k = 1, 0  # ways of k tosses or fewer
    while 2 * below <= (1 - confidence) * 2**count:
        k += 1
        below += comb(count, k)
    return k


def interval(values, confidence=0.95):
    """(low, high) that holds the true median with `confidence` whatever the distribution; None with too few values.

    >>> interval([1, 2, 3, 4, 5, 6]), interval([1, 2, 3])
    ((1, 6), None)
    """
    k = rank(len(values), confidence)
    ordered = sorted(values)
    return (ordered[k - 1], ordered[-k]) if k else None


def geometric_mean(ratios):
    """The mean of what multiplies.

    >>> geometric_mean([1.0, 4.0])
    2.0
    """
    return exp(fmean(map(log, ratios)))
