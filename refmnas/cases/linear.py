"""Problems of the dense layer."""

from dataclasses import dataclass
from typing import ClassVar

from .base import BATCHES, Case
from .prove import Claim, always


@dataclass(frozen=True)
class LinearCase(Case):
    """One dense layer."""

    n: int
    c: int
    d: int
    bias: bool

    OP = "linear"
    DOMAIN: ClassVar = {
        "n": BATCHES,
        "c": (1, 2, 3, 4, 7, 8, 9, 16, 17, 33, 64),
        "d": (1, 2, 3, 4, 7, 8, 9, 16, 17, 33, 100),
        "bias": (True, False),
    }

    def shapes(self):
        return {"x": (self.n, self.c), "w": (self.c, self.d), "b": (self.d,) if self.bias else None}

    def result(self):
        return (self.n, self.d)

    def macs(self):
        return self.n * self.c * self.d


CASE = LinearCase
CLAIMS = (
    Claim("linear.forward", exact=always),
    Claim("linear.backward", exact=always, backward_of="linear.forward", linear_in=("x", "w")),
)
