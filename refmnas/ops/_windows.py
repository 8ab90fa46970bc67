"""The windows of a pool over a padded image, and their gradients put back."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..geometry import pooled


def of(x, kernel, stride, pad, ceil, fill=0):
    """Every window of the image, `fill` outside of it, a view: (N, P, Q, C, Kh, Kw)."""
    (top, bottom, left, right), (_, H, W, _), (Kh, Kw) = pad, x.shape, kernel
    P, Q = pooled(H, Kh, stride, top, bottom, ceil), pooled(W, Kw, stride, left, right, ceil)
    rows, columns = _reach(H, P, Kh, stride, top), _reach(W, Q, Kw, stride, left)
    sides = (0, 0), (top, rows - top - H), (left, columns - left - W), (0, 0)
    windows = sliding_window_view(np.pad(x, sides, constant_values=fill), kernel, axis=(1, 2))
    return windows[:, : (P - 1) * stride + 1 : stride, : (Q - 1) * stride + 1 : stride]


def scattered(parts, dy, x, kernel, stride, pad):
    """Each part ((i, j), share of dy) sent from tap (i, j) of its windows to the image's pixels, and summed."""
    (top, _, left, _), (N, H, W, C), (P, Q) = pad, x.shape, dy.shape[1:3]
    rows, columns = _reach(H, P, kernel[0], stride, top), _reach(W, Q, kernel[1], stride, left)
    dx = np.zeros((N, rows, columns, C), dy.dtype)
    for (i, j), share in parts:
        dx[:, i : i + stride * P : stride, j : j + stride * Q : stride] += share
    return dx[:, top : top + H, left : left + W]


def _reach(size, count, K, stride, before):
    """The padded extent that holds the image and its last window."""
    return max(before + size, (count - 1) * stride + K)
