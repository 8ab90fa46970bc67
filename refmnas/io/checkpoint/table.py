"""The table of a checkpoint's .index: sorted keys with values, in blocks.

    file     data blocks, the index block, a footer of 48 bytes: the handles (offset, size)
             of the meta index and of the index as varints, zeros, the magic number       (1)
    block    entries, the places of restarts as 32-bit numbers, their count; after it a
             byte of compression and the masked CRC-32C of all of it                      (2)
    entry    varints shared, own, size; the key is `shared` bytes of the key before and
             `own` ones that follow; then a value of `size` bytes                         (3)
    index    one entry for each data block, whose value is its handle

Source: the table format document of the LevelDB project, whose format TensorFlow's is.
"""

from __future__ import annotations

import struct

from ..onnx.decode import LONGEST_TEXT, PER_OBJECT
from .crc import Crc

MAGIC = 0xDB4775248B80FB57
FOOTER, TRAILER = 48, 5
COMPRESSIONS = {0: "none", 1: "snappy"}


def entries(source):
    """(key, (start, end) of its value in the file) of each entry, in order: every key once."""
    start = source.reader.size - FOOTER
    if start < 0 or struct.unpack("<Q", source.reader.read(start + 40, 8, "the footer"))[0] != MAGIC:
        raise source.bad(f"does not end with the magic number {MAGIC:#x}: no checkpoint's index, or cut")
    _, at = _handle(source, start, start + 40)
    index, _ = _handle(source, at, start + 40)
    before, end = None, 0
    for key, value in _block(source, index, "the index block"):
        handle, _ = _handle(source, *value)
        if handle[0] < end:
            raise source.bad(f"has a block at byte {handle[0]}, within the one before, which ends at {end}: hostile")
        end = handle[0] + handle[1]
        for name, span in _block(source, handle, f"the block at byte {handle[0]}"):
            if before is not None and name <= before:
                raise source.bad(f"has the key {name[:80]!r} after {before[:80]!r}, wanted them sorted, each once")
            before = name
            yield name, span
        if before is not None and before > key:
            raise source.bad(f"has the key {before[:80]!r} in the block of {key[:80]!r}, wanted none beyond it")


def _handle(source, at, end):
    """((offset, size), where it ends)."""
    offset, at = source.varint(at, end, "a block's handle")
    size, at = source.varint(at, end, "a block's handle")
    return (offset, size), at


def _block(source, handle, what):
    """Equations (2) and (3): (key, span of the value) of each entry."""
    offset, size = handle
    source.reader.check(offset, size + TRAILER, what)
    raw = source.reader.read(offset, size + TRAILER, what)
    kind, crc = struct.unpack("<BI", raw[size:])
    if kind:
        raise source.bad(f"{what} is compressed ({COMPRESSIONS.get(kind, f'kind {kind}')}), wanted plain blocks")
    if Crc().add(raw[: size + 1]).masked != crc:
        raise source.bad(f"{what} has another checksum than its bytes: damaged")
    count = struct.unpack_from("<I", raw, size - 4)[0] if size >= 4 else -1
    end = size - 4 - 4 * count
    if count < 1 or end < 0:
        raise source.bad(f"{what} of {size} bytes has {count} restarts: hostile")
    yield from _entries(source, (offset, offset + end), what)


def _entries(source, span, what):
    at, end = span
    key = b""
    while at < end:
        shared, at = source.varint(at, end, what)
        own, at = source.varint(at, end, what)
        size, at = source.varint(at, end, what)
        if shared > len(key) or shared + own > LONGEST_TEXT or own + size > end - at:  # equation (3)
            raise source.bad(f"{what} has an entry of {shared} + {own} and {size} bytes at {at}, it ends at {end}: hostile")
        source.charge(2 * PER_OBJECT + shared + own)
        key = key[:shared] + source.reader.read(at, own, what)
        yield key, (at + own, at + own + size)
        at += own + size
