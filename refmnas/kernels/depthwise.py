"""Depthwise convolution in C (csrc/f32_depthwise.inc.h); arguments as in ops/depthwise.py, checked there."""

from functools import lru_cache

import numpy as np

from .._cffi import ffi, lib
from . import refuse

# Looked up once: a call on small arrays takes about as long as a few look-ups.
NULL = ffi.NULL
_F32 = np.dtype(np.float32)
_FLOATS = ffi.typeof("float[]")
_from_buffer, _empty = ffi.from_buffer, np.empty
_forward, _backward = lib.rm_f32_depthwise_fwd, lib.rm_f32_depthwise_bwd


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
        refuse(lib.RM_TOO_LARGE, "depthwise")
    if status := lib.rm_dw_check(record):
        refuse(status, "depthwise")
    return record, (n, p, q, c)


def _pointer(a):
    """A C pointer to the values, of a copy where they are not contiguous and aligned."""
    flags = a.flags
    if not (flags.carray or (flags.c_contiguous and flags.aligned)):  # carray: both, and writable; asked first for speed
        a = np.require(a, requirements="CA")
    return _from_buffer(_FLOATS, a)


def forward(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1, out=None):
    """Equation (1)."""
    record, shape = _shape(x.shape, w.shape, stride, pad, dilation)
    y = _empty(shape, _F32) if out is None else out
    bias = NULL if b is None else _pointer(b)
    if status := _forward(record, _pointer(x), _pointer(w), bias, _from_buffer(_FLOATS, y, True)):
        refuse(status, "depthwise.forward")
    return y


def backward(dy, x, w, *, stride=1, pad=(0, 0, 0, 0), dilation=1):
    """Equations (2), (3), (4): the tuple (dx, dw, db)."""
    of_x, of_w = x.shape, w.shape
    record, shape = _shape(of_x, of_w, stride, pad, dilation)
    dx, dw, db = _empty(of_x, _F32), _empty(of_w, _F32), _empty(shape[3:], _F32)
    if status := _backward(
        record, _pointer(dy), _pointer(x), _pointer(w),
        _from_buffer(_FLOATS, dx), _from_buffer(_FLOATS, dw), _from_buffer(_FLOATS, db),
    ):  # fmt: skip
        refuse(status, "depthwise.backward")
    return dx, dw, db
