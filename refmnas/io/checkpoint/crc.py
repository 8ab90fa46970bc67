"""CRC-32C (Castagnoli) of many bytes, in NumPy: lanes side by side, joined by the checksum's linearity.

With S(c, b) = T[(c xor b) mod 256] xor (c >> 8) a byte's step and R(m) the steps over m from 0:

    R(0...0 m) = R(m)                                          zeros in front change nothing      (1)
    R(c, m)    = Z^|m|(c) xor R(m),  Z(c) = S(c, 0)            steps over m from c: Z is linear   (2)
    crc(m)     = not R(2^32 - 1, m)                                                                (3)
    masked     = ((crc >> 15) | (crc << 17)) + 0xa282ead8      as files hold it                   (4)

Z^(2^k) is kept as four tables, of what it makes of each byte of c.

Source: Castagnoli et al. 1993 for the polynomial; (4) as the table format of LevelDB and TensorFlow has it.
"""

from __future__ import annotations

from functools import cache

import numpy as np

POLYNOMIAL = np.uint32(0x82F63B78)  # bits reversed
CHUNK = 1 << 20  # bytes that are held turned at a time
SHORT = 512  # up to so many bytes a plain loop is the faster way
_ALL = 0xFFFFFFFF
_SHIFTS = tuple(map(np.uint32, (0, 8, 16, 24)))


def _table():
    c = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        c = np.where(c & 1, (c >> 1) ^ POLYNOMIAL, c >> 1)
    return c


TABLE = _table()
_NUMBERS = TABLE.tolist()


@cache
def _doubled(k):
    """Z^(2^k) of each value of each of the four bytes: (4, 256)."""
    bytes_ = np.arange(256, dtype=np.uint32)
    inputs = np.stack([bytes_ << shift for shift in _SHIFTS])
    if not k:
        return TABLE[inputs & 255] ^ (inputs >> 8)
    return _applied(k - 1, _applied(k - 1, inputs))


def _applied(k, c):
    """Z^(2^k) of numbers."""
    first, second, third, fourth = (table[c >> shift & 255] for table, shift in zip(_doubled(k), _SHIFTS, strict=True))
    return first ^ second ^ third ^ fourth


def _over(count, c):
    """Z^count of numbers."""
    for k in range(count.bit_length()):
        c = _applied(k, c) if count >> k & 1 else c
    return c


class Crc:
    """A checksum that grows.

    >>> one = Crc().add(b"1234").add(b"56789")
    >>> hex(one.value), hex(one.masked)
    ('0xe3069283', '0xc78ab0e5')
    """

    def __init__(self):
        self._state = _ALL

    def add(self, raw):
        """Bytes more, or a view of some; itself."""
        flat = np.frombuffer(raw, np.uint8)
        for start in range(0, len(flat), CHUNK):
            part = flat[start : start + CHUNK]
            self._state = _stepped(self._state, part) if len(part) <= SHORT else _joined(self._state, part)
        return self

    @property
    def value(self):
        """Equation (3)."""
        return self._state ^ _ALL

    @property
    def masked(self):
        """Equation (4)."""
        crc = self.value
        return ((crc >> 15 | crc << 17 & _ALL) + 0xA282EAD8) & _ALL


def _stepped(c, part):
    """R(c, part), byte by byte."""
    for byte in part.tobytes():
        c = _NUMBERS[(c ^ byte) & 255] ^ c >> 8
    return c


def _joined(c, part):
    """R(c, part) by equation (2)."""
    return int((_over(len(part), np.full(1, c, np.uint32)) ^ _rest(part))[0])


def _rest(part):
    """R of at most CHUNK bytes, as (1): so many zeros in front that 2^k lanes take 2^k or 2^(k+1) steps each."""
    power = (len(part) - 1).bit_length() if len(part) > 1 else 0
    lanes, steps = 1 << power // 2, 1 << power - power // 2
    columns = np.zeros(lanes * steps, np.uint8)
    columns[lanes * steps - len(part) :] = part
    c = np.zeros(lanes, np.uint32)
    for column in np.ascontiguousarray(columns.reshape(lanes, steps).T):
        c = TABLE[(c ^ column) & 255] ^ (c >> 8)
    for k in range(power - power // 2, power):  # two neighbours, the first followed by 2^k bytes of the second
        c = _applied(k, c[::2]) ^ c[1::2]
    return c
