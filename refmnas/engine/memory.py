"""Where every buffer of a program lies: those that live at the same time apart, the others over one another."""

from __future__ import annotations

from dataclasses import dataclass

from .pack import LINE


@dataclass
class Buffer:
    """Floats that live from step `first` to step `last`, both included."""

    name: str
    size: int
    first: int
    last: int
    at: int = -1  # where it lies, once placed


def place(buffers):
    """Give every buffer its place; the size of all together.

    Largest first, each at the lowest place that is free while it lives.

    >>> a, b, c = Buffer("a", 64, 0, 1), Buffer("b", 32, 1, 2), Buffer("c", 64, 2, 3)
    >>> place([a, b, c]), a.at, b.at, c.at
    (96, 0, 64, 0)
    """
    placed: list[Buffer] = []
    for buffer in sorted(buffers, key=lambda b: (-b.size, b.first)):
        beside = sorted((b for b in placed if b.first <= buffer.last and buffer.first <= b.last), key=lambda b: b.at)
        at = 0
        for other in beside:
            if at + _room(buffer) <= other.at:
                break
            at = max(at, other.at + _room(other))
        buffer.at = at
        placed.append(buffer)
    return max((b.at + _room(b) for b in placed), default=0)


def _room(buffer):
    """Whole cache lines."""
    return -(-buffer.size // LINE) * LINE
