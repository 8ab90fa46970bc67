"""A zip archive read with bounds: what npz and torch's files need, and no more.

Refused before anything is allocated: more entries than the cap, doubled names,
names that leave the archive, entries that overlap, encrypted entries, methods
other than stored and deflate, and sizes that deflate cannot reach.

Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3 (zip64).
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

import numpy as np

END = struct.Struct("<4s4H2IH")
END64 = struct.Struct("<4sQ2H2I4Q")
LOCATOR64 = struct.Struct("<4sIQI")
CENTRAL = struct.Struct("<4s6H3I5H2I")
LOCAL = struct.Struct("<4s5H3I2H")
STORED, DEFLATED = 0, 8
ENCRYPTED, UTF8 = 0x2041, 0x800
MOST_RATIO = 1032  # deflate's: 258 bytes from two bits
OTHER_ENTRIES = 64  # that are no tensors: the pickle, versions
BLOCK = 1 << 16


class Entry(NamedTuple):
    """One file of the archive, as the directory at its end tells."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int


def unsafe(name):
    """Why a name may not stand in an archive, or None."""
    if "\\" in name or "\0" in name:
        return "a backslash or a zero byte"
    if name.startswith("/") or name[1:2] == ":":
        return "an absolute path"
    if ".." in name.split("/"):
        return "a way out of the archive"
    return None


class Archive:
    """The entries of a zip: `names`, and `open(name)` for a stream of one's bytes."""

    def __init__(self, reader, limits):
        self.reader = reader
        count, size, self.start = self._end()
        limits.check_header(size, reader, "the zip directory")
        if count > limits.max_tensors + OTHER_ENTRIES:
            raise reader.bad(f"holds {count} entries, the cap is {limits.max_tensors} tensors; raise max_tensors=")
        if count * CENTRAL.size > size:
            raise reader.bad(f"the zip directory has {size} bytes, too few for {count} entries: cut or hostile")
        self._directory = reader.read(self.start, size, "the zip directory")
        self._at: dict[str, int] = {}
        self._scan(count)

    @property
    def names(self):
        return list(self._at)

    def __contains__(self, name):
        return name in self._at

    def entry(self, name):
        return self._parse(self._at[name])[0]

    def open(self, name):
        """A stream over one entry, checked to lie between its neighbours."""
        entry = self.entry(name)
        what = f"zip entry {name!r}"
        head = LOCAL.unpack(self.reader.read(entry.offset, LOCAL.size, what))
        if head[0] != b"PK\x03\x04" or head[3] != entry.method or head[2] & ENCRYPTED:
            raise self.reader.bad(f"{what}: its own header differs from the directory's")
        start = entry.offset + LOCAL.size + head[9] + head[10]
        here = self.reader.read(entry.offset + LOCAL.size, head[9], what)
        if here != self._raw_name(self._at[name]):
            raise self.reader.bad(f"{what}: its own header has another name, {here[:40]!r}")
        following = np.searchsorted(self._offsets, entry.offset, side="right")
        limit = self._offsets[following] if following < len(self._offsets) else self.start
        if start + entry.packed > limit:
            raise self.reader.bad(f"{what} runs into the next entry")
        return Stream(self.reader, entry, start, what)

    def _end(self):
        """(entries, bytes, offset) of the directory, from the archive's last record."""
        reader = self.reader
        count = min(reader.size, END.size + 0xFFFF)
        tail = reader.read(reader.size - count, count, "the zip's end")
        found = tail.rfind(b"PK\x05\x06")
        if found < 0 or found + END.size > len(tail):
            raise reader.bad("a zip without its end record: cut")
        _, disk, first, here, entries, size, start, comment = END.unpack_from(tail, found)
        if found + END.size + comment != len(tail) or disk or first or here != entries:
            raise reader.bad("the zip's end record does not end the file, or tells of several disks: cut or hostile")
        end = reader.size - count + found
        if found >= LOCATOR64.size and tail[found - LOCATOR64.size :].startswith(b"PK\x06\x07"):
            at = LOCATOR64.unpack_from(tail, found - LOCATOR64.size)[2]
            record = END64.unpack(reader.read(at, END64.size, "the zip64 end record"))
            if record[0] != b"PK\x06\x06" or record[4] or record[5] or record[6] != record[7]:
                raise reader.bad("the zip64 end record is damaged")
            entries, size, start = record[7:10]
            end = at
        if start + size != end:
            raise reader.bad(f"the zip directory lies at {start} to {start + size}, wanted its end at {end}: cut")
        return entries, size, start

    def _scan(self, count):
        at, spans = 0, np.zeros((count, 2), np.int64)
        for k in range(count):
            entry, following = self._parse(at)
            self._check(entry)
            spans[k] = entry.offset, entry.offset + LOCAL.size + entry.packed
            self._at[entry.name] = at
            at = following
        if at != len(self._directory):
            raise self.reader.bad(f"the zip directory has {len(self._directory)} bytes, its entries end at {at}")
        spans = spans[np.argsort(spans[:, 0], kind="stable")]
        if np.any(spans[1:, 0] < spans[:-1, 1]):
            raise self.reader.bad("zip entries overlap")
        self._offsets = spans[:, 0]

    def _check(self, entry):
        """What is refused of an entry."""
        bad, what = self.reader.bad, f"zip entry {entry.name[:80]!r}"
        if entry.name in self._at:
            raise bad(f"{what} occurs twice")
        if reason := unsafe(entry.name):
            raise bad(f"{what}: {reason} in a name")
        if entry.flags & ENCRYPTED:
            raise bad(f"{what} is encrypted, wanted a plain one")
        if entry.method not in (STORED, DEFLATED):
            raise bad(f"{what} is packed by method {entry.method}, wanted stored or deflate")
        if entry.method == STORED and entry.size != entry.packed:
            raise bad(f"{what} is stored with {entry.packed} bytes, and declares {entry.size}")
        if entry.size > MOST_RATIO * entry.packed + BLOCK:
            raise bad(f"{what} declares {entry.size} bytes from {entry.packed}, more than deflate can hold")
        if entry.offset + LOCAL.size + entry.packed > self.start:
            raise bad(f"{what} runs past the directory: cut or hostile")

    def _raw_name(self, at):
        return self._directory[at + CENTRAL.size :][: CENTRAL.unpack_from(self._directory, at)[10]]

    def _parse(self, at):
        """(entry, where the next begins) from the directory's bytes at `at`."""
        raw, bad = self._directory, self.reader.bad
        if at + CENTRAL.size > len(raw):
            raise bad("the zip directory ends within an entry: cut")
        head = CENTRAL.unpack_from(raw, at)
        name_at = at + CENTRAL.size
        extra_at = name_at + head[10]
        following = extra_at + head[11] + head[12]
        if head[0] != b"PK\x01\x02" or following > len(raw):
            raise bad("the zip directory is damaged")
        try:
            name = raw[name_at:extra_at].decode("utf-8" if head[3] & UTF8 else "cp437")
        except UnicodeDecodeError:
            raise bad("a zip entry's name is no valid UTF-8") from None
        sizes = self._wide(raw[extra_at : extra_at + head[11]], head)
        return Entry(name, head[3], head[4], head[7], *sizes), following

    def _wide(self, extra, head):
        """(packed, size, offset), those of 32 ones taken from the zip64 field."""
        size, packed, offset = head[9], head[8], head[16]
        values = {"size": size, "packed": packed, "offset": offset}
        missing = [key for key, value in values.items() if value == 0xFFFFFFFF]
        at = 0
        while missing and at + 4 <= len(extra):
            kind, length = struct.unpack_from("<2H", extra, at)
            if kind == 1 and length >= 8 * len(missing) and at + 4 + length <= len(extra):
                values.update(zip(missing, struct.unpack_from(f"<{len(missing)}Q", extra, at + 4), strict=True))
                missing = []
            at += 4 + length
        if missing or max(values.values()) > self.reader.size * (MOST_RATIO + 1) + BLOCK:
            raise self.reader.bad("a zip entry lacks its 64-bit sizes, or they exceed the file: cut or hostile")
        return values["packed"], values["size"], values["offset"]


class Stream:
    """The bytes of one entry from front to back; `finish` checks length and checksum."""

    def __init__(self, reader, entry, start, what):
        self.reader, self.entry, self.what = reader, entry, what
        self.left, self._crc = entry.size, 0
        self._source = reader.span(start, entry.packed, what)
        self._inflate = zlib.decompressobj(-15) if entry.method == DEFLATED else None

    def readinto(self, view):
        """Fill all of `view`, a writable view of bytes."""
        if len(view) > self.left:
            raise self.reader.bad(f"{self.what}: wants {len(view)} more bytes, {self.left} are left")
        for start in range(0, len(view), BLOCK):
            part = view[start : start + BLOCK]
            if self._inflate is None:
                self._source.readinto(part)
            else:
                self._inflated(part)
            self._crc = zlib.crc32(part, self._crc)
        self.left -= len(view)

    def read(self, count):
        block = bytearray(count)
        self.readinto(memoryview(block))
        return bytes(block)

    def finish(self):
        if self.left or self._source.left or (self._inflate and (self._more(1) or self._inflate.unused_data)):
            raise self.reader.bad(f"{self.what}: bytes are left over")
        if self._crc != self.entry.crc:
            raise self.reader.bad(f"{self.what}: the checksum is {self._crc:08x}, wanted {self.entry.crc:08x}: damaged")

    def _inflated(self, view):
        done = 0
        while done < len(view):
            block = self._more(len(view) - done)
            if not block:
                raise self.reader.bad(f"{self.what}: the compressed bytes end early")
            view[done : done + len(block)] = block
            done += len(block)

    def _more(self, count):
        """Up to `count` more bytes; empty at the end of the compressed data."""
        while not self._inflate.eof:
            packed = self._inflate.unconsumed_tail
            if not packed and self._source.left:
                buffer = bytearray(min(BLOCK, self._source.left))
                self._source.readinto(memoryview(buffer))
                packed = bytes(buffer)
            try:
                block = self._inflate.decompress(packed, count)
            except zlib.error as error:
                raise self.reader.bad(f"{self.what}: {error}") from None
            if block or not (packed or self._source.left):
                return block
        return b""
