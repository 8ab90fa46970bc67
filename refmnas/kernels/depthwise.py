"""Depthwise convolution in C (csrc/f32_depthwise.inc.h); arguments as in ops/depthwise.py, checked there."""

from functools import lru_cache

import numpy as np

from .._cffi import ffi, lib
from . import check

_FLOATS = ffi.typeof("float[]")
_from_buffer = ffi.from_buffer


@lru_cache(maxsize=1024)
def _shape(x, w, stride, pad, dilation):
    """The C record of a problem: (record, shape of y).  Never written after this."""
    (n, h, width, c), (kh, kw, _) = x, w
    top, bottom, left, right = pad
    p = (h + top + bottom - (kh - 1) * dilation - 1) // stride + 1
    q = (width + left + right - (kw - 1) * dilation - 1) // stride + 1
    try:
        record = ffi.new("rm_dw_shape *", [n, h, width, c, kh, kw, stride, dilation, top, bottom, left, right, p, q])
    except OverflowError:
        check(lib.RM_TOO_LARGE, "depthwise")
    check(lib.rm_dw_check(record), "depthwise")
    return record, (n, p, q, c)


def _pointer(a):
    """A C pointer to the values, of a copy where they are not contiguous and aligned."""
    flags = a.flags
    if not (flags.c_contiguous and flags.aligned):
        a = np.require(a, requirements="CA")
    return _from_buffer(_FLOATS, a)


def forward(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1, out=None):
    """Equation (1)."""
    record, shape = _shape(x.shape, w.shape, stride, pad, dilation)
    y = np.empty(shape, np.float32) if out is None else out
    bias = ffi.NULL if b is None else _pointer(b)
    into = _from_buffer(_FLOATS, y, True)
    check(lib.rm_f32_depthwise_fwd(record, _pointer(x), _pointer(w), bias, into), "depthwise.forward")
    return y


def backward(dy, x, w, *, stride=1, pad=(0, 0, 0, 0), dilation=1):
    """Equations (2), (3), (4)."""
    from ..ops.depthwise import Grads
    record, shape = _shape(x.shape, w.shape, stride, pad, dilation)
    dx, dw, db = np.empty(x.shape, np.float32), np.empty(w.shape, np.float32), np.empty(shape[3], np.float32)
    into = [_from_buffer(_FLOATS, a, True) for a in (dx, dw, db)]
    check(lib.rm_f32_depthwise_bwd(record, _pointer(dy), _pointer(x), _pointer(w), *into), "depthwise.backward")
    return Grads(dx, dw, db)
