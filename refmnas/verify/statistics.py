"""Statistical tests for long sums, whose bound is wide; they assume, and say so, what the bound does not.

Model: the roundings of a sum are independent of each other's values, with mean zero.  Then the error of a sum of n
products, z = error / (u sum |x| |w|), is a martingale with n + 1 steps of at most 1, hence sub-Gaussian with
variance at most n + 1, and with probability at least 1 - delta each

    largest   max |z| <= sqrt(2 (n + 1) log(2 T / delta))                                     (1)
    spread    mean z^2 <= t (n + 1),  t the root above 1 of  t - 1 - log t = 2 log(1 / delta) / T    (2)
    bias      |sum z|  <= sqrt(2 (n + 1) T log(2 / delta))                                    (3)

over T sums.  Sums that came out equal may have had equal terms, so only different values are counted, each once.
(1) is a union bound and needs no independence between sums; (2) and (3) need it.

Source: Higham and Mary 2019, A new approach to probabilistic rounding error analysis, for the model and (1); (2) is
Chernoff's bound with E exp(s z^2) <= 1 / sqrt(1 - 2 s (n + 1)), and (3) Hoeffding's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

FALSE_ALARM = 5e-10  # of all tests of a report together
LONG = 100  # products in a sum, from which the bound is wide enough for the tests to say more
FEW = 64  # different values, below which (2) and (3) are left out
U = 2.0**-24


@dataclass(frozen=True)
class Test:
    """One test: `value` over its `limit` is a deviation that rounding does not make with probability 1 - delta."""

    name: str
    value: float
    limit: float

    @property
    def has_failed(self):
        return self.value > self.limit


def tests(y, came, size, n, delta):
    """The tests of one layer of sums of n products; `delta` is the false-alarm probability of all three together."""
    came = np.asarray(came, np.float64)
    _, first = np.unique(came, return_index=True)
    size = np.broadcast_to(size, y.shape).ravel()[first]
    keep = size > 2.0**-100  # far from underflow, which the model leaves out
    z = ((came.ravel()[first] - y.ravel()[first])[keep]) / (U * size[keep])
    T, steps = len(z), n + 1
    if not T:
        return []
    delta = delta / 3
    found = [Test("largest", float(np.abs(z).max()), math.sqrt(2 * steps * math.log(2 * T / delta)))]
    if T >= FEW:
        found.append(Test("spread", float(np.square(z).mean()), _root(2 * math.log(1 / delta) / T) * steps))
        found.append(Test("bias", float(abs(z.sum())), math.sqrt(2 * steps * T * math.log(2 / delta))))
    return found


def _root(c):
    """t > 1 with t - 1 - log t = c, rounded up.

    >>> t = _root(0.05); bool(abs(t - 1 - math.log(t) - 0.05) < 1e-9)
    True
    """
    low, high = 1.0, 2.0 + 2 * c + math.sqrt(2 * c)
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if middle - 1 - math.log(middle) < c else (low, middle)
    return high
