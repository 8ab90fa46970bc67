"""Batch norm and its gradients from inputs with errors.

With mean off by A, x - mean by C = A + e and rstd by the share R (refmnas.bounds.batchnorm, where what C does to the
variance is derived), z = (x - mean) rstd is off by

    Z' = C rstd (1 + R) + |x - mean| rstd R                                            (1)

and each gradient by what (1) and the error of dy do to its terms, and the roundings of its sums on absolute values.

Source: refmnas.ops.batchnorm has the equations; the first-order terms of (1) are written out with their products.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...backend import TABLE
from ...bounds import UNDERFLOW, gamma
from ..known import Known

_LOST = UNDERFLOW[np.dtype(np.float32)]


@dataclass(frozen=True, eq=False)
class _Statistics:
    mean: np.ndarray
    rstd: np.ndarray
    z: np.ndarray
    off: np.ndarray  # (1)
    share: np.ndarray  # R
    count: int
    centre_off: np.ndarray  # C


def _of_batch(x, eps, unbiased=False):
    axes, m = tuple(range(x.value.ndim - 1)), x.value.size // x.value.shape[-1]
    e = 0.0 if x.error is None else x.error
    mean = x.value.mean(axis=axes)
    c = x.value - mean
    var = np.square(c).mean(axis=axes)
    var = var * (m / max(m - 1, 1)) if unbiased else var
    A = gamma(m) * x.size.mean(axis=axes) + (np.broadcast_to(e, c.shape).mean(axis=axes)) + _LOST
    C = A + e + gamma(1) * (np.abs(c) + A + e)
    D = (2 * np.abs(c) * C + C * C).mean(axis=axes)
    V = (1 + gamma(m + 1)) * D + gamma(m + 1) * var + 2 * _LOST
    q = V / (var + eps) + gamma(1)
    with np.errstate(divide="ignore"):
        Q = np.where(q < 1, q / (2 * np.maximum(1 - q, 0)), np.inf)
    R = Q + gamma(2) * (1 + Q)
    rstd = 1 / np.sqrt(var + eps)
    return _Statistics(mean, rstd, c * rstd, C * rstd * (1 + R) + np.abs(c) * rstd * R, R, m, C)


def forward(part, x):
    """y with the batch's own statistics."""
    s, g, beta = _of_batch(x, part.options["eps"]), part.arrays["gamma"], part.arrays["beta"]
    scale = np.abs(g) * s.rstd * (1 + s.share)
    own = gamma(4) * scale * (x.size + np.abs(s.mean) + s.centre_off) + gamma(2) * np.abs(beta) + 4 * _LOST
    return Known(g * s.z + beta, np.abs(g) * s.off + own)


def train_dx(part, dy, x):
    """Equation (7) of refmnas.ops.batchnorm; for a diagnosis without the term of the mean or of the variance."""
    s, g, axes = (
        _of_batch(x, part.options["eps"], part.options.get("unbiased", False)),
        part.arrays["gamma"],
        tuple(range(x.value.ndim - 1)),
    )
    value = TABLE["batchnorm.backward"].numpy(dy.value, x.value, g, s.mean, s.rstd)[0]
    if "without" in part.options:
        lost = dy.value.mean(axis=axes) if part.options["without"] == "mean" else s.z * (dy.value * s.z).mean(axis=axes)
        value = value + g * s.rstd * lost
    e, D, Z = np.broadcast_to(_error(dy), dy.value.shape), dy.size, np.abs(s.z) + s.off
    second = np.abs((dy.value * s.z).mean(axis=axes))
    second_off = (e * Z + np.abs(dy.value) * s.off).mean(axis=axes)
    inner = e + e.mean(axis=axes) + Z * second_off + s.off * second
    products = (D * Z).mean(axis=axes)
    sums = D + D.mean(axis=axes) + (Z + Z.mean(axis=axes)) * products
    scale = np.abs(g) * s.rstd * (1 + s.share)
    rounded = gamma(s.count + 10) * scale * sums + 4 * (scale + 1) * _LOST
    return Known(value, scale * inner + s.share * np.abs(value) + rounded)


def train_dgamma(part, dy, x):
    s, axes = _of_batch(x, part.options["eps"]), tuple(range(x.value.ndim - 1))
    Z, m = np.abs(s.z) + s.off, s.count
    came = (_error(dy) * Z + np.abs(dy.value) * s.off).sum(axis=axes)
    return Known((dy.value * s.z).sum(axis=axes), came + gamma(m + 5) * (dy.size * Z).sum(axis=axes) + 2 * m * _LOST)


def dbeta(part, dy):
    axes, m = tuple(range(dy.value.ndim - 1)), dy.value.size // max(dy.value.shape[-1], 1)
    error = np.broadcast_to(_error(dy), dy.value.shape).sum(axis=axes)
    return Known(dy.value.sum(axis=axes), error + gamma(m) * dy.size.sum(axis=axes))


def eval_dx(part, dy):
    """Equation (8): rstd's three roundings and two products."""
    r = part.arrays["gamma"] / np.sqrt(part.arrays["var"] + part.options["eps"])
    size = np.abs(r)
    return Known(dy.value * r, size * _error(dy) + gamma(5) * size * dy.size + 2 * (np.abs(part.arrays["gamma"]) + 1) * _LOST)


def eval_dgamma(part, dy, x):
    axes, m = tuple(range(x.value.ndim - 1)), x.value.size // max(x.value.shape[-1], 1)
    r = 1 / np.sqrt(part.arrays["var"] + part.options["eps"])
    z, e = (x.value - part.arrays["mean"]) * r, _error(x) * r
    Z = np.abs(z) + e
    came = (_error(dy) * Z + np.abs(dy.value) * e).sum(axis=axes)
    return Known((dy.value * z).sum(axis=axes), came + gamma(m + 5) * (dy.size * Z).sum(axis=axes) + 2 * m * _LOST)


def _error(known):
    return 0.0 if known.error is None else known.error
