"""Resizing an image to other extents: nearest and bilinear.

    y[n,p,q,c]  = sum_{r,s} A[p,r] * B[q,s] * x[n,r,s,c]                             (1)

    dx[n,r,s,c] = sum_{p,q} A[p,r] * B[q,s] * dy[n,p,q,c]                            (2)
    A[p,r]      = 1 - |u[p] - r| where positive (bilinear), or 1 at r = round(u[p])  (3)
    u[p]        = (p + 1/2) * H / P - 1/2  half_pixel
                  p * (H - 1) / (P - 1)    align_corners, 0 where P = 1
                  p * H / P                asymmetric; each moved into 0 .. H - 1    (4)

B and its places likewise from W, Q.  A row of A has one weight that is not 0, or two
that add up to 1: nothing is averaged when an image shrinks (no antialias).

Who means what:

    half_pixel     bilinear of PyTorch, TensorFlow 2, OpenCV
    align_corners  PyTorch's and TensorFlow 1's option of that name
    asymmetric     TensorFlow 1 without options; PyTorch's `nearest` (rounding floor)
    rounding       floor, ceil, round_prefer_floor and round_prefer_ceil as ONNX Resize names
                   them; PyTorch's `nearest-exact` and TensorFlow 2's nearest are half_pixel
                   with round_prefer_ceil, TensorFlow 1's align_corners nearest prefers ceil

Places are fractions of whole numbers here and round nothing; where u[p] lies on a
boundary, an implementation that computes it in floating point may take the other pixel.

Source: ONNX operator Resize, its coordinate_transformation_mode and nearest_mode.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..backend import dispatched
from ..errors import ShapeError
from ..layout import IMAGE
from . import _checks

MODES = ("bilinear", "nearest")
PLACES = ("half_pixel", "align_corners", "asymmetric")
ROUNDINGS = ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil")


class Grads(NamedTuple):
    """The gradient of the image."""

    x: NDArray


def _check_forward(x, *, size, mode="bilinear", places="half_pixel", rounding="floor"):
    op = "resize.forward"
    _checks.floats(op, x=x)
    return (x,), _checked(op, x, size, mode, places, rounding)


def _check_backward(dy, x, *, size, mode="bilinear", places="half_pixel", rounding="floor"):
    op = "resize.backward"
    _checks.floats(op, dy=dy, x=x)
    options = _checked(op, x, size, mode, places, rounding)
    _checks.shape(op, "dy", dy, (len(x), *options["size"], x.shape[3]), "(N, P, Q, C)")
    return (dy, x), options


def _checked(op, x, size, mode, places, rounding):
    _checks.shape(op, "x", x, (None, None, None, None), "(N, H, W, C)")
    if x.shape[1] * x.shape[2] == 0:
        raise ShapeError(f"{op}: x has shape {x.shape}, wanted (N, H, W, C) with at least one pixel")
    return {
        "size": _checks.pair(op, "size", size, "(P, Q)"),
        "mode": _checks.choice(op, "mode", mode, MODES),
        "places": _checks.choice(op, "places", places, PLACES),
        "rounding": _checks.choice(op, "rounding", rounding, ROUNDINGS),
    }


@dispatched("resize.forward", check=_check_forward, turns=(IMAGE,), gives=IMAGE)
def forward(
    x: NDArray, *, size: tuple[int, int], mode: str = "bilinear", places: str = "half_pixel", rounding: str = "floor"
) -> NDArray:
    """Equation (1).

    Shapes   x (N, H, W, C) -> y (N, P, Q, C), `size` = (P, Q).
    Units    y carries the unit of x.  `mode`: bilinear or nearest; `places`: half_pixel,
             align_corners or asymmetric; `rounding` (nearest alone): floor, ceil,
             round_prefer_floor or round_prefer_ceil.
    Dtypes   float32 or float64; y has the same.
    Raises   ShapeError where x is no image or has no pixel; DtypeError; SpecError for an
             extent below 1 or a name that is none of these.
    Error    bilinear: |y^ - y| <= gamma(8) * sum A B |x|: of either axis a weight, a product
             and a sum, where weights come from exact places.  nearest: none.

    >>> x = np.array([0.0, 8.0]).reshape(1, 1, 2, 1)
    >>> forward(x, size=(1, 4)).ravel(), forward(x, size=(1, 4), places="asymmetric").ravel()
    (array([0., 2., 6., 8.]), array([0., 4., 8., 8.]))
    """
    y = np.zeros((len(x), *size, x.shape[3]), x.dtype)
    (rows, columns) = (_taps(P, H, mode, places, rounding) for P, H in zip(size, x.shape[1:3], strict=True))
    for r, a in rows:
        for s, b in columns:
            y += x[:, r][:, :, s] * _weights(a, b, x.dtype)
    return y


@dispatched("resize.backward", check=_check_backward, turns=(IMAGE, IMAGE), gives=(IMAGE,), result=Grads)
def backward(
    dy: NDArray,
    x: NDArray,
    *,
    size: tuple[int, int],
    mode: str = "bilinear",
    places: str = "half_pixel",
    rounding: str = "floor",
) -> Grads:
    """Equation (2): Grads(x) from dy; only the shape of x matters.

    Shapes   dy (N, P, Q, C), x (N, H, W, C) -> Grads of x.
    Units    the gradient carries the unit of dy.
    Dtypes   float32 or float64, both alike; the gradient has the same.
    Raises   as `forward`; ShapeError where dy is not of y's shape.
    Error    gamma(P*Q + 6) * sum A B |dy|, in any backend: a pixel gathers at most P*Q terms.

    >>> backward(np.ones((1, 1, 4, 1)), np.zeros((1, 1, 3, 1)), size=(1, 4), mode="nearest").x.ravel()
    array([2., 1., 1.])
    """
    dx = np.zeros(x.shape, dy.dtype)
    (rows, columns) = (_taps(P, H, mode, places, rounding) for P, H in zip(size, x.shape[1:3], strict=True))
    for r, a in rows:
        for s, b in columns:
            at = np.s_[:, r[:, None], s]
            np.add.at(dx, at, dy * _weights(a, b, dy.dtype))  # type: ignore[arg-type]  # a slice is taken too
    return Grads(dx)


def _taps(P, H, mode, places, rounding):
    """Equation (3): [(the pixel, its weight) of every p] of both neighbours, or of the nearest alone."""
    above, below = _places(P, H, places)
    low, rest = np.divmod(above, below)
    if mode == "bilinear":
        return [(low, (below - rest) / below), (np.minimum(low + 1, H - 1), rest / below)]
    up = {"floor": 0, "ceil": rest > 0, "round_prefer_floor": 2 * rest > below, "round_prefer_ceil": 2 * rest >= below}
    return [(low + up[rounding], np.ones(P))]


def _places(P, H, places):
    """Equation (4): every u[p] as a fraction (above, below) of whole numbers."""
    p = np.arange(P)
    if places == "half_pixel":
        above, below = (2 * p + 1) * H - P, 2 * P
    elif places == "align_corners":
        above, below = p * (H - 1), max(P - 1, 1)
    else:
        above, below = p * H, P
    return np.clip(above, 0, (H - 1) * below), below


def _weights(a, b, dtype):
    """A[p,r] * B[q,s] of one neighbour of either axis, (P, Q, 1)."""
    return (a[:, None] * b)[..., None].astype(dtype)
