"""Concatenation problems: images and rows, either part with few or many channels."""

from dataclasses import dataclass
from typing import ClassVar

from .base import BATCHES, Case
from .prove import Claim, always


@dataclass(frozen=True)
class ConcatCase(Case):
    """Two arrays to put behind one another; rows (n, .) where h is 0."""

    n: int
    h: int
    w: int
    first: int
    second: int

    OP = "concat"
    DOMAIN: ClassVar = {
        "n": BATCHES,
        "h": (2, 0, 1, 3),
        "w": (2, 1, 5),
        "first": (2, 1, 3, 8, 17),
        "second": (1, 2, 4, 7, 16),
    }

    def shapes(self):
        lead = (self.n, self.h, self.w) if self.h else (self.n,)
        return {"a": (*lead, self.first), "b": (*lead, self.second)}

    def result(self):
        return (*self.shapes()["a"][:-1], self.first + self.second)

    def macs(self):
        return self.n * max(self.h, 1) * self.w * (self.first + self.second)


CASE = ConcatCase
CLAIMS = (
    Claim("concat.forward", exact=always),
    Claim("concat.backward", exact=always, backward_of="concat.forward"),
)
