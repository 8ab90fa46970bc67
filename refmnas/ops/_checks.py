"""What every op asks of its arguments, once, before anything is allocated.

Messages say the op, the argument, what came and what was wanted.
"""

import operator

import numpy as np

from ..errors import DataError, DtypeError, ShapeError, SpecError
from ..geometry import extent, pooled, span

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def floats(op, **arrays):
    """All given arrays (None is allowed) are NumPy arrays of one dtype, float32 or float64."""
    dtype = None
    for a in arrays.values():
        if a is None:
            continue
        if type(a) is not np.ndarray or (a.dtype is not dtype and (dtype is not None or a.dtype not in FLOATS)):
            return _floats(op, arrays)
        dtype = a.dtype
    return dtype


def alike(a, b, c):
    """Whether three plain arrays are of one dtype that `floats` takes: the usual case, told in a third of its time."""
    return type(a) is type(b) is type(c) is np.ndarray and a.dtype is b.dtype is c.dtype and a.dtype in FLOATS


def _floats(op, arrays):
    """The same, array by array: for subclasses of arrays, and to say what is wrong."""
    dtype, first = None, ""
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
    if a.shape != wanted:
        extents(op, name, a.shape, wanted, means)


def extents(op, name, got, wanted, means):
    """The shape `got` is `wanted`, as in `shape`."""
    if len(got) != len(wanted) or any(w is not None and w != g for g, w in zip(got, wanted, strict=True)):
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
    top, bottom, left, right = four_sides(op, pad)
    P = extent(size[0], kernel[0], stride, top, bottom, dilation)
    Q = extent(size[1], kernel[1], stride, left, right, dilation)
    if P < 1 or Q < 1 or kernel[0] < 1 or kernel[1] < 1:
        padded = (size[0] + top + bottom, size[1] + left + right)
        covers = (span(kernel[0], dilation), span(kernel[1], dilation))
        raise ShapeError(f"{op}: the padded x is {padded}, wanted at least w's {covers}, and w of at least 1 x 1 taps")
    return stride, (top, bottom, left, right), dilation, P, Q


def four_sides(op, pad):
    """`pad` as four whole numbers."""
    try:
        top, bottom, left, right = (whole(op, "pad", v, 0) for v in pad)
    except (TypeError, ValueError) as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError(f"{op}: pad is {pad!r}, wanted four whole numbers (top, bottom, left, right)") from None
    return top, bottom, left, right


def pair(op, name, value, means):
    """`value` as two whole numbers of at least 1."""
    try:
        first, second = (whole(op, name, v, 1) for v in value)
    except (TypeError, ValueError) as error:
        if isinstance(error, SpecError):
            raise
        raise SpecError(f"{op}: {name} is {value!r}, wanted two whole numbers {means}") from None
    return first, second


def pool(op, x, kernel, stride, pad, ceil):
    """The checked options of a pool over windows, and the shape of y; every window holds a pixel of the image."""
    shape(op, "x", x, (None, None, None, None), "(N, H, W, C)")
    kernel, stride = pair(op, "kernel", kernel, "(Kh, Kw)"), whole(op, "stride", stride, 1)
    pad, ceil, counts = four_sides(op, pad), flag(op, "ceil", ceil), []
    for size, K, (before, after) in zip(x.shape[1:3], kernel, (pad[:2], pad[2:]), strict=True):
        counts.append(pooled(size, K, stride, before, after, ceil))
        if counts[-1] < 1:
            raise ShapeError(f"{op}: the padded x has {size + before + after} pixels along an axis, wanted the kernel's {K}")
        if before >= K or (counts[-1] - 1) * stride - before >= size:
            text = f"pad is {pad} around {x.shape[1:3]} pixels, wanted a pixel of the image in every window of {kernel}"
            raise ShapeError(f"{op}: {text}, stride {stride}")
    return {"kernel": kernel, "stride": stride, "pad": pad, "ceil": ceil}, (len(x), *counts, x.shape[3])


def batched(op, x):
    """`x` has an axis of samples, whatever follows it."""
    if x.ndim == 0:
        raise ShapeError(f"{op}: x has shape (), wanted (N, ...)")


def number(op, name, value, least, most, *, open_least=False, open_most=False):
    """`value` as a float between `least` and `most`; an open end is itself refused."""
    try:
        if isinstance(value, bool | np.bool_ | str | bytes | complex):
            raise TypeError
        real = float(value)
    except (TypeError, ValueError):
        raise SpecError(f"{op}: {name} is {value!r}, wanted a number") from None
    above = real > least if open_least else real >= least
    below = real < most if open_most else real <= most
    if not (above and below):
        ends = f"{'above' if open_least else 'from'} {least:g} {'to below' if open_most else 'to'} {most:g}"
        raise SpecError(f"{op}: {name} is {value!r}, wanted a number {ends}")
    return real


def choice(op, name, value, allowed):
    """`value`, one of the `allowed` names."""
    if not isinstance(value, str) or value not in allowed:
        raise SpecError(f"{op}: {name} is {value!r}, wanted one of {', '.join(allowed)}")
    return value


def flag(op, name, value):
    """`value` as a bool, and nothing else that is merely truthy."""
    if not isinstance(value, bool | np.bool_):
        raise SpecError(f"{op}: {name} is {value!r}, wanted True or False")
    return bool(value)


def variance(op, name, var):
    """No element of `var` is negative or NaN."""
    if not np.all(var >= 0):
        at = int(np.argmin(np.nan_to_num(var, nan=-np.inf)))
        raise DataError(f"{op}: {name}[{at}] is {var[at]}, wanted a variance: 0 or more, and no NaN")


def mask(op, m):
    """Every element of a dropout mask is 0 or 1."""
    if not np.all((m == 0) | (m == 1)):
        raise DataError(f"{op}: mask holds values other than 0 and 1, wanted 1 where a value is kept and 0 elsewhere")


def labels(op, a, samples, classes):
    """`a` is an array of `samples` whole numbers from 0 to classes - 1."""
    if not isinstance(a, np.ndarray) or not np.issubdtype(a.dtype, np.integer):
        got = a.dtype if isinstance(a, np.ndarray) else type(a).__name__
        raise DtypeError(f"{op}: labels is {got}, wanted a NumPy array of integers")
    shape(op, "labels", a, (samples,), "(N,)")
    wrong = (a < 0) | (a >= classes)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise DataError(f"{op}: labels[{at}] is {a[at]}, wanted 0 to {classes - 1}")
