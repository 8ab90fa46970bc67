"""Max pooling: the largest value of every window of pixels, channel by channel.

    y[n,p,q,c]  = max_{i,j} x[n, p*S + i - T, q*S + j - U, c], (i,j) inside the image  (1)

    dx[n,r,s,c] = sum of dy[n,p,q,c] over the windows whose first maximum is (r,s)     (2)

with S the stride, T and U the rows of padding above and its columns to the left.
Padding is not zero here, it is absent: it never wins, also where all pixels are
negative.  Of equal maxima the first in the order of rows, then columns, has all of the
gradient; a NaN is larger than everything, and the first of several has the gradient.

Source: (2) as PyTorch's max_pool2d does it, measured.  (TensorFlow documents no order.)
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


def _check_forward(x, *, kernel, stride=1, pad=(0, 0, 0, 0), ceil=False):
    op = "max_pool.forward"
    _checks.floats(op, x=x)
    return (x,), _checks.pool(op, x, kernel, stride, pad, ceil)[0]


def _check_backward(dy, x, *, kernel, stride=1, pad=(0, 0, 0, 0), ceil=False):
    op = "max_pool.backward"
    _checks.floats(op, dy=dy, x=x)
    options, shape = _checks.pool(op, x, kernel, stride, pad, ceil)
    _checks.shape(op, "dy", dy, shape, "(N, P, Q, C)")
    return (dy, x), options


@dispatched("max_pool.forward", check=_check_forward, turns=(IMAGE,), gives=IMAGE)
def forward(
    x: NDArray,
    *,
    kernel: tuple[int, int],
    stride: int = 1,
    pad: tuple[int, int, int, int] = (0, 0, 0, 0),
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
             SpecError for a kernel or stride below 1, a negative pad, or a ceil that is no flag.
    Error    none: every y is one of x's values, in any backend.

    >>> forward(-np.arange(9.0).reshape(1, 3, 3, 1), kernel=(2, 2), stride=2, pad=(1, 0, 1, 0))[0, :, :, 0]
    array([[-0., -1.],
           [-3., -4.]])
    """
    windows = _taps(x, kernel, stride, pad, ceil, -np.inf)
    return np.take_along_axis(windows, _first(x, windows, kernel, stride, pad, ceil)[..., None], axis=4)[..., 0]


@dispatched("max_pool.backward", check=_check_backward, turns=(IMAGE, IMAGE), gives=(IMAGE,), result=Grads)
def backward(
    dy: NDArray,
    x: NDArray,
    *,
    kernel: tuple[int, int],
    stride: int = 1,
    pad: tuple[int, int, int, int] = (0, 0, 0, 0),
    ceil: bool = False,
) -> Grads:
    """Equation (2): Grads(x) from dy.

    Shapes   dy (N, P, Q, C), x (N, H, W, C) -> Grads of x.
    Units    the gradient carries the unit of dy.
    Dtypes   float32 or float64, both alike; the gradient has the same.
    Raises   as `forward`; ShapeError where dy is not of y's shape.
    Error    gamma(Kh*Kw - 1) * sum |dy|, in any backend: only windows that overlap add.

    >>> x = np.array([[1.0, 3.0, 3.0]]).reshape(1, 1, 3, 1)
    >>> backward(np.ones((1, 1, 2, 1)), x, kernel=(1, 2)).x.ravel()
    array([0., 2., 0.])
    """
    windows = _taps(x, kernel, stride, pad, ceil, -np.inf)
    first = _first(x, windows, kernel, stride, pad, ceil)
    taps = enumerate(np.ndindex(*kernel))
    parts = ((tap, np.where(first == number, dy, np.zeros((), dy.dtype))) for number, tap in taps)
    return Grads(_windows.scattered(parts, dy, x, kernel, stride, pad))


def _first(x, windows, kernel, stride, pad, ceil):
    """The number of the tap with each window's first maximum, (N, P, Q, C)."""
    inside = _taps(np.ones((1, *x.shape[1:3], 1), bool), kernel, stride, pad, ceil, False)
    largest = windows.max(axis=4, keepdims=True)
    wins = (windows == largest) | np.isnan(windows)
    return np.argmax(wins & inside, axis=4)


def _taps(x, kernel, stride, pad, ceil, fill):
    """Every window's values in the order of its taps, rows then columns: (N, P, Q, C, Kh*Kw)."""
    windows = _windows.of(x, kernel, stride, pad, ceil, fill)
    return windows.reshape(*windows.shape[:4], kernel[0] * kernel[1])
