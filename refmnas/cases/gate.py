"""Problems of channel scaling."""

from dataclasses import dataclass
from typing import ClassVar

from .base import BATCHES, Case
from .prove import Claim, always


@dataclass(frozen=True)
class GateCase(Case):
    """One image and its gate."""

    n: int
    h: int
    w: int
    c: int

    OP = "gate"
    DOMAIN: ClassVar = {
        "n": BATCHES,
        "h": (2, 1, 3, 5),
        "w": (3, 1, 2, 7),
        "c": (1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 33),
    }

    def shapes(self):
        return {"x": (self.n, self.h, self.w, self.c), "g": (self.n, self.c)}

    def result(self):
        return (self.n, self.h, self.w, self.c)

    def macs(self):
        return self.n * self.h * self.w * self.c


CASE = GateCase
CLAIMS = (
    Claim("gate.forward", exact=always),
    Claim("gate.backward", exact=always, backward_of="gate.forward", linear_in=("x", "g")),
)
