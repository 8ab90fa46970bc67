"""Depthwise problems: channels around every lane count, unequal pads, extents that stride does not divide."""

from dataclasses import dataclass
from typing import ClassVar

from .prove import Claim, always
from .window import WINDOW, WindowCase


@dataclass(frozen=True)
class DepthwiseCase(WindowCase):
    """One depthwise problem."""

    c: int

    OP = "depthwise"
    DOMAIN: ClassVar = WINDOW | {"c": (1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 31, 33, 40)}

    def shapes(self):
        return {
            "x": (self.n, self.h, self.w, self.c),
            "w": (self.kh, self.kw, self.c),
            "b": (self.c,) if self.bias else None,
        }

    def result(self):
        return (self.n, *self.extents(), self.c)

    def macs(self):
        P, Q = self.extents()
        return self.n * P * Q * self.c * self.kh * self.kw


CASE = DepthwiseCase
CLAIMS = (
    Claim("depthwise.forward", exact=always),
    Claim("depthwise.backward", exact=always, backward_of="depthwise.forward", linear_in=("x", "w")),
)
