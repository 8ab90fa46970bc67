"""Resize problems: larger, smaller, the same; exact where every weight has few bits."""

from dataclasses import dataclass
from typing import ClassVar

from .base import BATCHES, Case, is_power_of_two
from .prove import Claim


@dataclass(frozen=True)
class ResizeCase(Case):
    """One image to bring to other extents."""

    n: int
    h: int
    w: int
    c: int
    size: tuple
    mode: str
    places: str
    rounding: str

    OP = "resize"
    DOMAIN: ClassVar = {
        "n": BATCHES,
        "h": (3, 1, 2, 4, 5, 7, 8),
        "w": (3, 1, 2, 4, 5, 7, 8, 9),
        "c": (1, 2, 3, 8, 9),
        "size": ((4, 8), (1, 1), (2, 2), (3, 5), (5, 3), (8, 4), (7, 6), (9, 9), (5, 4)),
        "mode": ("bilinear", "nearest"),
        "places": ("half_pixel", "align_corners", "asymmetric"),
        "rounding": ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil"),
    }

    def shapes(self):
        return {"x": (self.n, self.h, self.w, self.c)}

    def result(self):
        return (self.n, *self.size, self.c)

    def options(self):
        return {"size": self.size, "mode": self.mode, "places": self.places, "rounding": self.rounding}

    def macs(self):
        return 4 * self.n * self.size[0] * self.size[1] * self.c + self.n * self.size[0] * self.size[1] * self.h * self.w


def is_dyadic(case):
    """No weight is rounded: whole, or fractions of a power of two."""
    if case.mode == "nearest":
        return True
    extents = [max(P - 1, 1) if case.places == "align_corners" else P for P in case.size]
    return all(map(is_power_of_two, extents))


CASE = ResizeCase
CLAIMS = (
    Claim("resize.forward", exact=is_dyadic),
    Claim("resize.backward", exact=is_dyadic, backward_of="resize.forward", linear_in=("x",)),
)
