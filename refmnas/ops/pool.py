"""Global average pooling: the mean of every channel's pixels.

    y[n,c]      = sum_{h,v} x[n,h,v,c] / (H * W)  (1)

    dx[n,h,v,c] = dy[n,c] / (H * W)               (2)

Source: Lin, Chen and Yan 2013, Network in Network, arXiv:1312.4400, section 3.2.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..backend import dispatched
from ..errors import ShapeError
from ..layout import IMAGE, PLAIN
from . import _checks


class Grads(NamedTuple):
    """The gradient of the image."""

    x: NDArray


def _check_forward(x):
    op = "pool.forward"
    _checks.floats(op, x=x)
    _check_image(op, x)
    return (x,), {}


def _check_backward(dy, x):
    op = "pool.backward"
    _checks.floats(op, dy=dy, x=x)
    _check_image(op, x)
    _checks.shape(op, "dy", dy, (x.shape[0], x.shape[3]), "(N, C)")
    return (dy, x), {}


def _check_image(op, x):
    _checks.shape(op, "x", x, (None, None, None, None), "(N, H, W, C)")
    if x.shape[1] * x.shape[2] == 0:
        raise ShapeError(f"{op}: x has shape {x.shape}, wanted (N, H, W, C) with at least one pixel to average")


@dispatched("pool.forward", check=_check_forward, turns=(IMAGE,), gives=PLAIN)
def forward(x: NDArray) -> NDArray:
    """Equation (1).

    Shapes   x (N, H, W, C) -> y (N, C).
    Units    y carries the unit of x.
    Dtypes   float32 or float64; y has the same.
    Raises   ShapeError where x is no image, or has no pixel; DtypeError.
    Error    |y^ - y| <= gamma(H*W + 1) * sum |x| / (H*W), in any backend: H*W - 1
             additions, 1 / (H*W) rounded, and one product.  The order of the sum
             is not fixed here (NumPy adds in pairs along some axes), so bits may
             differ between backends.

    >>> forward(np.arange(8.0).reshape(1, 2, 2, 2))
    array([[3., 4.]])
    """
    return x.mean(axis=(1, 2))


@dispatched("pool.backward", check=_check_backward, turns=(PLAIN, IMAGE), gives=(IMAGE,), result=Grads)
def backward(dy: NDArray, x: NDArray) -> Grads:
    """Equation (2): Grads(x) from dy; only the shape of x matters.

    Shapes   dy (N, C), x (N, H, W, C) -> Grads of x.
    Units    the gradient carries the unit of dy.
    Dtypes   float32 or float64, both alike; the gradient has the same.
    Raises   as `forward`; ShapeError where dy is not of y's shape.
    Error    gamma(2) * |dy| / (H*W), in any backend.

    >>> backward(np.array([[4.0]]), np.zeros((1, 2, 2, 1))).x[0, :, :, 0]
    array([[1., 1.],
           [1., 1.]])
    """
    share = dy / (x.shape[1] * x.shape[2])
    return Grads(np.broadcast_to(share[:, None, None, :], x.shape).copy())
