"""What a checkpoint's table holds: a header, then one entry a tensor, which says where its bytes lie.

    key ""       BundleHeaderProto: the number of shards, the byte order, the version
    key name     BundleEntryProto: type, shape, shard, offset, size, masked CRC-32C

Source: tensor_bundle.proto, tensor_shape.proto and types.proto of the TensorFlow project.
"""

from __future__ import annotations

from dataclasses import dataclass

from .. import _elements
from ..onnx.decode import DATA, INT, PER_OBJECT, SPAN, SPANS
from . import table

HEADER = {1: ("num_shards", INT), 2: ("endianness", INT), 3: ("version", SPAN)}
VERSION = {1: ("producer", INT), 2: ("min_consumer", INT)}
ENTRY = {
    1: ("dtype", INT), 2: ("shape", SPAN), 3: ("shard_id", INT), 4: ("offset", INT), 5: ("size", INT), 6: ("crc32c", DATA),
    7: ("slices", SPANS),
}  # fmt: skip
SHAPE = {2: ("dim", SPANS), 3: ("unknown_rank", INT)}
DIM = {1: ("size", INT)}
NEWEST = 1  # the version of bundles that is read
MOST_SHARDS = 4096
TYPES = {
    1: "f4", 2: "f8", 3: "i4", 4: "u1", 5: "i2", 6: "i1", 9: "i8", 10: "bool", 17: "u2", 19: "f2", 22: "u4", 23: "u8",
}  # fmt: skip
BFLOAT16 = 14
NO_NUMBERS = {7: "texts", 20: "a resource", 21: "a variant"}  # what no network's weights are: passed over
OTHERS = {8: "COMPLEX64", 11: "QINT8", 12: "QUINT8", 13: "QINT32", 15: "QINT16", 16: "QUINT16", 18: "COMPLEX128"}


@dataclass(frozen=True)
class Entry:
    """One tensor before its bytes are read."""

    name: str
    element: _elements.Element
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc: int

    @property
    def count(self):
        return _elements.product(self.shape)


@dataclass(frozen=True)
class Bundle:
    """The header and the entries; `skipped`: {name: what it is} of those that are no numbers."""

    shards: int
    is_big_endian: bool
    entries: list[Entry]
    skipped: dict[str, str]


def read(source):
    """The Bundle of an .index, its sizes held to one another and to the caps, no shard opened yet."""
    found = table.entries(source)
    key, span = next(found, (None, (0, 0)))
    if key != b"":
        raise source.bad(f"begins with the key {key!r}, wanted the header's, which is empty")
    header = source.message(span, "the header", HEADER)
    version = source.message(header["version"], "the version", VERSION) if header["version"] else {"min_consumer": None}
    shards, order = header["num_shards"] or 0, header["endianness"] or 0
    if not 1 <= shards <= MOST_SHARDS or order not in (0, 1) or (version["min_consumer"] or 0) > NEWEST:
        raise source.bad(f"has {shards} shards, the byte order {order} and wants readers of version {version['min_consumer']}, "
                         f"wanted 1 to {MOST_SHARDS}, 0 or 1, and at most {NEWEST}")  # fmt: skip
    entries, skipped, total = [], {}, 0
    for key, span in found:
        entry, passed = _entry(source, key, span, shards)
        if entry is None:
            skipped[passed[0]] = passed[1]
            continue
        entries.append(entry)
        total += entry.count * entry.element.dtype.itemsize
        source.limits.check_tensors(len(entries), source.reader)
        source.limits.check_bytes(total, source.reader)
    return Bundle(shards, order == 1, entries, skipped)


def _entry(source, key, span, shards):
    """(the Entry, None), or (None, (name, what it is)) of one that is no numbers."""
    try:
        name = key.decode("utf-8")
    except UnicodeDecodeError:
        name = "\0"
    if name.startswith("\0"):
        raise source.bad(f"has the key {key[:80]!r}: a part of a partitioned variable, wanted whole ones")
    what = f"tensor {name!r}"
    m = source.message(span, what, ENTRY)
    source.charge(8 * PER_OBJECT)
    if m["slices"]:
        raise source.bad(f"{what} is partitioned into {len(m['slices'])} parts, wanted whole variables")
    if m["dtype"] in NO_NUMBERS:
        return None, (name, NO_NUMBERS[m["dtype"]])
    if m["dtype"] != BFLOAT16 and m["dtype"] not in TYPES:
        came = OTHERS.get(m["dtype"], f"number {m['dtype']}")
        raise source.bad(f"{what} has the element type {came}, wanted bool, integers, or floats of 16 to 64 bits")
    element = _elements.BFLOAT16 if m["dtype"] == BFLOAT16 else _elements._same(TYPES[m["dtype"]])
    shape = _shape(source, m["shape"], what)
    count = _elements.check_shape(source.bad, what, shape, element)
    place = m["shard_id"] or 0, m["offset"] or 0, m["size"] or 0
    if not 0 <= place[0] < shards or place[1] < 0 or place[2] != count * element.size:
        raise source.bad(f"{what} of shape {shape} has {place[2]} bytes at {place[1]} of shard {place[0]}, wanted "
                         f"{count * element.size}, and a shard of {shards}")  # fmt: skip
    return Entry(name, element, shape, *place, _crc(source, m["crc32c"], what)), None


def _shape(source, span, what):
    m = source.message(span, what, SHAPE) if span else {"dim": [], "unknown_rank": None}
    shape = tuple(source.message(dim, what, DIM)["size"] or 0 for dim in m["dim"])
    if m["unknown_rank"] or any(n < 0 for n in shape):
        raise source.bad(f"{what} has the shape {shape[:8]}, or none, wanted extents from 0 on")
    return shape


def _crc(source, spans, what):
    """The masked checksum: a fixed number of 32 bits; 0 where it is left out."""
    if len(spans) > 1 or (spans and spans[0][1] - spans[0][0] != 4):
        raise source.bad(f"{what} has {len(spans)} checksums, or one of another length, wanted one of 4 bytes")
    return int.from_bytes(source.reader.read(spans[0][0], 4, what), "little") if spans else 0
