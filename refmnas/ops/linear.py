"""The dense layer.

    y[n,d]  = b[d] + sum_c x[n,c] * w[c,d]  (1)

    dx[n,c] = sum_d dy[n,d] * w[c,d]        (2)
    dw[c,d] = sum_n dy[n,d] * x[n,c]        (3)
    db[d]   = sum_n dy[n,d]                 (4)

Source: Rumelhart, Hinton and Williams 1986, Learning representations by
back-propagating errors, without its nonlinearity.
"""

from typing import NamedTuple

from numpy.typing import NDArray

from ..backend import dispatched
from . import _checks


class Grads(NamedTuple):
    """Gradients of the three factors of (1)."""

    x: NDArray
    w: NDArray
    b: NDArray


def _check_forward(x, w, b=None):
    op = "linear.forward"
    _checks.floats(op, x=x, w=w, b=b)
    _check_shapes(op, x, w)
    if b is not None:
        _checks.shape(op, "b", b, (w.shape[1],), "(D,)")
    return (x, w, b), {}


def _check_backward(dy, x, w):
    op = "linear.backward"
    _checks.floats(op, dy=dy, x=x, w=w)
    _check_shapes(op, x, w)
    _checks.shape(op, "dy", dy, (x.shape[0], w.shape[1]), "(N, D)")
    return (dy, x, w), {}


def _check_shapes(op, x, w):
    _checks.shape(op, "x", x, (None, None), "(N, C)")
    _checks.shape(op, "w", w, (x.shape[1], None), "(C, D)")


@dispatched("linear.forward", check=_check_forward)
def forward(x: NDArray, w: NDArray, b: NDArray | None = None) -> NDArray:
    """Equation (1).

    Shapes   x (N, C), w (C, D), b (D,) or None -> y (N, D).
    Units    none: y carries the unit of x times the unit of w.
    Dtypes   float32 or float64, all alike; y has the same.
    Raises   ShapeError where channels differ; DtypeError for mixed dtypes.
    Error    |y^ - y| <= gamma(C + 1) * (|b| + sum |x| |w|), in any backend.

    >>> forward(np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]]), np.array([0.5]))
    array([[11.5]])
    """
    y = x @ w
    return y if b is None else y + b


@dispatched("linear.backward", check=_check_backward, result=Grads)
def backward(dy: NDArray, x: NDArray, w: NDArray) -> Grads:
    """Equations (2), (3), (4): Grads(x, w, b) from dy.

    Shapes   dy (N, D), x (N, C), w (C, D) -> Grads of x, w, (D,).
    Units    each gradient carries the unit of dy times that of the other factor.
    Dtypes   float32 or float64, all alike; the gradients have the same.
    Raises   as `forward`; ShapeError where dy is not of y's shape.
    Error    dx: gamma(D) * sum |dy| |w|; dw: gamma(N) * sum |dy| |x|;
             db: gamma(N) * sum |dy|, in any backend.

    >>> backward(np.array([[2.0]]), np.array([[1.0, 5.0]]), np.array([[3.0], [4.0]])).w
    array([[ 2.],
           [10.]])
    """
    return Grads(dy @ w.T, x.T @ dy, dy.sum(axis=0))
