"""Bounds of softmax cross-entropy.

With z = x - M (one rounding, absolute error u |z|), e = exp(z), Z = sum e >= 1:

    e    relative error  E = gamma(1) |z| and gamma(EXP)
    Z    relative error  R = sum e E / Z and gamma(K)
    log  absolute error  R / (1 - R) + gamma(LOG) log Z
    loss what is added to log Z: the target terms, each with its constant, its product and
         the additions, gamma(K + 5) of (1 - a) (|x_l| + |M|) + a / K sum (|x| + |M|), which
         holds also where M is added back to log Z instead of taken off x
    dx   e / Z, or exp(z - log Z), less t: |dy| (p Q + gamma(5) (p + t)) with
         Q = E, R / (1 - R), gamma(2) (|z| + log Z) + gamma(LOG) log Z, gamma(2)

Relative errors a, b are joined as (1 + a) (1 + b) - 1, and exp turns an absolute error d
of its argument into the relative one expm1(d).
"""

import numpy as np

from .rounding import EXP, LOG, gamma, lost


def _parts(dtype, x):
    """p, log Z, R / (1 - R), E, |z| and M."""
    x = np.asarray(x, np.float64)
    peak = x.max(axis=1, keepdims=True)
    z = np.abs(x - peak)
    e = np.exp(-z)
    total = e.sum(axis=1, keepdims=True)
    off = np.expm1(gamma(1, dtype) * z) * (1 + gamma(EXP, dtype)) + gamma(EXP, dtype)
    mean_off = (e * off).sum(axis=1, keepdims=True) / total
    ratio = mean_off + gamma(x.shape[1], dtype) * (1 + mean_off) + lost(EXP * x.shape[1], dtype)
    return e / total, np.log(total), ratio / (1 - ratio), off, z, np.abs(peak)


def quotient(dtype, x):
    """p, and the relative error Q of e / Z or of exp(z - log Z)."""
    p, log, ratio, off, z, _ = _parts(dtype, x)
    rest = np.expm1(gamma(2, dtype) * (z + log) + gamma(LOG, dtype) * log) + gamma(2, dtype)
    return p, np.expm1(np.log1p(off) + np.log1p(ratio) + np.log1p(rest))


def softmax_xent_forward(definition, dtype, x, labels, *, smoothing=0.0):
    N, K = x.shape
    if N == 0:
        return (np.zeros(0),)
    _, log, ratio, _, _, peak = _parts(dtype, x)
    size = np.abs(np.asarray(x, np.float64)) + peak
    own = size[np.arange(N), labels]
    terms = (1 - smoothing) * own + smoothing / K * size.sum(axis=1)
    log, ratio = log[:, 0], ratio[:, 0]
    return (ratio * (1 + gamma(K + 5, dtype)) + gamma(LOG + 2, dtype) * log + gamma(K + 5, dtype) * terms,)


def softmax_xent_backward(definition, dtype, dy, x, labels, *, smoothing=0.0):
    N, K = x.shape
    if N == 0:
        return (np.zeros(x.shape),)
    p, relative = quotient(dtype, x)
    target = np.full(x.shape, smoothing / K)
    target[np.arange(N), labels] += 1 - smoothing
    size = np.abs(np.asarray(dy, np.float64))[:, None]
    error = p * relative * (1 + gamma(5, dtype)) + gamma(5, dtype) * (p + target)
    return (size * error + lost(EXP * (size + 1), dtype),)
