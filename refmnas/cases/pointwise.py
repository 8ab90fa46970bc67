"""Pointwise problems: channels around every lane count on both sides."""

from dataclasses import dataclass
from typing import ClassVar

from .base import BATCHES, Case
from .prove import Claim, always


@dataclass(frozen=True)
class PointwiseCase(Case):
    """One pointwise convolution."""

    n: int
    h: int
    w: int
    c: int
    d: int
    bias: bool

    OP = "pointwise"
    DOMAIN: ClassVar = {
        "n": BATCHES,
        "h": (2, 1, 3, 5),
        "w": (3, 1, 2, 7),
        "c": (1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 64),
        "d": (1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 64),
        "bias": (True, False),
    }

    def shapes(self):
        return {
            "x": (self.n, self.h, self.w, self.c),
            "w": (self.c, self.d),
            "b": (self.d,) if self.bias else None,
        }

    def result(self):
        return (self.n, self.h, self.w, self.d)

    def macs(self):
        return self.n * self.h * self.w * self.c * self.d


CASE = PointwiseCase
CLAIMS = (
    Claim("pointwise.forward", exact=always),
    Claim("pointwise.backward", exact=always, backward_of="pointwise.forward", linear_in=("x", "w")),
)
