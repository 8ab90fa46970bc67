"""Element types of files: their names in each container, and how bytes become arrays.

Arrays come out native and writable.  bfloat16, which NumPy lacks, is widened to
float32: exact, since a bfloat16 is the upper half of a float32.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

MOST_AXES = 64  # NumPy's
CHUNK = 1 << 16  # elements widened at a time


@dataclass(frozen=True)
class Element:
    """One element type: `size` bytes in the file, `dtype` in memory."""

    dtype: np.dtype
    size: int

    @property
    def is_widened(self):
        return self.dtype.itemsize != self.size


def _same(name):
    dtype = np.dtype(name)
    return Element(dtype, dtype.itemsize)


BFLOAT16 = Element(np.dtype(np.float32), 2)

SAFETENSORS = {
    "BOOL": _same("bool"), "U8": _same("u1"), "I8": _same("i1"), "U16": _same("u2"), "I16": _same("i2"),
    "F16": _same("f2"), "BF16": BFLOAT16, "U32": _same("u4"), "I32": _same("i4"), "F32": _same("f4"),
    "U64": _same("u8"), "I64": _same("i8"), "F64": _same("f8"),
}  # fmt: skip

TORCH_STORAGES = {
    "BoolStorage": _same("bool"), "ByteStorage": _same("u1"), "CharStorage": _same("i1"),
    "ShortStorage": _same("i2"), "IntStorage": _same("i4"), "LongStorage": _same("i8"),
    "HalfStorage": _same("f2"), "BFloat16Storage": BFLOAT16, "FloatStorage": _same("f4"),
    "DoubleStorage": _same("f8"), "UntypedStorage": _same("u1"),
}  # fmt: skip

TORCH_DTYPES = {
    "bool": _same("bool"), "uint8": _same("u1"), "int8": _same("i1"), "uint16": _same("u2"), "int16": _same("i2"),
    "uint32": _same("u4"), "int32": _same("i4"), "uint64": _same("u8"), "int64": _same("i8"),
    "float16": _same("f2"), "bfloat16": BFLOAT16, "float32": _same("f4"), "float64": _same("f8"),
}  # fmt: skip

# NumPy's type strings without the byte order mark
NPY = {kind: _same(kind) for kind in ("b1", "u1", "i1", "u2", "i2", "f2", "u4", "i4", "f4", "u8", "i8", "f8")}


def product(extents):
    """The number of elements of a shape: Python's integers do not wrap."""
    count = 1
    for extent in extents:
        count *= extent
    return count


def check_shape(bad, what, shape, element):
    """FormatError (made by `bad`) for a shape that no array can have; the number of elements otherwise.

    NumPy bounds the product of the extents that are not 0, so an empty array can be too large as well.
    """
    if len(shape) > MOST_AXES or product(extent or 1 for extent in shape) * element.dtype.itemsize > sys.maxsize:
        raise bad(f"{what} has a shape that no array can have: {len(shape)} axes, {str(shape)[:80]}")
    return product(shape)


def read(source, element, count, *, big_endian=False):
    """`count` elements from `source` (anything with `readinto`) as a flat array.

    The caller has checked the bytes against the file, or against the budget.
    """
    if element.is_widened:
        return _widened(source, count, big_endian)
    array = np.empty(count, element.dtype)
    if not count:
        return array
    raw = array.view(np.uint8)
    source.readinto(memoryview(raw))
    if element.dtype == bool and raw.max() > 1:
        raise source.reader.bad(f"{source.what}: a boolean is {raw.max()}, wanted 0 or 1")
    if big_endian != (sys.byteorder == "big"):
        array.byteswap(inplace=True)
    return array


def _widened(source, count, big_endian):
    array = np.empty(count, np.float32)
    bits = array.view(np.uint32)
    for start in range(0, count, CHUNK):
        part = np.empty(min(CHUNK, count - start), ">u2" if big_endian else "<u2")
        source.readinto(memoryview(part.view(np.uint8)))
        bits[start : start + len(part)] = part
    bits <<= 16
    return array
