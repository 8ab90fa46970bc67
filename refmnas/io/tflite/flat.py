"""FlatBuffers, read within bounds: no offset is followed, and no length believed, before it is held to the file.

    table at p      a signed 32-bit s, then its fields; its vtable at p - s              (1)
    vtable          16-bit numbers: its own size, the table's size, then for each slot
                    where in the table the field stands, 0 where it does not             (2)
    reference       an unsigned 32-bit o, at q: what it refers to stands at q + o        (3)
    vector, text    a 32-bit count, then the elements (a text: UTF-8 and a 0)            (4)

All little endian.  References lead forwards alone, so nothing can contain itself; that many
may lead to one thing is paid for, as every object is, from the account of `decode.Source`.

Source: the internals page of the FlatBuffers documentation.
"""

from __future__ import annotations

import struct

import numpy as np

from ..onnx.decode import PER_FIELD, PER_MESSAGE, PER_NUMBER, PER_SPAN, Source

PAGE = 1 << 12  # bytes that are read at once
PAGES = 256  # that are held
LARGEST_TABLE = 1 << 10  # bytes of a table or a vtable: TFLite's have far fewer


class Flat(Source):
    """An open file of tables, and the account of what is made of them."""

    def __init__(self, reader, limits):
        super().__init__(reader, limits)
        self._pages: dict[int, bytes] = {}

    def number(self, at, code, what):
        """One number of struct's code."""
        return struct.unpack("<" + code, self.some(at, struct.calcsize("<" + code), what))[0]

    def some(self, at, count, what):
        """A few bytes, by way of the pages."""
        self.reader.check(at, count, what)
        first, last = at // PAGE, (at + count - 1) // PAGE
        if first != last or count > PAGE:
            return self.reader.read(at, count, what)
        if first not in self._pages:
            if len(self._pages) >= PAGES:
                self._pages.clear()
            start = first * PAGE
            self._pages[first] = self.reader.read(start, min(PAGE, self.reader.size - start), what)
        return self._pages[first][at % PAGE : at % PAGE + count]

    def follow(self, at, what):
        """Equation (3): where the reference at `at` leads to."""
        offset = self.number(at, "I", what)
        if not 4 <= offset <= self.reader.size - at - 4:
            raise self.bad(f"{what} at byte {at} refers to byte {at + offset}, the file has {self.reader.size}: cut or hostile")
        return at + offset

    def table(self, at, what, fields):
        """{name: value} of the table at `at`, absent fields by their defaults: equations (1) and (2).

        The kinds: a letter, a number; "table" a position; "tables" positions; "ints" a tuple of int32; "text";
        "span" (start, end) of a vector of numbers, "there" whether the field is there at all.
        """
        self.charge(PER_MESSAGE + PER_FIELD * len(fields))
        vtable = at - self.number(at, "i", what)
        if not 0 <= vtable <= self.reader.size - 4:
            raise self.bad(f"{what} at byte {at} has its vtable at byte {vtable}, the file has {self.reader.size}: hostile")
        size, room = struct.unpack("<HH", self.some(vtable, 4, what))
        if size % 2 or not 4 <= size <= LARGEST_TABLE or not 4 <= room <= LARGEST_TABLE:
            raise self.bad(f"{what} at byte {at} has a vtable of {size} bytes and says {room} of itself: hostile")
        self.reader.check(at, room, what)
        slots = struct.unpack(f"<{(size - 4) // 2}H", self.some(vtable + 4, size - 4, what)) if size > 4 else ()
        found = {}
        for name, (slot, kind, default) in fields.items():
            offset = slots[slot] if slot < len(slots) else 0
            width = struct.calcsize("<" + kind) if len(kind) == 1 else 4
            if offset and not 4 <= offset <= room - width and kind != "there":
                raise self.bad(f"{what} has {name} at its byte {offset}, it has {room}: hostile")
            found[name] = self._field(at + offset, kind, f"{what}: {name}") if offset else default
        return found

    def _field(self, at, kind, what):
        if len(kind) == 1:
            return self.number(at, kind, what)
        if kind == "there":
            return True
        place = self.follow(at, what)
        if kind == "table":
            return place
        start, count = place + 4, self.number(place, "I", what)
        if kind == "text":
            self.reader.check(start, count, what)
            return self.text((start, start + count), what)
        if kind == "span":
            self.reader.check(start, count, what)  # of bytes; whose elements are wider checks again
            return start, start + count
        self.reader.check(start, 4 * count, what)
        self.charge((PER_SPAN if kind == "tables" else PER_NUMBER) * count)
        numbers = np.frombuffer(self.reader.read(start, 4 * count, what), "<u4" if kind == "tables" else "<i4").tolist()
        return self._places(start, numbers, what) if kind == "tables" else tuple(numbers)

    def _places(self, start, offsets, what):
        """Equation (3) for each reference of a vector."""
        places = [start + 4 * k + offset for k, offset in enumerate(offsets)]
        for place, offset in zip(places, offsets, strict=True):
            if offset < 4 or place > self.reader.size - 4:
                raise self.bad(f"{what} refers to byte {place}, the file has {self.reader.size}: cut or hostile")
        return places
