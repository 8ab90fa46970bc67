"""Problems of softmax cross-entropy: from flat to one-sided logits."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import BATCHES, Case
from .prove import Claim


@dataclass(frozen=True)
class SoftmaxXentCase(Case):
    """A batch of logits of size `scale`, and labels."""

    n: int
    k: int
    scale: int
    smoothing: float

    OP = "softmax_xent"
    DOMAIN: ClassVar = {
        "n": BATCHES,
        "k": (3, 1, 2, 4, 7, 8, 10, 17, 33),
        "scale": (1, 8, 128),
        "smoothing": (0.0, 0.1, 0.25, 1.0),
    }

    def shapes(self):
        return {"x": (self.n, self.k), "labels": (self.n,)}

    def arrays(self, data="reals", dtype=np.float32):
        labels = (self.seed + 3 * np.arange(self.n)) % self.k
        x = super().arrays(data, dtype)["x"] * np.asarray(self.scale, dtype)
        return {"x": x, "labels": labels}

    def result(self):
        return (self.n,)

    def options(self):
        return {"smoothing": self.smoothing}

    def macs(self):
        return 16 * self.n * self.k


CASE = SoftmaxXentCase
CLAIMS = (
    Claim("softmax_xent.forward"),
    Claim("softmax_xent.backward", backward_of="softmax_xent.forward"),
)
