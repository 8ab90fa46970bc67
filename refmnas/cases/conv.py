"""Convolution problems, dense and grouped: one to a few channels per group on either side."""

from dataclasses import dataclass
from typing import ClassVar

from .prove import Claim, always
from .window import WINDOW, WindowCase


@dataclass(frozen=True)
class ConvCase(WindowCase):
    """One convolution of `groups` groups, `f` channels of x and `o` of y in each."""

    groups: int
    f: int
    o: int

    OP = "conv"
    DOMAIN: ClassVar = WINDOW | {
        "h": (5, 1, 2, 3, 7, 8),
        "w": (5, 1, 2, 3, 7, 9),
        "groups": (1, 2, 3, 8),
        "f": (3, 1, 2, 4, 7, 9, 16),
        "o": (1, 2, 3, 4, 7, 8, 9, 16, 17, 33),
    }

    def shapes(self):
        D = self.groups * self.o
        return {
            "x": (self.n, self.h, self.w, self.groups * self.f),
            "w": (self.kh, self.kw, self.f, D),
            "b": (D,) if self.bias else None,
        }

    def result(self):
        return (self.n, *self.extents(), self.groups * self.o)

    def options(self):
        return super().options() | {"groups": self.groups}

    def macs(self):
        P, Q = self.extents()
        return self.n * P * Q * self.groups * self.o * self.kh * self.kw * self.f


CASE = ConvCase
CLAIMS = (
    Claim("conv.forward", exact=always),
    Claim("conv.backward", exact=always, backward_of="conv.forward", linear_in=("x", "w")),
)
