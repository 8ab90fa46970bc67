"""TensorProto: a tensor's type, shape and where its bytes lie; the array only after all sizes are checked.

    raw_data        the elements, little endian
    float_data ...  the elements as numbers of the message, by type                 (1)
    external_data   the elements in another file, of this file's folder             (2)

(2) is refused unless the path is relative, has no "..", and leads to a regular file inside
the folder without a symbolic or hard link on the way.

Source: onnx.proto and docs/ExternalData.md of the ONNX project.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from .. import _elements
from .._reader import Reader
from . import decode
from .decode import DATA, INT, INTS, SPAN, SPANS, TEXT

# DataType -> (name, NumPy's type or None where it has none, the field that holds such numbers)
TYPES = {
    1: ("FLOAT", "f4", "float_data"), 2: ("UINT8", "u1", "int32_data"), 3: ("INT8", "i1", "int32_data"),
    4: ("UINT16", "u2", "int32_data"), 5: ("INT16", "i2", "int32_data"), 6: ("INT32", "i4", "int32_data"),
    7: ("INT64", "i8", "int64_data"), 8: ("STRING", None, ""), 9: ("BOOL", "bool", "int32_data"),
    10: ("FLOAT16", "f2", "int32_data"), 11: ("DOUBLE", "f8", "double_data"), 12: ("UINT32", "u4", "uint64_data"),
    13: ("UINT64", "u8", "uint64_data"), 14: ("COMPLEX64", None, ""), 15: ("COMPLEX128", None, ""),
    16: ("BFLOAT16", None, ""), 17: ("FLOAT8E4M3FN", None, ""), 18: ("FLOAT8E4M3FNUZ", None, ""),
    19: ("FLOAT8E5M2", None, ""), 20: ("FLOAT8E5M2FNUZ", None, ""), 21: ("UINT4", None, ""), 22: ("INT4", None, ""),
    23: ("FLOAT4E2M1", None, ""), 24: ("FLOAT8E8M0", None, ""), 25: ("UINT2", None, ""), 26: ("INT2", None, ""),
}  # fmt: skip
NUMBERS = ("float_data", "int32_data", "int64_data", "double_data", "uint64_data")
TENSOR = {
    1: ("dims", INTS), 2: ("data_type", INT), 3: ("segment", SPAN), 4: ("float_data", DATA), 5: ("int32_data", DATA),
    6: ("string_data", SPANS), 7: ("int64_data", DATA), 8: ("name", TEXT), 9: ("raw_data", SPAN),
    10: ("double_data", DATA), 11: ("uint64_data", DATA), 13: ("external_data", SPANS), 14: ("data_location", INT),
}  # fmt: skip
ENTRY = {1: ("key", TEXT), 2: ("value", TEXT)}


@dataclass(frozen=True)
class Tensor:
    """One tensor before its bytes are read."""

    name: str
    dtype: np.dtype
    shape: tuple[int, ...]
    raw: decode.Span | None  # of the elements in the model's file
    numbers: tuple[decode.Span, ...]  # equation (1)
    external: tuple[str, int, int | None] | None  # location, offset, length: equation (2)

    @property
    def count(self):
        return _elements.product(self.shape)


def dtype_of(number, what, bad):
    """NumPy's type of a DataType; FormatError with its name where NumPy has none."""
    name, code, _ = TYPES.get(number, (f"number {number}", None, ""))
    if code is None:
        raise bad(f"{what} has the element type {name}, wanted one that NumPy has: bool, integers, floats of 16 to 64 bits")
    return np.dtype(code)


def parse(source, span, what):
    """The message of a tensor, its sizes checked against its own bytes."""
    m = source.message(span, what, TENSOR)
    what = f"{what} {m['name']!r}" if m["name"] else what
    dtype = dtype_of(m["data_type"], what, source.bad)
    shape = tuple(m["dims"])
    if any(extent < 0 for extent in shape) or m["segment"] is not None:
        raise source.bad(f"{what} has shape {shape} or is a segment, wanted extents from 0 on and the whole tensor")
    count = _elements.check_shape(source.bad, what, shape, _elements.Element(dtype, dtype.itemsize))
    external = _external(source, m, what) if m["data_location"] else None
    field = TYPES[m["data_type"]][2]
    present = [name for name in NUMBERS if m[name]] + [name for name in ("raw_data", "external_data") if m[name]]
    allowed = "external_data" if external else "raw_data" if m["raw_data"] else field
    if set(present) - {allowed} or m["string_data"]:
        raise source.bad(f"{what} of type {dtype} has {', '.join(present)}, wanted one of raw_data, {field}, external_data")
    size = count * dtype.itemsize
    if allowed == "raw_data" and m["raw_data"][1] - m["raw_data"][0] != size:
        came = m["raw_data"][1] - m["raw_data"][0]
        raise source.bad(f"{what} of shape {shape} and type {dtype} has {came} bytes, wanted {size}")
    if allowed == field and sum(end - start for start, end in m[field]) < count:
        raise source.bad(f"{what} of shape {shape} has fewer numbers than its shape wants: cut or hostile")
    return Tensor(m["name"] or "", dtype, shape, m["raw_data"], tuple(m[field]), external)


def _external(source, m, what):
    """(location, offset, length or None) of external_data."""
    entries = [source.message(entry, what, ENTRY) for entry in m["external_data"]]
    found = {entry["key"]: entry["value"] or "" for entry in entries}
    if m["data_location"] != 1 or len(found) != len(entries) or "location" not in found:
        raise source.bad(f"{what} has the data_location {m['data_location']} and {sorted(map(str, found))}, wanted a location")
    numbers = {}
    for key in ("offset", "length"):
        text = found.get(key, "0" if key == "offset" else None)
        if text is not None and not (text.isascii() and text.isdigit() and len(text) < 20):
            raise source.bad(f"{what} has the {key} {text[:40]!r}, wanted a whole number")
        numbers[key] = None if text is None else int(text)
    return found["location"], numbers["offset"], numbers["length"]


def read(source, tensor, what):
    """The array: native and writable."""
    element = _elements.Element(tensor.dtype, tensor.dtype.itemsize)
    if tensor.external:
        array = _read_external(source, tensor, element, what)
    elif tensor.raw:
        start, end = tensor.raw
        array = _elements.read(source.reader.span(start, end - start, what), element, tensor.count)
    else:
        array = _read_numbers(source, tensor, what)
    return array.reshape(tensor.shape)


def _read_external(source, tensor, element, what):
    location, offset, length = tensor.external
    size = tensor.count * element.size
    if length not in (None, size):
        raise source.bad(f"{what} has {length} bytes in {location!r}, wanted {size}")
    path, identity = _inside(source, location, what)
    with Reader(path) as file:
        info = os.fstat(file._file.fileno())
        if (info.st_dev, info.st_ino) != identity:
            raise source.bad(f"{what}: {location!r} was exchanged while it was read")
        return _elements.read(file.span(offset, size, f"{source.reader.name}: {what}"), element, tensor.count)


def _inside(source, location, what):
    """(path, (device, inode)) of a file of this file's folder: equation (2)."""
    parts = PurePosixPath(location).parts
    if not parts or location.startswith("/") or ".." in parts or set(location) & set('\\:\0'):
        raise source.bad(f"{what} lies in {location!r}, wanted a path inside the model's folder")
    folder = Path(source.reader.name).resolve().parent
    path = folder.joinpath(*parts)
    try:
        is_same, info = path.resolve(strict=True) == path, os.lstat(path)
    except (OSError, RuntimeError) as error:
        raise source.bad(f"{what} lies in {location!r}, which cannot be opened: {error}") from None
    if not is_same or not stat.S_ISREG(info.st_mode) or info.st_nlink != 1:
        raise source.bad(f"{what} lies in {location!r}, wanted a regular file without symbolic or hard links")
    return path, (info.st_dev, info.st_ino)


def _read_numbers(source, tensor, what):
    """Equation (1), in blocks; every number must fit the tensor's type."""
    array, at = np.empty(tensor.count, tensor.dtype), 0
    for part in _parts(source, tensor, what):
        if at + len(part) > len(array):
            raise source.bad(f"{what} has more numbers than its shape {tensor.shape} wants")
        if part.dtype.kind in "iu":
            part = _fitted(source, part, tensor.dtype, what)
        array[at : at + len(part)] = part
        at += len(part)
    if at != len(array):
        raise source.bad(f"{what} has {at} numbers, its shape {tensor.shape} wants {len(array)}")
    return array


def _fitted(source, part, dtype, what):
    """Integers in the tensor's own type; float16 is held as its bits."""
    stored = np.dtype(np.uint16) if dtype == np.float16 else dtype
    if dtype == np.uint64:
        return part.view(np.uint64)
    low, high = (0, 1) if dtype.kind == "b" else (np.iinfo(stored).min, np.iinfo(stored).max)
    if len(part) and not (low <= part.min() and part.max() <= high):
        raise source.bad(f"{what} has the number {part[(part < low) | (part > high)][0]}, which no {dtype} is")
    return part.astype(stored).view(dtype)


def _parts(source, tensor, what):
    """The numbers in blocks: floats as they are, varints as int64."""
    reals = {np.dtype(np.float32): "<f4", np.dtype(np.float64): "<f8"}.get(tensor.dtype)
    for start, end in tensor.numbers:
        while start < end:
            raw = source.reader.read(start, min(decode.BLOCK // 2, end - start), what)
            block = np.frombuffer(raw, np.uint8)
            if reals is None and start + len(block) < end:
                last = np.flatnonzero(block[-11:] < 128)
                block = block[: len(block) - len(block[-11:]) + last[-1] + 1] if len(last) else block
            elif reals and len(block) % np.dtype(reals).itemsize:
                raise source.bad(f"{what} ends within a number: cut or hostile")
            yield block.view(reals) if reals else decode.varints(block, lambda text: source.bad(f"{what} {text}"))
            start += len(block)
