"""Average pooling: the mean of every window of pixels, channel by channel.

    y[n,p,q,c]  = sum_{i,j} x[n, p*S + i - T, q*S + j - U, c] / m[p,q]            (1)

    dx[n,r,s,c] = sum over (p,i), (q,j) with p*S + i - T = r and q*S + j - U = s
                  of dy[n,p,q,c] / m[p,q]                                         (2)
    m[p,q]      = the taps of the window that lie in the image, or in the padded image  (3)

with x = 0 outside the image, S the stride, T and U the zero rows above and the zero
columns to the left.  What public implementations disagree on is m: TensorFlow counts
the pixels of the image, PyTorch by default those of the padded image (`count_pad`).
With `ceil` a last window may reach past the padded image; what it has there is never
counted.

Source: LeCun et al. 1998, Gradient-Based Learning Applied to Document Recognition,
sub-sampling layers, without their trainable coefficient and bias; (3) as measured
with PyTorch's avg_pool2d.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..backend import dispatched
from ..layout import IMAGE
from . import _checks, _windows


class Grads(NamedTuple):
    """The gradient of the image."""

    x: NDArray


def _check_forward(x, *, kernel, stride=1, pad=(0, 0, 0, 0), count_pad=False, ceil=False):
    op = "average_pool.forward"
    _checks.floats(op, x=x)
    options, _ = _checked(op, x, kernel, stride, pad, count_pad, ceil)
    return (x,), options


def _check_backward(dy, x, *, kernel, stride=1, pad=(0, 0, 0, 0), count_pad=False, ceil=False):
    op = "average_pool.backward"
    _checks.floats(op, dy=dy, x=x)
    options, shape = _checked(op, x, kernel, stride, pad, count_pad, ceil)
    _checks.shape(op, "dy", dy, shape, "(N, P, Q, C)")
    return (dy, x), options


def _checked(op, x, kernel, stride, pad, count_pad, ceil):
    options, shape = _checks.pool(op, x, kernel, stride, pad, ceil)
    return options | {"count_pad": _checks.flag(op, "count_pad", count_pad)}, shape


@dispatched("average_pool.forward", check=_check_forward, turns=(IMAGE,), gives=IMAGE)
def forward(
    x: NDArray,
    *,
    kernel: tuple[int, int],
    stride: int = 1,
    pad: tuple[int, int, int, int] = (0, 0, 0, 0),
    count_pad: bool = False,
    ceil: bool = False,
) -> NDArray:
    """Equation (1).

    Shapes   x (N, H, W, C) -> y (N, P, Q, C), P = (H + T + bottom - Kh) // S + 1,
             rounded up with `ceil`, less 1 where the last window would start below the
             image; Q likewise from W, Kw, U, right.
    Units    y carries the unit of x.  `kernel` = (Kh, Kw), `stride` and `pad` = (top,
             bottom, left, right) count pixels.
    Dtypes   float32 or float64; y has the same.
    Raises   ShapeError where x is no image, or a window holds no pixel of it; DtypeError;
             SpecError for a kernel or stride below 1, a negative pad, or flags that are none.
    Error    |y^ - y| <= gamma(Kh*Kw + 1) * sum |x| / m, in any backend.

    >>> x = np.arange(9.0).reshape(1, 3, 3, 1)
    >>> forward(x, kernel=(3, 3), stride=2, pad=(1, 1, 1, 1))[0, :, :, 0]
    array([[2., 3.],
           [5., 6.]])
    >>> forward(x, kernel=(3, 3), stride=2, pad=(1, 1, 1, 1), count_pad=True)[0, 1, 1] * 9
    array([24.])
    """
    windows = _windows.of(x, kernel, stride, pad, ceil)
    return windows.sum(axis=(4, 5)) / _taps(x, windows.shape[1:3], kernel, stride, pad, count_pad)


@dispatched("average_pool.backward", check=_check_backward, turns=(IMAGE, IMAGE), gives=(IMAGE,), result=Grads)
def backward(
    dy: NDArray,
    x: NDArray,
    *,
    kernel: tuple[int, int],
    stride: int = 1,
    pad: tuple[int, int, int, int] = (0, 0, 0, 0),
    count_pad: bool = False,
    ceil: bool = False,
) -> Grads:
    """Equation (2): Grads(x) from dy; only the shape of x matters.

    Shapes   dy (N, P, Q, C), x (N, H, W, C) -> Grads of x.
    Units    the gradient carries the unit of dy.
    Dtypes   float32 or float64, both alike; the gradient has the same.
    Raises   as `forward`; ShapeError where dy is not of y's shape.
    Error    gamma(Kh*Kw + 1) * sum |dy| / m, in any backend.

    >>> backward(np.ones((1, 1, 2, 1)), np.zeros((1, 2, 3, 1)), kernel=(2, 2)).x[0, :, :, 0]
    array([[0.25, 0.5 , 0.25],
           [0.25, 0.5 , 0.25]])
    """
    share = dy / _taps(x, dy.shape[1:3], kernel, stride, pad, count_pad)
    parts = (((i, j), share) for i, j in np.ndindex(*kernel))
    return Grads(_windows.scattered(parts, dy, x, kernel, stride, pad))


def _taps(x, extents, kernel, stride, pad, count_pad):
    """Equation (3): (P, Q, 1), rows times columns."""
    rows, columns = (
        _of_axis(size, count, K, stride, before, after, count_pad)
        for size, count, K, (before, after) in zip(x.shape[1:3], extents, kernel, (pad[:2], pad[2:]), strict=True)
    )
    return (rows[:, None] * columns)[..., None].astype(x.dtype)


def _of_axis(size, count, K, stride, before, after, count_pad):
    """How many taps of each of `count` windows are counted along one axis."""
    first = np.arange(count) * stride - before
    least, most = (-before, size + after) if count_pad else (0, size)
    return np.minimum(first + K, most) - np.maximum(first, least)
