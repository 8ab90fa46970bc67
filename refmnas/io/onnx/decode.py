"""Protocol Buffers read back: the fields of a message as spans of an open file, nothing copied, nothing nested.

A message is read by a table {field number: (name, kind)}; fields that the table does not
know are stepped over, as the format wants.  What stays in memory is paid for from an account,
so that a file of many small things is refused before they fill the memory.

Source: the encoding page of the Protocol Buffers documentation; equations (1) and (2) of `wire`.
"""

from __future__ import annotations

import struct

import numpy as np

from .wire import FIXED32, LENGTH, VARINT

FIXED64 = 1
BLOCK = 1 << 16  # bytes of the file that are held at a time
SHORT = 64  # bytes of a run of numbers that are taken one by one
LONGEST_TEXT = 4096  # bytes of a name
SHARE = 12  # bytes of objects for each byte of max_header
PER_FIELD, PER_OBJECT, PER_SPAN, PER_NUMBER, PER_MESSAGE = 48, 64, 104, 40, 320  # what things cost, in bytes

INT, INTS, REAL, REALS, TEXT, TEXTS, SPAN, SPANS, DATA = (
    "int", "ints", "real", "reals", "text", "texts", "span", "spans", "data",
)  # fmt: skip
_KINDS = {INT: (VARINT,), REAL: (FIXED32,), INTS: (VARINT, LENGTH), REALS: (FIXED32, LENGTH), DATA: (0, 1, 2, 5)}
_MANY = {INTS, REALS, TEXTS, SPANS, DATA}
Span = tuple[int, int]


class Source:
    """The bytes of an open file, and the account of what is made of them."""

    def __init__(self, reader, limits):
        self.reader, self.limits = reader, limits
        self._left = SHARE * limits.max_header
        self._block, self._start = b"", 0

    def bad(self, text):
        return self.reader.bad(text)

    def charge(self, cost):
        """FormatError where all that was read so far takes more memory than max_header allows."""
        self._left -= cost
        if self._left < 0:
            cap = self.limits.max_header
            raise self.bad(f"nodes, names and numbers take more than {SHARE} * {cap} bytes of memory; raise max_header=")

    def byte(self, at):
        """One byte; the caller has checked that it lies within the file."""
        if not self._start <= at < self._start + len(self._block):
            self._block = self.reader.read(at, min(BLOCK, self.reader.size - at), "a message")
            self._start = at
        return self._block[at - self._start]

    def read(self, span, most, what):
        """The bytes of a span, at most so many."""
        if span[1] - span[0] > most:
            raise self.bad(f"{what} has {span[1] - span[0]} bytes, wanted at most {most}")
        self.charge(PER_OBJECT + span[1] - span[0])
        return self.reader.read(span[0], span[1] - span[0], what)

    def text(self, span, what):
        """A span as UTF-8."""
        try:
            return self.read(span, LONGEST_TEXT, what).decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.bad(f"{what} is no valid UTF-8: {error.reason} at byte {span[0] + error.start}") from None

    def varint(self, at, end, what):
        """(the number, where it ends): equation (1), unsigned."""
        here = at - self._start
        if at < end and 0 <= here < len(self._block) and self._block[here] < 128:  # most numbers: one byte, at hand
            return self._block[here], at + 1
        total = 0
        for shift in range(0, 70, 7):
            if at >= end:
                raise self.bad(f"{what} ends at byte {end}, within a number: cut or hostile")
            byte = self.byte(at)
            total, at = total | (byte & 127) << shift, at + 1
            if byte < 128:
                return total & 2**64 - 1, at
        raise self.bad(f"{what} has a number of more than 10 bytes at byte {at - 10}: hostile")

    def fields(self, span, what):
        """(field number, wire type, number or None, span of what it holds) of each field of the message in a span."""
        at, end = span
        while at < end:
            self.charge(PER_FIELD)
            tag, at = self.varint(at, end, what)
            kind, value, start = tag & 7, None, at
            if kind == VARINT:
                value, at = self.varint(at, end, what)
            elif kind == LENGTH:
                size, start = self.varint(at, end, what)
                at = start + size
            elif kind in (FIXED32, FIXED64):
                at += 4 if kind == FIXED32 else 8
            else:
                raise self.bad(f"{what} has the wire type {kind} at byte {start}: another format, or hostile")
            if at > end or not 0 < tag >> 3 < 2**29:
                raise self.bad(f"{what} has the field {tag >> 3} of bytes {start} to {at}, it ends at {end}: cut or hostile")
            yield tag >> 3, kind, value, (start, at)

    def message(self, span, what, table):
        """{name: value} of a message; a field that may stand often has a list, one that is absent None."""
        self.charge(PER_MESSAGE)
        found = {name: [] if kind in _MANY else None for name, kind in table.values()}
        for number, wire, value, inner in self.fields(span, what):
            if number not in table:
                continue
            name, kind = table[number]
            if wire not in _KINDS.get(kind, (LENGTH,)):
                raise self.bad(f"{what}: {name} has the wire type {wire}: another format, or hostile")
            if kind not in _MANY:
                if found[name] is not None:
                    raise self.bad(f"{what} has {name} twice")
                found[name] = self._single(kind, value, inner, f"{what}: {name}")
            elif kind in (TEXTS, SPANS, DATA):
                self.charge(PER_OBJECT if kind == TEXTS else PER_SPAN)
                found[name].append(self.text(inner, f"{what}: {name}") if kind == TEXTS else inner)
            else:
                found[name] += self._numbers(kind, wire, value, inner, f"{what}: {name}")
        return found

    def _few(self, span, what):
        at, end = span
        while at < end:
            value, at = self.varint(at, end, what)
            yield signed(value)

    def _single(self, kind, value, span, what):
        if kind == INT:
            return signed(value)
        if kind == REAL:
            return struct.unpack("<f", self.reader.read(span[0], 4, what))[0]
        return self.text(span, what) if kind == TEXT else span

    def _numbers(self, kind, wire, value, span, what):
        """One entry of a repeated field of numbers, or a packed run of them."""
        if wire == VARINT:
            self.charge(PER_NUMBER)
            return [signed(value)]
        count = span[1] - span[0]
        self.charge(PER_NUMBER * (count if kind == INTS else count // 4))
        if kind == INTS and count <= SHORT:  # NumPy's calls would cost more than the numbers: many short runs took seconds
            return list(self._few(span, what))
        raw = np.frombuffer(self.reader.read(*_offset(span), what), np.uint8)
        if kind == INTS:
            return varints(raw, lambda text: self.bad(f"{what} {text}")).tolist()
        if count % 4:
            raise self.bad(f"{what} has {count} bytes, wanted a multiple of 4")
        return raw.view("<f4").tolist()


def signed(number):
    """64-bit two's complement."""
    return number - 2**64 if number >= 2**63 else number


def _offset(span):
    return span[0], span[1] - span[0]


def varints(raw, bad):
    """A run of numbers by equation (1), as int64.

    >>> varints(np.frombuffer(bytes.fromhex("01ac02"), np.uint8), ValueError)
    array([  1, 300])
    """
    ends = np.flatnonzero(raw < 128)
    starts = np.concatenate(([0], ends[:-1] + 1)) if len(ends) else ends
    lengths = ends - starts + 1
    if len(raw) and (not len(ends) or ends[-1] != len(raw) - 1 or lengths.max() > 10):
        raise bad("ends within a number, or has one of more than 10 bytes: cut or hostile")
    total = np.zeros(len(ends), np.uint64)
    for k in range(lengths.max(initial=0)):
        longer = lengths > k
        total[longer] |= (raw[starts[longer] + k] & np.uint8(127)).astype(np.uint64) << np.uint64(7 * k)
    return total.view(np.int64)
