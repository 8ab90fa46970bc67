"""Convolution, dense and grouped: a matrix product over all taps and input channels.

    y[n,p,q,d]  = b[d] + sum_{i,j,c} x[n, p*S + i*L - T, q*S + j*L - U, g*F + c] * w[i,j,c,d]   (1)

    dx[n,r,s,e] = sum over (p,i), (q,j), (c,d) with p*S + i*L - T = r,
                  q*S + j*L - U = s and g*F + c = e  of dy[n,p,q,d] * w[i,j,c,d]               (2)
    dw[i,j,c,d] = sum_{n,p,q} dy[n,p,q,d] * x[n, p*S + i*L - T, q*S + j*L - U, g*F + c]        (3)
    db[d]       = sum_{n,p,q} dy[n,p,q,d]                                                      (4)

with x = 0 outside the image, S the stride, L the dilation, T and U the zero rows
above and the zero columns to the left, G groups of F = C / G input channels, and
g = d // (D / G) the group of output channel d.  With every window laid out as a
row ("columns" below), (1) is one matrix product per group, (2) and (3) are its
two transposes.

Source: (1) is eq. (1) of Howard et al. 2017, MobileNets, arXiv:1704.04861, with
stride, dilation, padding, a bias and groups added and indices counted from 0;
groups as in Krizhevsky et al. 2012.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ..backend import dispatched, writable
from ..errors import ShapeError
from ..layout import CONV, IMAGE, PLAIN
from . import _checks

Pad = tuple[int, int, int, int]


class Grads(NamedTuple):
    """Gradients of the three factors of (1)."""

    x: NDArray
    w: NDArray
    b: NDArray


def _check_forward(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1, groups=1, out=None):
    op = "conv.forward"
    dtype = _checks.floats(op, x=x, w=w, b=b)
    options, P, Q = _check_shapes(op, x, w, stride, pad, dilation, groups)
    if b is not None:
        _checks.shape(op, "b", b, (w.shape[3],), "(D,)")
    if out is not None:
        options["out"] = writable(op, out, (x.shape[0], P, Q, w.shape[3]), dtype, x, w, b)
    return (x, w, b), options


def _check_backward(dy, x, w, *, stride=1, pad=(0, 0, 0, 0), dilation=1, groups=1):
    op = "conv.backward"
    _checks.floats(op, dy=dy, x=x, w=w)
    options, P, Q = _check_shapes(op, x, w, stride, pad, dilation, groups)
    _checks.shape(op, "dy", dy, (x.shape[0], P, Q, w.shape[3]), "(N, P, Q, D)")
    return (dy, x, w), options


def _check_shapes(op, x, w, stride, pad, dilation, groups):
    groups = _checks.whole(op, "groups", groups, 1)
    _checks.shape(op, "x", x, (None, None, None, None), "(N, H, W, C)")
    _checks.shape(op, "w", w, (None, None, None, None), "(Kh, Kw, C / groups, D)")
    if x.shape[3] % groups or w.shape[3] % groups:
        came = f"x has {x.shape[3]} channels and w gives {w.shape[3]}"
        raise ShapeError(f"{op}: {came}, wanted multiples of groups = {groups}")
    _checks.shape(op, "w", w, (None, None, x.shape[3] // groups, None), "(Kh, Kw, C / groups, D)")
    stride, pad, dilation, P, Q = _checks.window(op, x.shape[1:3], w.shape[:2], stride, pad, dilation)
    return {"stride": stride, "pad": pad, "dilation": dilation, "groups": groups}, P, Q


@dispatched("conv.forward", check=_check_forward, turns=(IMAGE, CONV, PLAIN), gives=IMAGE)
def forward(
    x: NDArray,
    w: NDArray,
    b: NDArray | None = None,
    *,
    stride: int = 1,
    pad: Pad = (0, 0, 0, 0),
    dilation: int = 1,
    groups: int = 1,
    out: NDArray | None = None,
) -> NDArray:
    """Equation (1).

    Shapes   x (N, H, W, C), w (Kh, Kw, C / groups, D), b (D,) or None -> y (N, P, Q, D),
             P = (H + T + bottom - (Kh - 1) * L - 1) // S + 1, Q likewise from
             W, U, right; `out`, where given, is y's memory.
    Units    none: y carries the unit of x times the unit of w.  `stride`,
             `dilation` and `pad` = (top, bottom, left, right) count pixels.
    Dtypes   float32 or float64, all alike; y has the same.
    Raises   ShapeError where channels or groups do not fit, the padded image is
             smaller than the kernel or `out` does not fit; DtypeError for mixed
             dtypes; SpecError for a stride, dilation or groups below 1 or a negative pad.
    Error    |y^ - y| <= gamma(Kh*Kw*C/groups + 1) * (|b| + sum |x| |w|), in any backend.

    >>> x = np.arange(9.0).reshape(1, 3, 3, 1)
    >>> forward(x, np.ones((3, 3, 1, 2)))[0, 0, 0]
    array([36., 36.])
    """
    columns, P, Q = _columns(x, w.shape, stride, pad, dilation, groups)
    y = _merge(columns @ _matrices(w, groups)).reshape(len(x), P, Q, w.shape[3])
    return y if b is None else y + b


@dispatched(
    "conv.backward", check=_check_backward, turns=(IMAGE, IMAGE, CONV), gives=(IMAGE, CONV, PLAIN), result=Grads
)
def backward(
    dy: NDArray,
    x: NDArray,
    w: NDArray,
    *,
    stride: int = 1,
    pad: Pad = (0, 0, 0, 0),
    dilation: int = 1,
    groups: int = 1,
) -> Grads:
    """Equations (2), (3), (4): Grads(x, w, b) from dy.

    Shapes   dy (N, P, Q, D), x (N, H, W, C), w (Kh, Kw, C / groups, D) -> Grads of x, w, (D,).
    Units    each gradient carries the unit of dy times that of the other factor.
    Dtypes   float32 or float64, all alike; the gradients have the same.
    Raises   as `forward`; ShapeError where dy is not of y's shape.
    Error    dx: gamma(Kh*Kw*D/groups) * sum |dy| |w|; dw: gamma(N*P*Q) * sum |dy| |x|;
             db: gamma(N*P*Q) * sum |dy|, in any backend.

    >>> x = np.arange(9.0).reshape(1, 3, 3, 1)
    >>> backward(np.ones((1, 1, 1, 1)), x, np.ones((3, 3, 1, 1))).w[1, 1]
    array([[4.]])
    """
    columns, P, Q = _columns(x, w.shape, stride, pad, dilation, groups)
    rows = _split(dy.reshape(len(x) * P * Q, w.shape[3]), groups)
    dw = _merge(columns.transpose(0, 2, 1) @ rows).reshape(w.shape)
    dcolumns = _merge(rows @ _matrices(w, groups).transpose(0, 2, 1), w.shape[:2])
    dx = _scatter(dcolumns.reshape(len(x), P, Q, *w.shape[:2], x.shape[3]), x.shape, stride, pad, dilation)
    return Grads(dx, dw, dy.sum(axis=(0, 1, 2)))


def _split(a, groups):
    """(rows, D) -> (G, rows, D / G): the channels of each group on their own."""
    return a.reshape(len(a), groups, a.shape[1] // groups).transpose(1, 0, 2)


def _merge(a, kernel=()):
    """Inverse of `_split`; with `kernel`, the last axis is (Kh, Kw, F) and only F is merged with G."""
    groups, rows, last = a.shape
    taps = int(np.prod(kernel, dtype=int))
    return a.reshape(groups, rows, taps, last // taps).transpose(1, 2, 0, 3).reshape(rows, groups * last)


def _matrices(w, groups):
    """The weights of each group as a matrix: (G, Kh*Kw*F, D / G)."""
    return _split(w.reshape(w.shape[0] * w.shape[1] * w.shape[2], w.shape[3]), groups)


def _columns(x, kernel, stride, pad, dilation, groups):
    """Every window of the zero-padded image as a row, per group: (G, N*P*Q, Kh*Kw*F), and P, Q."""
    top, bottom, left, right = pad
    Kh, Kw, F, _ = kernel
    x = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    windows = sliding_window_view(x, ((Kh - 1) * dilation + 1, (Kw - 1) * dilation + 1), axis=(1, 2))
    windows = windows[:, ::stride, ::stride, :, ::dilation, ::dilation]
    N, P, Q = windows.shape[:3]
    grouped = windows.reshape(N, P, Q, groups, F, Kh, Kw).transpose(3, 0, 1, 2, 5, 6, 4)
    return grouped.reshape(groups, N * P * Q, Kh * Kw * F), P, Q


def _scatter(dcolumns, shape, stride, pad, dilation):
    """Equation (2): tap (i, j) adds its columns (N, P, Q, Kh, Kw, C) to its own shifted grid."""
    (top, bottom, left, right), (N, H, W, C), (_, P, Q, Kh, Kw, _) = pad, shape, dcolumns.shape
    dx = np.zeros((N, top + H + bottom, left + W + right, C), dcolumns.dtype)
    for i, j in np.ndindex(Kh, Kw):
        r, s = i * dilation, j * dilation
        dx[:, r : r + stride * P : stride, s : s + stride * Q : stride] += dcolumns[:, :, :, i, j]
    return dx[:, top : top + H, left : left + W]
