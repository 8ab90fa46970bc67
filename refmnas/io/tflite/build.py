"""FlatBuffers, written: tables as trees, front to back, weights as views.

    Table({slot: value})    a value is a Number, or one of those below
    Tables([...])           a vector of references
    Ints((...))             a vector of int32
    Text("...")
    Raw(array)              the bytes of an array, from a multiple of 16 on

Every number stands at a multiple of its own size.  References lead forwards: equations (1) to (4)
of `flat`.  The same trees give the same bytes.

Source: the internals page of the FlatBuffers documentation.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

LONGEST = 2**31 - 1  # bytes of a file, beyond which offsets are not followed by the runtimes
ALIGNED = 16  # of a weight's first byte


class Number(NamedTuple):
    """A number of struct's code."""

    code: str
    value: int | float | bool


class Ints(NamedTuple):
    """A vector of int32."""

    values: tuple[int, ...]


class Text(NamedTuple):
    """UTF-8."""

    value: str


class Raw(NamedTuple):
    """An array's bytes; it must be contiguous, and little endian."""

    array: np.ndarray


@dataclass(frozen=True)
class Table:
    """Slot -> value."""

    fields: dict[int, Any]


@dataclass(frozen=True)
class Tables:
    """A vector of tables."""

    entries: list[Table]


class Pieces:
    """A file as its pieces, in order.

    >>> Pieces(Table({0: Number("i", 7)}), b"TFL3").encoded().hex(" ", 4)
    '10000000 54464c33 00000600 08000400 06000000 07000000'
    """

    def __init__(self, root, identifier):
        self.size = 0
        self._pieces: list[Any] = []
        head = self._add(bytearray(4 + len(identifier)))
        head[4:] = identifier
        struct.pack_into("<I", head, 0, self._place(root))

    def __iter__(self):
        return iter(self._pieces)

    def encoded(self):
        """All of it as bytes."""
        return b"".join(self._pieces)

    def _place(self, value):
        """Write a value; where it stands."""
        if isinstance(value, Table):
            return self._table(value)
        if isinstance(value, Tables):
            return self._references(value.entries)
        if isinstance(value, Text):
            raw = value.value.encode("utf-8")
            return self._vector(len(raw), raw + b"\0", 4)
        if isinstance(value, Ints):
            return self._vector(len(value.values), struct.pack(f"<{len(value.values)}i", *value.values), 4)
        view = memoryview(value.array.reshape(-1)).cast("B") if value.array.size else b""
        return self._vector(len(view), view, ALIGNED)

    def _table(self, table):
        """The vtable, the table, then what it refers to."""
        widths = {slot: struct.calcsize("<" + v.code) if isinstance(v, Number) else 4 for slot, v in table.fields.items()}
        offsets, room = {}, 4
        for slot in sorted(table.fields, key=lambda slot: (-widths[slot], slot)):
            room += -room % widths[slot]
            offsets[slot], room = room, room + widths[slot]
        count = max(table.fields, default=-1) + 1
        vtable = struct.pack(f"<{count + 2}H", 4 + 2 * count, room, *(offsets.get(slot, 0) for slot in range(count)))
        self._align(max([4, *widths.values()]), len(vtable))
        start = self.size
        self._add(vtable)
        at, body = self.size, self._add(bytearray(room))
        struct.pack_into("<i", body, 0, at - start)
        for slot, value in table.fields.items():
            if isinstance(value, Number):
                struct.pack_into("<" + value.code, body, offsets[slot], value.value)
            else:
                struct.pack_into("<I", body, offsets[slot], self._place(value) - at - offsets[slot])
        return at

    def _references(self, entries):
        self._align(4)
        at, body = self.size, self._add(bytearray(4 + 4 * len(entries)))
        struct.pack_into("<I", body, 0, len(entries))
        for k, entry in enumerate(entries):
            here = 4 + 4 * k
            struct.pack_into("<I", body, here, self._place(entry) - at - here)
        return at

    def _vector(self, count, raw, aligned):
        self._align(aligned, 4)
        at = self.size
        self._add(struct.pack("<I", count & 0xFFFFFFFF))
        self._add(raw)
        return at

    def _align(self, multiple, ahead=0):
        """Zeros, so that what stands `ahead` bytes later begins at a multiple."""
        self._add(bytes(-(self.size + ahead) % multiple))

    def _add(self, piece):
        self._pieces.append(piece)
        self.size += len(piece)
        return piece
