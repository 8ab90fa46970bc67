"""Protocol Buffers on the wire: the few forms that ONNX uses.

    varint     seven bits a byte, lowest first, the highest bit set but in the last      (1)
    tag        varint of field << 3 | type                                               (2)
    type 0     a varint; negative numbers as 64-bit two's complement
    type 2     a varint of the length, then so many bytes: text, bytes, a message
    type 5     four bytes, little endian: a float

A message holds its arrays as views until it is written, so a network's weights are
not copied.

Source: the encoding page of the Protocol Buffers documentation.
"""

from __future__ import annotations

import struct

VARINT, LENGTH, FIXED32 = 0, 2, 5
LONGEST = 2**31 - 1  # bytes of a message, of which the runtimes' parsers take no more


def varint(number):
    """Equation (1).

    >>> varint(1).hex(), varint(300).hex(), len(varint(-1))
    ('01', 'ac02', 10)
    """
    number &= 2**64 - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


class Message:
    """A message as its pieces, in the order in which its fields are added; every call returns the message.

    >>> Message().number(1, 8).text(2, "ab").encoded().hex()
    '080812026162'
    """

    def __init__(self):
        self.size = 0  # bytes
        self._pieces: list[bytes | memoryview] = []

    def number(self, field, value):
        """An integer, a boolean or an enumeration's value."""
        return self._add(varint(field << 3 | VARINT) + varint(value))

    def real(self, field, value):
        """A float of 32 bits."""
        return self._add(varint(field << 3 | FIXED32) + struct.pack("<f", value))

    def text(self, field, value):
        """A text, as UTF-8."""
        return self.raw(field, value.encode("utf-8"))

    def raw(self, field, value):
        """Bytes, or a view of some."""
        view = memoryview(value).cast("B") if len(value) else b""
        return self._head(field, len(view))._add(view)

    def message(self, field, value):
        """Another message."""
        self._head(field, value.size)
        self._pieces += value._pieces
        self.size += value.size
        return self

    def pieces(self):
        """What to write, in order."""
        return iter(self._pieces)

    def encoded(self):
        """All of it as bytes."""
        return b"".join(self._pieces)

    def _head(self, field, length):
        return self._add(varint(field << 3 | LENGTH) + varint(length))

    def _add(self, piece):
        self._pieces.append(piece)
        self.size += len(piece)
        return self
