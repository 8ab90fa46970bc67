"""What every op asks of its arguments, once, before anything is allocated.

Messages say the op, the argument, what came and what was wanted.
"""

import operator

import numpy as np

from ..errors import DtypeError, ShapeError, SpecError
from ..geometry import extent, span

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def floats(op, **arrays):
    """All given arrays (None is allowed) are NumPy arrays of one dtype, float32 or float64."""
    dtype = None
    for name, a in arrays.items():
        if a is None:
            continue
        if not isinstance(a, np.ndarray):
            raise DtypeError(f"{op}: {name} is {type(a).__name__}, wanted a NumPy array")
        if a.dtype not in FLOATS:
            raise DtypeError(f"{op}: {name} is {a.dtype}, wanted float32 or float64")
        if dtype is not None and a.dtype != dtype:
            raise DtypeError(f"{op}: {name} is {a.dtype}, {first} is {dtype}; wanted one dtype")
        if dtype is None:
            dtype, first = a.dtype, name
    return dtype


def shape(op, name, a, wanted, means):
    """`a` has the shape `wanted`; a None in it matches any extent.  `means`: the axes in letters."""
    got = a.shape
    if got != wanted and (
        len(got) != len(wanted) or any(w is not None and w != g for g, w in zip(got, wanted, strict=True))
    ):
        sizes = ", ".join("any" if w is None else str(w) for w in wanted)
        raise ShapeError(f"{op}: {name} has shape {got}, wanted {means} = ({sizes})")


def whole(op, name, value, least):
    """`value` as an int, at least `least`."""
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise SpecError(f"{op}: {name} is {value!r}, wanted a whole number") from None
    if number < least:
        raise SpecError(f"{op}: {name} is {number}, wanted at least {least}")
    return number


def window(op, size, kernel, stride, pad, dilation):
    """Checked (stride, pad, dilation, P, Q) of a window over an image of `size` = (H, W)."""
    stride, dilation = whole(op, "stride", stride, 1), whole(op, "dilation", dilation, 1)
    try:
        top, bottom, left, right = (whole(op, "pad", v, 0) for v in pad)
    except (TypeError, ValueError) as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError(f"{op}: pad is {pad!r}, wanted four whole numbers (top, bottom, left, right)") from None
    P = extent(size[0], kernel[0], stride, top, bottom, dilation)
    Q = extent(size[1], kernel[1], stride, left, right, dilation)
    if P < 1 or Q < 1 or kernel[0] < 1 or kernel[1] < 1:
        padded = (size[0] + top + bottom, size[1] + left + right)
        covers = (span(kernel[0], dilation), span(kernel[1], dilation))
        raise ShapeError(f"{op}: the padded image is {padded}, wanted at least the kernel's {covers}, and a kernel of at least 1 x 1")
    return stride, (top, bottom, left, right), dilation, P, Q
