"""The statistical tests: silent on rounding, loud on what rounding does not make."""

import numpy as np

from refmnas.verify.statistics import FALSE_ALARM
from refmnas.verify.statistics import tests as probe


def sums(seed, n=600, rows=400, x=None):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, n)).astype(np.float32) if x is None else x
    w = rng.standard_normal((n, 5)).astype(np.float32)
    y, size = x.astype(np.float64) @ w, np.abs(x.astype(np.float64)) @ np.abs(w)
    came = np.cumsum(x[:, :, None] * w, axis=1, dtype=np.float32)[:, -1]
    return x, w, y, size, came


def test_float32_sums_pass_by_far():
    for seed in range(5):
        _, _, y, size, came = sums(seed)
        found = probe(y, came, size, 601, FALSE_ALARM)
        assert {test.name for test in found} == {"largest", "spread", "bias"}
        assert max(test.value / test.limit for test in found) < 0.5


def test_sums_that_came_out_equal_count_once():
    x = np.ones((400, 600), np.float32)
    _, _, y, size, came = sums(0, x=x)
    assert [test.name for test in probe(y, came, size, 601, FALSE_ALARM)] == ["largest"]  # five different values are few


def test_operands_cut_to_half_precision_fail():
    x, w, y, size, _ = sums(0)
    came = (x.astype(np.float16).astype(np.float64) @ w.astype(np.float16).astype(np.float64)).astype(np.float32)
    assert any(test.has_failed for test in probe(y, came, size, 601, FALSE_ALARM))


def test_nothing_is_said_of_sums_near_underflow():
    y = np.zeros((4, 4))
    assert probe(y, y.astype(np.float32), np.full((4, 4), 1e-40), 200, FALSE_ALARM) == []
