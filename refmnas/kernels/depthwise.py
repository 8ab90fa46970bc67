"""Depthwise convolution in C (csrc/f32_depthwise.inc.h); arguments as in ops/depthwise.py, checked there."""

from functools import lru_cache

import numpy as np

from .._cffi import ffi, lib
from . import refuse

# Looked up once: a call on small arrays takes about as long as a few look-ups.
NULL = ffi.NULL
_FLOATS = ffi.typeof("float[]")
_from_buffer = ffi.from_buffer
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
    if not (flags.c_contiguous and flags.aligned):
        a = np.require(a, requirements="CA")
    return _from_buffer(_FLOATS, a)


def forward(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1, out=None):
    """Equation (1)."""
    record, shape = _shape(x.shape, w.shape, stride, pad, dilation)
    y = np.empty(shape, np.float32) if out is None else out
    bias = NULL if b is None else _pointer(b)
    if status := _forward(record, _pointer(x), _pointer(w), bias, _from_buffer(_FLOATS, y, True)):
        refuse(status, "depthwise.forward")
    return y


def backward(dy, x, w, *, stride=1, pad=(0, 0, 0, 0), dilation=1):
    """Equations (2), (3), (4): the tuple (dx, dw, db)."""
    record, shape = _shape(x.shape, w.shape, stride, pad, dilation)
    gradients = np.empty(x.shape, np.float32), np.empty(w.shape, np.float32), np.empty(shape[3:], np.float32)
    dx, dw, db = gradients
    into = _from_buffer(_FLOATS, dx, True), _from_buffer(_FLOATS, dw, True), _from_buffer(_FLOATS, db, True)
    if status := _backward(record, _pointer(dy), _pointer(x), _pointer(w), *into):
        refuse(status, "depthwise.backward")
    return gradients
