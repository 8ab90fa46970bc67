"""Dropout with a given mask, scaled in training so that evaluation is the identity.

    y[...]  = x[...] * m[...] / (1 - rate)   (1)

    dx[...] = dy[...] * m[...] / (1 - rate)  (2)

m holds 1 where a value is kept and 0 where it is dropped; whoever trains draws it.

Source: Srivastava et al. 2014, Dropout, with the factor 1 / (1 - rate) moved from
evaluation to training ("inverted" dropout), as every framework of today does.
"""

from typing import NamedTuple

from numpy.typing import NDArray

from ..backend import dispatched
from . import _checks


class Grads(NamedTuple):
    """The gradient of the input."""

    x: NDArray


def _check_forward(x, mask, *, rate):
    op = "dropout.forward"
    _checks.floats(op, x=x, mask=mask)
    return (x, mask), _check_rest(op, x, mask, rate)


def _check_backward(dy, x, mask, *, rate):
    op = "dropout.backward"
    _checks.floats(op, dy=dy, x=x, mask=mask)
    _checks.shape(op, "dy", dy, x.shape, "the shape of x")
    return (dy, x, mask), _check_rest(op, x, mask, rate)


def _check_rest(op, x, mask, rate):
    _checks.batched(op, x)
    _checks.shape(op, "mask", mask, x.shape, "the shape of x")
    rate = _checks.number(op, "rate", rate, 0, 1, open_most=True)
    _checks.mask(op, mask)
    return {"rate": rate}


@dispatched("dropout.forward", check=_check_forward)
def forward(x: NDArray, mask: NDArray, *, rate: float) -> NDArray:
    """Equation (1).

    Shapes   x (N, ...), mask of x's shape -> y of the same.
    Units    y carries the unit of x; `rate` is the share of values dropped, 0 <= rate < 1.
    Dtypes   float32 or float64, both alike; y has the same.
    Raises   ShapeError where shapes differ; DtypeError for mixed dtypes; SpecError
             for a rate outside [0, 1); DataError for a mask of other values than 0 and 1.
    Error    |y^ - y| <= gamma(3) * |x| m / (1 - rate): 1 - rate, its reciprocal or the
             quotient, and the product.  Exact where 1 / (1 - rate) is a power of two.

    >>> forward(np.array([1.0, 2.0]), np.array([1.0, 0.0]), rate=0.5)
    array([2., 0.])
    """
    return x * mask / (1 - rate)


@dispatched("dropout.backward", check=_check_backward, result=Grads)
def backward(dy: NDArray, x: NDArray, mask: NDArray, *, rate: float) -> Grads:
    """Equation (2): Grads(x) from dy; only the shape of x matters.

    Shapes   dy, x and mask of one shape -> Grads of x.
    Units    the gradient carries the unit of dy.
    Dtypes   float32 or float64, all alike; the gradient has the same.
    Raises   as `forward`; ShapeError where dy is not of x's shape.
    Error    gamma(3) * |dy| m / (1 - rate), in any backend.

    >>> backward(np.ones(2), np.zeros(2), np.array([1.0, 0.0]), rate=0.75).x
    array([4., 0.])
    """
    return Grads(dy * mask / (1 - rate))
