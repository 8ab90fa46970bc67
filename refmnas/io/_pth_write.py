"""torch's zip form, written without torch: a state dictionary that `torch.load` reads.

The pickle is put together opcode by opcode, in protocol 2, as `torch.save` does
it; `_pickle.py` has the reverse.  Every tensor gets a storage of its own, so
arrays that share memory come back apart.
"""

from __future__ import annotations

import struct
import zipfile

import numpy as np

from ..errors import DtypeError, FormatError
from . import _elements
from ._replace import replacing

FOLDER = "archive"
ALIGNMENT = 64  # torch maps storages into memory
BATCH = 1000  # pickle's

_STORAGES = {
    element.dtype: name
    for name, element in _elements.TORCH_STORAGES.items()
    if not element.is_widened and name != "UntypedStorage"
}


def _check(path, mapping, metadata):
    """What torch's storages cannot hold."""
    for name, array in mapping.items():
        if array.dtype.newbyteorder("=") not in _STORAGES:
            raise DtypeError(f"{path}: {name!r} is {array.dtype}, wanted one of {', '.join(map(str, _STORAGES))}")
    for module, entries in (metadata or {}).items():
        if not isinstance(module, str) or not isinstance(entries, dict) or not all(
            isinstance(key, str) and type(value) in (int, str) for key, value in entries.items()
        ):  # fmt: skip
            raise FormatError(f"{path}: metadata {module!r} is {entries!r}, wanted {{module: {{key: number or text}}}}")


def write(path, mapping, metadata):
    """The archive: data.pkl, the byte order, and one stored entry per tensor, aligned."""
    _check(path, mapping, metadata)
    with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        _entry(archive, file, "data.pkl", state_dict(mapping, metadata, fields=5))
        _entry(archive, file, "byteorder", b"little")
        for key, array in enumerate(mapping.values()):
            _entry(archive, file, f"data/{key}", raw(array))
        _entry(archive, file, "version", b"3\n")


def raw(array):
    """An array's bytes in C order, little-endian."""
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()


def _entry(archive, file, name, data):
    """A stored entry whose data start at a multiple of ALIGNMENT, by a padding field as torch writes it."""
    info = zipfile.ZipInfo(f"{FOLDER}/{name}")
    start = file.tell() + 30 + len(info.filename) + 4
    padding = -start % ALIGNMENT
    info.extra = struct.pack("<2sH", b"FB", padding) + b"Z" * padding
    archive.writestr(info, data)


def state_dict(mapping, metadata=None, *, fields):
    """The pickle of an OrderedDict of tensors; storage k is the k-th tensor's.

    `fields` of a persistent id: 5 in the zip form, 6 (with a None) in the legacy one.
    """
    out = [b"\x80\x02", _ORDERED]
    items = list(mapping.items())
    for start in range(0, len(items), BATCH):
        out.append(b"(")
        for key, (name, array) in enumerate(items[start : start + BATCH], start):
            out += [_text(name), _tensor(array, key, fields)]
        out.append(b"u")
    if metadata:
        modules = b"".join(_text(module) + _plain_dict(entries) for module, entries in metadata.items())
        out += [b"}", _text("_metadata"), _ORDERED, b"(", modules, b"u", b"s", b"b"]
    return b"".join([*out, b"."])


def _tensor(array, key, fields):
    strides = [_elements.product(array.shape[axis + 1 :]) for axis in range(array.ndim)]
    storage = _STORAGES[array.dtype.newbyteorder("=")]
    parts = [_text("storage"), b"ctorch\n" + storage.encode() + b"\n", _text(str(key)), _text("cpu"),
             _number(array.size), b"N" * (fields - 5)]  # fmt: skip
    return b"".join([
        b"ctorch._utils\n_rebuild_tensor_v2\n((", *parts, b"tQ", _number(0),
        _numbers(array.shape), _numbers(strides), b"\x89", _ORDERED, b"tR",
    ])  # fmt: skip


_ORDERED = b"ccollections\nOrderedDict\n)R"


def _plain_dict(entries):
    pairs = [_text(k) + (_text(value) if isinstance(value, str) else _number(value)) for k, value in entries.items()]
    return b"}(" + b"".join(pairs) + b"u"


def _text(text):
    raw = text.encode("utf-8")
    return b"X" + struct.pack("<I", len(raw)) + raw


def _number(value):
    if 0 <= value < 256:
        return b"K" + bytes([value])
    if -(1 << 31) <= value < 1 << 31:
        return b"J" + struct.pack("<i", value)
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def _numbers(values):
    return b"(" + b"".join(map(_number, values)) + b"t"
