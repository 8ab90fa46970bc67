"""Bounds of softmax, with the errors E of exp, R / (1 - R) of 1 / Z and of exp(z - log Z) from softmax_xent.

    y    e / Z, or exp(z - log Z):  D = p (Q (1 + gamma(1)) + gamma(1)),  Q as in softmax_xent
    s    sum dy y:  sum |dy| D + gamma(K) sum |dy| (p + D) =: F
    dx   y (dy - s), or y dy - y s:  D size + (p + D) (F + gamma(3) (size + F)),  size = |dy| + sum |dy| p
"""

import numpy as np

from .rounding import EXP, gamma, lost
from .softmax_xent import quotient


def _values(dtype, x):
    """p and the error D of y."""
    p, relative = quotient(dtype, x)
    return p, p * (relative * (1 + gamma(1, dtype)) + gamma(1, dtype)) + lost(EXP + 2, dtype)


def softmax_forward(definition, dtype, x):
    return (_values(dtype, x)[1] if len(x) else np.zeros(x.shape),)


def softmax_backward(definition, dtype, dy, x):
    if len(x) == 0:
        return (np.zeros(x.shape),)
    p, off = _values(dtype, x)
    size = np.abs(np.asarray(dy, np.float64))
    shared = (size * p).sum(axis=1, keepdims=True)
    summed = (size * off).sum(axis=1, keepdims=True)
    summed += gamma(x.shape[1], dtype) * (size * (p + off)).sum(axis=1, keepdims=True) + lost(x.shape[1], dtype)
    size = size + shared
    return (off * size + (p + off) * (summed + gamma(3, dtype) * (size + summed)) + lost(2, dtype),)
