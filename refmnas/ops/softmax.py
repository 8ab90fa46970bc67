"""Softmax: each row of numbers as probabilities.

    M[n]    = max_k x[n,k],   Z[n] = sum_k exp(x[n,k] - M[n])  (1)
    y[n,k]  = exp(x[n,k] - M[n]) / Z[n]                        (2)

    dx[n,k] = y[n,k] * (dy[n,k] - sum_j dy[n,j] * y[n,j])      (3)

With the maximum M taken off no exp overflows and Z >= 1.  (3) is the product of dy with
the Jacobian y[k] * ([j = k] - y[j]), and needs no matrix of K x K.

Source: Bridle 1990, Training Stochastic Model Recognition Algorithms as Networks, NIPS 2,
for (2) without M; taking M off changes neither (2) nor (3).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..backend import dispatched
from ..errors import ShapeError
from . import _checks


class Grads(NamedTuple):
    """The gradient of the logits."""

    x: NDArray


def _check_forward(x):
    op = "softmax.forward"
    _checks.floats(op, x=x)
    _check_rows(op, x)
    return (x,), {}


def _check_backward(dy, x):
    op = "softmax.backward"
    _checks.floats(op, dy=dy, x=x)
    _check_rows(op, x)
    _checks.shape(op, "dy", dy, x.shape, "(N, K)")
    return (dy, x), {}


def _check_rows(op, x):
    _checks.shape(op, "x", x, (None, None), "(N, K)")
    if x.shape[1] == 0:
        raise ShapeError(f"{op}: x has shape {x.shape}, wanted (N, K) with at least one class")


@dispatched("softmax.forward", check=_check_forward)
def forward(x: NDArray) -> NDArray:
    """Equation (2).

    Shapes   x (N, K) logits -> y (N, K), every row's sum 1 up to rounding.
    Units    none: shares, from 0 to 1.
    Dtypes   float32 or float64; y has the same.
    Raises   ShapeError where x is no matrix or has no class; DtypeError.
    Error    refmnas.bounds.softmax_forward: the roundings of (1) and (2), and exp good to
             the units stated there, in any backend.

    >>> forward(np.array([[0.0, 0.0], [1000.0, 0.0]]))
    array([[0.5, 0.5],
           [1. , 0. ]])
    """
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


@dispatched("softmax.backward", check=_check_backward, result=Grads)
def backward(dy: NDArray, x: NDArray) -> Grads:
    """Equation (3): Grads(x) from dy, with y taken anew from x.

    Shapes   dy and x (N, K) -> Grads of x.
    Units    the gradient carries the unit of dy per unit of x.
    Dtypes   float32 or float64, both alike; the gradient has the same.
    Raises   as `forward`; ShapeError where dy is not of x's shape.
    Error    refmnas.bounds.softmax_backward, in any backend.

    >>> backward(np.array([[1.0, 0.0]]), np.zeros((1, 2))).x
    array([[ 0.25, -0.25]])
    """
    e = np.exp(x - x.max(axis=1, keepdims=True))
    y = e / e.sum(axis=1, keepdims=True)
    return Grads(y * (dy - (dy * y).sum(axis=1, keepdims=True)))
