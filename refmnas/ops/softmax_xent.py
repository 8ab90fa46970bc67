"""Softmax cross-entropy with label smoothing, one loss per sample.

    t[n,k]  = (1 - a) * [k = label[n]] + a / K                                   (1)
    M[n]    = max_k x[n,k],   Z[n] = sum_k exp(x[n,k] - M[n])                     (2)
    loss[n] = -sum_k t[n,k] * log softmax[n,k]
            = log Z[n] - (1 - a) * (x[n,label[n]] - M[n]) - a / K * sum_k (x[n,k] - M[n])  (3)

    dx[n,k] = dy[n] * (exp(x[n,k] - M[n]) / Z[n] - t[n,k])                        (4)

a is `smoothing`, K the number of classes.  With the maximum M taken off no exp
overflows and Z >= 1.  In (4) the derivative of M drops out: the sum of t is 1.

Source: (1) is label-smoothing regularisation with a uniform distribution, Szegedy
et al. 2015, Rethinking the Inception Architecture, arXiv:1512.00567, section 7.
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


def _check_forward(x, labels, *, smoothing=0.0):
    op = "softmax_xent.forward"
    _checks.floats(op, x=x)
    return (x, labels), _check_rest(op, x, labels, smoothing)


def _check_backward(dy, x, labels, *, smoothing=0.0):
    op = "softmax_xent.backward"
    _checks.floats(op, dy=dy, x=x)
    options = _check_rest(op, x, labels, smoothing)
    _checks.shape(op, "dy", dy, x.shape[:1], "(N,)")
    return (dy, x, labels), options


def _check_rest(op, x, labels, smoothing):
    _checks.shape(op, "x", x, (None, None), "(N, K)")
    if x.shape[1] == 0:
        raise ShapeError(f"{op}: x has shape {x.shape}, wanted (N, K) with at least one class")
    smoothing = _checks.number(op, "smoothing", smoothing, 0, 1)
    _checks.labels(op, labels, *x.shape)
    return {"smoothing": smoothing}


@dispatched("softmax_xent.forward", check=_check_forward)
def forward(x: NDArray, labels: NDArray, *, smoothing: float = 0.0) -> NDArray:
    """Equation (3).

    Shapes   x (N, K) logits, labels (N,) -> loss (N,); average it as you need.
    Units    the loss is in nats; `smoothing` is a share, 0 to 1.
    Dtypes   x float32 or float64, the loss has the same; labels any integer type.
    Raises   ShapeError where the batch differs or there is no class; DtypeError;
             SpecError for a smoothing outside [0, 1]; DataError for a label outside 0..K-1.
    Error    refmnas.bounds.softmax_xent_forward: the roundings of (2) and (3), and
             exp and log good to the units stated there.

    >>> round(float(forward(np.zeros((1, 4)), np.array([2]))[0]), 6)
    1.386294
    """
    centred, total = _centred(x)
    own = centred[np.arange(len(x)), labels]
    spread = centred.sum(axis=1) * (smoothing / x.shape[1])
    return np.log(total) - (1 - smoothing) * own - spread


@dispatched("softmax_xent.backward", check=_check_backward, result=Grads)
def backward(dy: NDArray, x: NDArray, labels: NDArray, *, smoothing: float = 0.0) -> Grads:
    """Equation (4): Grads(x) from dy, the gradient of each sample's loss.

    Shapes   dy (N,), x (N, K), labels (N,) -> Grads of x.
    Units    the gradient carries the unit of dy per unit of x.
    Dtypes   dy and x float32 or float64, both alike; the gradient has the same.
    Raises   as `forward`; ShapeError where dy is not (N,).
    Error    refmnas.bounds.softmax_xent_backward, in any backend.

    >>> backward(np.ones(1), np.zeros((1, 2)), np.array([0])).x
    array([[-0.5,  0.5]])
    """
    centred, total = _centred(x)
    target = np.full(x.shape, smoothing / x.shape[1], x.dtype)
    target[np.arange(len(x)), labels] += 1 - smoothing
    return Grads(dy[:, None] * (np.exp(centred) / total[:, None] - target))


def _centred(x):
    """x - M, and Z of equation (2)."""
    centred = x - x.max(axis=1, keepdims=True)
    return centred, np.exp(centred).sum(axis=1)
