"""Softmax problems: from flat to one-sided logits."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import BATCHES, Case
from .prove import Claim


@dataclass(frozen=True)
class SoftmaxCase(Case):
    """Rows of logits of size `scale`."""

    n: int
    k: int
    scale: int

    OP = "softmax"
    DOMAIN: ClassVar = {"n": BATCHES, "k": (3, 1, 2, 4, 7, 8, 10, 17, 33), "scale": (1, 8, 128)}

    def shapes(self):
        return {"x": (self.n, self.k)}

    def arrays(self, data="reals", dtype=np.float32):
        return {"x": super().arrays(data, dtype)["x"] * np.asarray(self.scale, dtype)}

    def result(self):
        return (self.n, self.k)

    def macs(self):
        return 16 * self.n * self.k


CASE = SoftmaxCase
CLAIMS = (
    Claim("softmax.forward"),
    Claim("softmax.backward", backward_of="softmax.forward"),
)
