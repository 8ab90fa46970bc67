"""Pooling problems: exact where the number of pixels is a power of two."""

from dataclasses import dataclass
from typing import ClassVar

from .base import BATCHES, Case, is_power_of_two
from .prove import Claim


@dataclass(frozen=True)
class PoolCase(Case):
    """One image to average."""

    n: int
    h: int
    w: int
    c: int

    OP = "pool"
    DOMAIN: ClassVar = {
        "n": BATCHES,
        "h": (2, 1, 3, 4, 7, 8),
        "w": (2, 1, 3, 4, 7, 8, 16),
        "c": (1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 33),
    }

    def shapes(self):
        return {"x": (self.n, self.h, self.w, self.c)}

    def result(self):
        return (self.n, self.c)

    def macs(self):
        return self.n * self.h * self.w * self.c


def divides(case):
    """The division by H*W rounds nothing."""
    return is_power_of_two(case.h * case.w)


CASE = PoolCase
CLAIMS = (
    Claim("pool.forward", exact=divides),
    Claim("pool.backward", exact=divides, backward_of="pool.forward", linear_in=("x",)),
)
