"""Drop-path: a whole residual branch dropped, sample by sample, with a given mask.

    y[n,...]  = x[n,...] * m[n] / (1 - rate)   (1)

    dx[n,...] = dy[n,...] * m[n] / (1 - rate)  (2)

m[n] is 1 where sample n keeps the branch and 0 where it drops it.

Source: Huang et al. 2016, Deep Networks with Stochastic Depth, arXiv:1603.09382,
per sample and scaled in training, as "drop connect" of EfficientNet's code does.
"""

from typing import NamedTuple

from numpy.typing import NDArray

from ..backend import dispatched
from . import _checks


class Grads(NamedTuple):
    """The gradient of the input."""

    x: NDArray


def _check_forward(x, mask, *, rate):
    op = "drop_path.forward"
    _checks.floats(op, x=x, mask=mask)
    return (x, mask), _check_rest(op, x, mask, rate)


def _check_backward(dy, x, mask, *, rate):
    op = "drop_path.backward"
    _checks.floats(op, dy=dy, x=x, mask=mask)
    _checks.shape(op, "dy", dy, x.shape, "the shape of x")
    return (dy, x, mask), _check_rest(op, x, mask, rate)


def _check_rest(op, x, mask, rate):
    _checks.batched(op, x)
    _checks.shape(op, "mask", mask, x.shape[:1], "(N,)")
    rate = _checks.number(op, "rate", rate, 0, 1, open_most=True)
    _checks.mask(op, mask)
    return {"rate": rate}


@dispatched("drop_path.forward", check=_check_forward)
def forward(x: NDArray, mask: NDArray, *, rate: float) -> NDArray:
    """Equation (1).

    Shapes   x (N, ...), mask (N,) -> y of x's shape.
    Units    y carries the unit of x; `rate` is the share of samples dropped, 0 <= rate < 1.
    Dtypes   float32 or float64, both alike; y has the same.
    Raises   ShapeError where the batch differs; DtypeError for mixed dtypes; SpecError
             for a rate outside [0, 1); DataError for a mask of other values than 0 and 1.
    Error    |y^ - y| <= gamma(3) * |x| m / (1 - rate): 1 - rate, its reciprocal or the
             quotient, and the product.  Exact where 1 / (1 - rate) is a power of two.

    >>> forward(np.ones((2, 3)), np.array([1.0, 0.0]), rate=0.5)
    array([[2., 2., 2.],
           [0., 0., 0.]])
    """
    return x * _per_sample(mask, x) / (1 - rate)


@dispatched("drop_path.backward", check=_check_backward, result=Grads)
def backward(dy: NDArray, x: NDArray, mask: NDArray, *, rate: float) -> Grads:
    """Equation (2): Grads(x) from dy; only the shape of x matters.

    Shapes   dy and x (N, ...), mask (N,) -> Grads of x.
    Units    the gradient carries the unit of dy.
    Dtypes   float32 or float64, all alike; the gradient has the same.
    Raises   as `forward`; ShapeError where dy is not of x's shape.
    Error    gamma(3) * |dy| m / (1 - rate), in any backend.

    >>> backward(np.ones((2, 1)), np.zeros((2, 1)), np.array([0.0, 1.0]), rate=0.0).x
    array([[0.],
           [1.]])
    """
    return Grads(dy * _per_sample(mask, dy) / (1 - rate))


def _per_sample(mask, x):
    """The mask with an axis of length 1 for every further axis of x."""
    return mask.reshape(-1, *(1,) * (x.ndim - 1))
