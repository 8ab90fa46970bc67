"""TensorFlow 1's bilinear resize, which the original MnasNet was trained and evaluated with.

    f(p) = p * H / P,  i = floor(f(p)),  i' = min(i + 1, H - 1),  a = f(p) - i
    g(q) = q * W / Q,  j, j', b likewise                                              (1)
    y[p,q,c] = t + (u - t) * a  with  t = x[i,j,c]  + (x[i,j',c]  - x[i,j,c])  * b
                                      u = x[i',j,c] + (x[i',j',c] - x[i',j,c]) * b    (2)

Neither half-pixel centres nor antialiasing: output pixel 0 is input pixel 0, the
picture shifts up and to the left, and a reduction skips pixels.  Every other
library's "bilinear" differs, by whole percents of accuracy.

Source: tensorflow/core/kernels/image/resize_bilinear_op.cc with align_corners
and half_pixel_centers false, the default of tf.image.resize_bilinear.
"""

from __future__ import annotations

import numpy as np

from ..errors import DtypeError, ShapeError


def bilinear_tf1(x, size):
    """Equation (2), in float32 and in its order.

    Shapes   x (H, W, C), size (P, Q) -> y (P, Q, C).
    Units    y carries the unit of x.
    Dtypes   uint8 or float32; y float32.
    Raises   ShapeError for another rank or an empty image or size; DtypeError.
    Error    that of float32: 6 roundings per output.
    """
    if x.dtype not in (np.uint8, np.float32):
        raise DtypeError(f"bilinear_tf1: x is {x.dtype}, wanted uint8 or float32")
    if x.ndim != 3 or 0 in x.shape[:2] or min(size) < 1:
        raise ShapeError(f"bilinear_tf1: x has shape {x.shape}, size is {size}; wanted (H, W, C) and (P, Q), not empty")
    above, below, a = _places(x.shape[0], size[0])
    before, after, b = _places(x.shape[1], size[1])
    a, b = a[:, None, None], b[:, None]
    top, bottom = (_mix(x[rows][:, before], x[rows][:, after], b) for rows in (above, below))
    return _mix(top, bottom, a)


def _places(extent, size):
    """Equation (1): lower index, upper index and weight of the upper one, per output."""
    at = np.arange(size, dtype=np.float32) * (np.float32(extent) / np.float32(size))
    lower = np.floor(at).astype(np.int64)
    # A product rounded up could reach the extent.
    return np.minimum(lower, extent - 1), np.minimum(lower + 1, extent - 1), at - lower.astype(np.float32)


def _mix(first, second, weight):
    first = first.astype(np.float32, copy=False)
    return first + (second.astype(np.float32, copy=False) - first) * weight
