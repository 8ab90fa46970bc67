"""Pointwise (1 x 1) convolution: every pixel's channels through one matrix.

    y[n,h,v,d]  = b[d] + sum_c x[n,h,v,c] * w[c,d]      (1)

    dx[n,h,v,c] = sum_d dy[n,h,v,d] * w[c,d]            (2)
    dw[c,d]     = sum_{n,h,v} dy[n,h,v,d] * x[n,h,v,c]  (3)
    db[d]       = sum_{n,h,v} dy[n,h,v,d]               (4)

With the pixels (n,h,v) as rows, (1) is the matrix product X W, (2) dY W', (3) X' dY.

Source: the 1 x 1 convolution of a depthwise separable one, Howard et al. 2017,
MobileNets, arXiv:1704.04861, section 3.1; (2)-(4) are the matrix calculus of (1).
"""

from typing import NamedTuple

from numpy.typing import NDArray

from ..backend import dispatched, writable
from ..layout import IMAGE, PLAIN, POINTWISE
from . import _checks


class Grads(NamedTuple):
    """Gradients of the three factors of (1)."""

    x: NDArray
    w: NDArray
    b: NDArray


def _check_forward(x, w, b=None, *, out=None):
    op = "pointwise.forward"
    dtype = _checks.floats(op, x=x, w=w, b=b)
    _check_shapes(op, x, w)
    if b is not None:
        _checks.shape(op, "b", b, (w.shape[1],), "(D,)")
    options = {} if out is None else {"out": writable(op, out, (*x.shape[:3], w.shape[1]), dtype, x, w, b)}
    return (x, w, b), options


def _check_backward(dy, x, w):
    op = "pointwise.backward"
    _checks.floats(op, dy=dy, x=x, w=w)
    _check_shapes(op, x, w)
    _checks.shape(op, "dy", dy, (*x.shape[:3], w.shape[1]), "(N, H, W, D)")
    return (dy, x, w), {}


def _check_shapes(op, x, w):
    _checks.shape(op, "x", x, (None, None, None, None), "(N, H, W, C)")
    _checks.shape(op, "w", w, (x.shape[3], None), "(C, D)")


@dispatched("pointwise.forward", check=_check_forward, turns=(IMAGE, POINTWISE, PLAIN), gives=IMAGE)
def forward(x: NDArray, w: NDArray, b: NDArray | None = None, *, out: NDArray | None = None) -> NDArray:
    """Equation (1).

    Shapes   x (N, H, W, C), w (C, D), b (D,) or None -> y (N, H, W, D);
             `out`, where given, is y's memory.
    Units    none: y carries the unit of x times the unit of w.
    Dtypes   float32 or float64, all alike; y has the same.
    Raises   ShapeError where channels differ or `out` does not fit; DtypeError
             for mixed dtypes.
    Error    |y^ - y| <= gamma(C + 1) * (|b| + sum |x| |w|), in any backend.

    >>> forward(np.ones((1, 1, 2, 3)), np.arange(6.0).reshape(3, 2))[0, 0]
    array([[6., 9.],
           [6., 9.]])
    """
    y = (_rows(x) @ w).reshape(*x.shape[:3], w.shape[1])
    return y if b is None else y + b


@dispatched(
    "pointwise.backward",
    check=_check_backward,
    turns=(IMAGE, IMAGE, POINTWISE),
    gives=(IMAGE, POINTWISE, PLAIN),
    result=Grads,
)
def backward(dy: NDArray, x: NDArray, w: NDArray) -> Grads:
    """Equations (2), (3), (4): Grads(x, w, b) from dy.

    Shapes   dy (N, H, W, D), x (N, H, W, C), w (C, D) -> Grads of x, w, (D,).
    Units    each gradient carries the unit of dy times that of the other factor.
    Dtypes   float32 or float64, all alike; the gradients have the same.
    Raises   as `forward`; ShapeError where dy is not of y's shape.
    Error    dx: gamma(D) * sum |dy| |w|; dw: gamma(N*H*W) * sum |dy| |x|;
             db: gamma(N*H*W) * sum |dy|, in any backend.

    >>> backward(np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 3)), np.ones((3, 2))).b
    array([2., 2.])
    """
    dx = (_rows(dy) @ w.T).reshape(x.shape)
    return Grads(dx, _rows(x).T @ _rows(dy), _rows(dy).sum(axis=0))


def _rows(a):
    """The pixels as rows of a matrix: (N*H*W, C)."""
    return a.reshape(a.shape[0] * a.shape[1] * a.shape[2], a.shape[3])
