"""Depthwise convolution: one Kh x Kw filter per channel, channels never mix.

    y[n,p,q,c]  = b[c] + sum_{i,j} x[n, p*S + i*L - T, q*S + j*L - U, c] * w[i,j,c]  (1)

    dx[n,r,s,c] = sum over (p,i), (q,j) with p*S + i*L - T = r and q*S + j*L - U = s
                  of dy[n,p,q,c] * w[i,j,c]                                          (2)
    dw[i,j,c]   = sum_{n,p,q} dy[n,p,q,c] * x[n, p*S + i*L - T, q*S + j*L - U, c]    (3)
    db[c]       = sum_{n,p,q} dy[n,p,q,c]                                            (4)

with x = 0 outside the image, S the stride, L the dilation, T and U the zero rows
above and the zero columns to the left.  (2)-(4) are (1) read backwards: every
product in (1) sends its share of dy to both of its factors.

Source: (1) is eq. (3) of Howard et al. 2017, MobileNets, arXiv:1704.04861, with
stride, dilation, padding and a bias added and indices counted from 0.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ..backend import dispatched, writable
from ..layout import DEPTHWISE, IMAGE, PLAIN
from . import _checks


class Grads(NamedTuple):
    """Gradients of the three factors of (1)."""

    x: NDArray
    w: NDArray
    b: NDArray


def _check_forward(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1, out=None):
    op = "depthwise.forward"
    dtype = _checks.floats(op, x=x, w=w, b=b)
    options, shape = _checked(op, x, w, stride, pad, dilation)
    if b is not None:
        _checks.shape(op, "b", b, shape[3:], "(C,)")
    if out is not None:
        return (x, w, b), {**options, "out": writable(op, out, shape, dtype, x, w, b)}
    return (x, w, b), options


def _check_backward(dy, x, w, *, stride=1, pad=(0, 0, 0, 0), dilation=1):
    op = "depthwise.backward"
    if not _checks.alike(dy, x, w):
        _checks.floats(op, dy=dy, x=x, w=w)
    options, shape = _checked(op, x, w, stride, pad, dilation)
    _checks.shape(op, "dy", dy, shape, "(N, P, Q, C)")
    return (dy, x, w), options


def _checked(op, x, w, stride, pad, dilation):
    """The checked options and the shape of y; remembered, since a network asks the same again and again."""
    try:
        return _remembered(op, x.shape, w.shape, stride, dilation, *pad)
    except TypeError:  # an option that cannot be hashed or unpacked: refused below, by name
        return _geometry(op, x.shape, w.shape, stride, dilation, pad)


# Typed and with pad's numbers one by one: 1.0 and True equal 1 but are no whole numbers.
@lru_cache(maxsize=1024, typed=True)
def _remembered(op, x, w, stride, dilation, *pad):
    return _geometry(op, x, w, stride, dilation, pad)


def _geometry(op, x, w, stride, dilation, pad):
    _checks.extents(op, "x", x, (None, None, None, None), "(N, H, W, C)")
    _checks.extents(op, "w", w, (None, None, x[3]), "(Kh, Kw, C)")
    stride, pad, dilation, P, Q = _checks.window(op, x[1:3], w[:2], stride, pad, dilation)
    return {"stride": stride, "pad": pad, "dilation": dilation}, (x[0], P, Q, x[3])


@dispatched("depthwise.forward", check=_check_forward, turns=(IMAGE, DEPTHWISE, PLAIN), gives=IMAGE)
def forward(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1, out=None):
    """Equation (1).

    Shapes   x (N, H, W, C), w (Kh, Kw, C), b (C,) or None -> y (N, P, Q, C),
             P = (H + T + bottom - (Kh - 1) * L - 1) // S + 1, Q likewise from
             W, U, right; `out`, where given, is y's memory.
    Units    none: y carries the unit of x times the unit of w.  `stride`,
             `dilation` and `pad` = (top, bottom, left, right) count pixels.
    Dtypes   float32 or float64, all alike; y has the same.
    Raises   ShapeError where channels differ, the padded image is smaller than
             the kernel or `out` does not fit; DtypeError for mixed dtypes;
             SpecError for a stride or dilation below 1 or a negative pad.
    Error    |y^ - y| <= gamma(Kh*Kw + 1) * (|b| + sum |x| |w|), in any backend.

    >>> x = np.arange(9.0).reshape(1, 3, 3, 1)
    >>> forward(x, np.ones((3, 3, 1)))[0, 0, 0]
    array([36.])
    """
    y = np.einsum("npqckl,klc->npqc", _windows(x, w.shape, stride, pad, dilation), w)
    return y if b is None else y + b


@dispatched(
    "depthwise.backward",
    check=_check_backward,
    turns=(IMAGE, IMAGE, DEPTHWISE),
    gives=(IMAGE, DEPTHWISE, PLAIN),
    result=Grads,
)
def backward(dy, x, w, *, stride=1, pad=(0, 0, 0, 0), dilation=1):
    """Equations (2), (3), (4): Grads(x, w, b) from dy.

    Needs no memory of the forward call: hand it the same x, w and options.

    Shapes   dy (N, P, Q, C), x (N, H, W, C), w (Kh, Kw, C) -> Grads of x, w, (C,).
    Units    each gradient carries the unit of dy times that of the other factor.
    Dtypes   float32 or float64, all alike; the gradients have the same.
    Raises   as `forward`; ShapeError where dy is not of y's shape.
    Error    dx: gamma(Kh*Kw) * sum |dy| |w|; dw: gamma(N*P*Q) * sum |dy| |x|;
             db: gamma(N*P*Q) * sum |dy|, in any backend.

    >>> x = np.arange(9.0).reshape(1, 3, 3, 1)
    >>> backward(np.ones((1, 1, 1, 1)), x, np.ones((3, 3, 1))).w[1, 1]
    array([4.])
    """
    dw = np.einsum("npqc,npqckl->klc", dy, _windows(x, w.shape, stride, pad, dilation))
    return Grads(_scatter(dy, x.shape, w, stride, pad, dilation), dw, dy.sum(axis=(0, 1, 2)))


def _windows(x, kernel, stride, pad, dilation):
    """Every window of the zero-padded image, a view: (N, P, Q, C, Kh, Kw)."""
    top, bottom, left, right = pad
    x = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    reach = tuple((k - 1) * dilation + 1 for k in kernel[:2])
    windows = sliding_window_view(x, reach, axis=(1, 2))
    return windows[:, ::stride, ::stride, :, ::dilation, ::dilation]


def _scatter(dy, shape, w, stride, pad, dilation):
    """Equation (2): tap (i, j) sends all of dy to its own shifted grid."""
    (top, bottom, left, right), (N, H, W, C), (P, Q) = pad, shape, dy.shape[1:3]
    dx = np.zeros((N, top + H + bottom, left + W + right, C), dy.dtype)
    for i, j in np.ndindex(w.shape[:2]):
        r, s = i * dilation, j * dilation
        dx[:, r : r + stride * P : stride, s : s + stride * Q : stride] += dy * w[i, j]
    return dx[:, top : top + H, left : left + W]
