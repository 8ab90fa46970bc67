"""Activation problems: every kind and kink rule, with values exactly on the kinks."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..ops.activation import KINDS, KINKS
from .base import BATCHES, Case
from .prove import Claim

SPREAD = 8.0  # reals lie in [-8, 8): on both sides of every kink
_HARD = (-3.0, 3.0)
_KINKS = {
    "relu": (0.0,),
    "relu6": (0.0, 6.0),
    "hard_sigmoid": _HARD,
    "hard_sigmoid_slim": _HARD,
    "hard_sigmoid_keras": (-2.5, 2.5),
    "hard_swish": _HARD,
    "hard_sigmoid_torch": _HARD,
}


@dataclass(frozen=True)
class ActivationCase(Case):
    """Some values through one activation."""

    n: int
    c: int
    kind: str
    kink: str

    OP = "activation"
    DOMAIN: ClassVar = {"n": BATCHES, "c": (5, 1, 2, 3, 7, 8, 9, 16, 17, 33), "kind": KINDS, "kink": KINKS}

    def shapes(self):
        return {"x": (self.n, self.c)}

    def arrays(self, data="reals", dtype=np.float32):
        x = super().arrays(data, dtype)["x"]
        if data != "integers":
            x = x * np.asarray(SPREAD, dtype)
            at = np.arange(0, x.size, 5)  # the lanes' bodies and tails alike
            x.flat[at] = np.resize([-0.0, *self.kinks()], at.size)
        return {"x": x}

    def result(self):
        return (self.n, self.c)

    def options(self):
        return {"kind": self.kind, "kink": self.kink}

    def kinks(self):
        return _KINKS.get(self.kind, ())

    def macs(self):
        return 8 * self.n * self.c


def only_selects(case):
    """The kind rounds nothing."""
    return case.kind in ("identity", "relu", "relu6")


def is_derivative(case):
    """PyTorch's hard sigmoid has another gradient by 3e-8, on purpose."""
    return case.kind != "hard_sigmoid_torch"


CASE = ActivationCase
CLAIMS = (
    Claim("activation.forward", exact=only_selects),
    Claim("activation.backward", exact=only_selects, backward_of="activation.forward", has_gradient=is_derivative),
)
