"""Dropout problems: exact where 1 - rate is a power of two."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import BATCHES, Case, is_power_of_two
from .prove import Claim

RATES = (0.5, 0.0, 0.75, 0.2, 0.9, 0.1)


@dataclass(frozen=True)
class DropoutCase(Case):
    """Some values and a mask."""

    n: int
    c: int
    rate: float

    OP = "dropout"
    DOMAIN: ClassVar = {"n": BATCHES, "c": (3, 1, 2, 8, 17, 33), "rate": RATES}

    def shapes(self):
        return {"x": (self.n, self.c), "mask": (self.n, self.c)}

    def arrays(self, data="reals", dtype=np.float32):
        given = super().arrays(data, dtype)
        return given | {"mask": (given["mask"] > 0).astype(dtype)}

    def result(self):
        return self.shapes()["x"]

    def options(self):
        return {"rate": self.rate}

    def macs(self):
        return 4 * self.n * self.c


def scales_exactly(case):
    """The factor 1 / (1 - rate) is a power of two."""
    return is_power_of_two(1 / (1 - case.rate))


CASE = DropoutCase
CLAIMS = (
    Claim("dropout.forward", exact=scales_exactly),
    Claim("dropout.backward", exact=scales_exactly, backward_of="dropout.forward", linear_in=("x",)),
)
