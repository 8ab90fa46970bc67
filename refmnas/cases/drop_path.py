"""Drop-path problems: whole samples dropped; exact where 1 - rate is a power of two."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import BATCHES, Case
from .dropout import RATES, scales_exactly
from .prove import Claim


@dataclass(frozen=True)
class DropPathCase(Case):
    """An image, or only its channels (h = 0), and one mask value per sample."""

    n: int
    h: int
    c: int
    rate: float

    OP = "drop_path"
    DOMAIN: ClassVar = {"n": BATCHES, "h": (2, 0, 1, 3), "c": (3, 1, 2, 8, 17), "rate": RATES}

    def shapes(self):
        return {"x": (self.n, self.h, 2, self.c) if self.h else (self.n, self.c), "mask": (self.n,)}

    def arrays(self, data="reals", dtype=np.float32):
        given = super().arrays(data, dtype)
        return given | {"mask": (given["mask"] > 0).astype(dtype)}

    def result(self):
        return self.shapes()["x"]

    def options(self):
        return {"rate": self.rate}

    def macs(self):
        return 8 * self.n * max(self.h, 1) * self.c


CASE = DropPathCase
CLAIMS = (
    Claim("drop_path.forward", exact=scales_exactly),
    Claim("drop_path.backward", exact=scales_exactly, backward_of="drop_path.forward", linear_in=("x",)),
)
