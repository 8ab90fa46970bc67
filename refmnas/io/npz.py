"""npz: a zip of NumPy arrays, read without NumPy's evaluation of headers and without pickle.

The header of an array is one of few texts, and it is matched, not evaluated.

Source: `numpy/lib/format.py`, versions 1.0, 2.0 and 3.0 of the npy format.
"""

from __future__ import annotations

import re
import zipfile

import numpy as np

from ..errors import DtypeError, FormatError
from . import _elements, _zip
from ._replace import replacing
from ._tensors import Tensors

LONGEST_HEADER = 4096
_EXTENT = r"\d{1,19}L?"
_SHAPE = rf"\((?P<shape>|{_EXTENT},|{_EXTENT}(?:, ?{_EXTENT}){{1,63}},?)\)"
_FIELDS = {
    "descr": r"'descr': ?'(?P<order>[<>|])(?P<kind>[A-Za-z]\d{0,9})'",
    "fortran_order": r"'fortran_order': ?(?P<fortran>True|False)",
    "shape": rf"'shape': ?{_SHAPE}",
}
_HEADER = re.compile(rf"\{{(?:(?:{'|'.join(_FIELDS.values())})(?:, ?|(?=\}}))){{3}}\}} *\n?")


def read(reader, archive, limits):
    """The arrays of an open archive, in its order."""
    limits.check_tensors(len(archive.names), reader)
    total = 0
    for name in archive.names:
        if not name.endswith(".npy"):
            raise reader.bad(f"zip entry {name[:80]!r} is no array, wanted names that end in .npy")
        total += archive.entry(name).size
    limits.check_bytes(total, reader)
    return Tensors({name[:-4]: _array(archive.open(name)) for name in archive.names}, format="npz")


def _array(stream):
    """One array from the entry's bytes; nothing is allocated before its declared size is the entry's."""
    bad = stream.reader.bad
    magic = stream.read(min(8, stream.left))
    if magic[:6] != b"\x93NUMPY" or magic[6:] not in (b"\x01\0", b"\x02\0", b"\x03\0"):
        raise bad(f"{stream.what} starts with {magic!r}, wanted an array of npy version 1, 2 or 3")
    width = 2 if magic[6] == 1 else 4
    length = int.from_bytes(stream.read(min(width, stream.left)), "little")
    if length > min(LONGEST_HEADER, stream.left):
        raise bad(f"{stream.what}: the header has {length} bytes, wanted at most {min(LONGEST_HEADER, stream.left)}")
    order, element, is_fortran, shape = _header(stream, stream.read(length))
    count = _elements.check_shape(bad, stream.what, shape, element)
    if count * element.size != stream.left:
        raise bad(f"{stream.what} of shape {shape} and type {element.dtype} wants {count * element.size} bytes, "
                  f"the entry has {stream.left}")  # fmt: skip
    flat = _elements.read(stream, element, count, big_endian=order == ">")
    stream.finish()
    return flat.reshape(shape, order="F" if is_fortran else "C")


def _header(stream, raw):
    """(byte order, element, whether Fortran, shape) from the header's text."""
    text = raw.decode("latin-1")
    match = _HEADER.fullmatch(text)
    if not match or any(value is None for value in match.groupdict().values()):
        raise stream.reader.bad(f"{stream.what}: the header is {text[:120]!r}, wanted descr of one plain number type, "
                                "fortran_order and shape")  # fmt: skip
    kind = match["kind"]
    if kind not in _elements.NPY:
        raise stream.reader.bad(f"{stream.what} has type {kind!r}, wanted one of {', '.join(_elements.NPY)}")
    shape = tuple(int(extent.rstrip("L")) for extent in match["shape"].replace(" ", "").split(",") if extent)
    return match["order"], _elements.NPY[kind], match["fortran"] == "True", shape


def write(path, mapping, metadata):
    """Stored, not compressed; the same mapping gives the same bytes."""
    _check(path, mapping, metadata)
    with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in mapping.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)


def _check(path, mapping, metadata):
    """What an archive cannot hold."""
    if metadata:
        raise FormatError(f"{path}: npz has no place for metadata, wanted .safetensors or .pth")
    for name in mapping:
        if reason := _zip.unsafe(name):
            raise FormatError(f"{path}: the name {name[:40]!r} cannot be written: {reason}")
        if len(name.encode("utf-8")) > 0xFFFF - 4:
            raise FormatError(f"{path}: a name has {len(name)} characters, more than a zip can hold")
    for name, array in mapping.items():
        if array.dtype.newbyteorder("=").str[1:] not in _elements.NPY:
            raise DtypeError(f"{path}: {name!r} is {array.dtype}, wanted one of {', '.join(_elements.NPY)}")
