"""Dropout and drop-path: in training, zeros by chance, and the rest divided by the chance to stay.

    dropout      each value on its own
    drop-path    a whole image's branch at once (stochastic depth)

Each layer draws from a generator of its own, seeded once: the same seed gives the
same sequence of masks, whatever the other layers do.  In evaluation both are the
identity.

Source: Srivastava et al. 2014, JMLR 15; Huang et al. 2016, arXiv:1603.09382.
"""

from __future__ import annotations

import numpy as np

from ..errors import SpecError
from ..ops import drop_path, dropout
from .base import Layer


def checked_rate(where, rate):
    """`rate` as a float in [0, 1), or SpecError."""
    try:
        number = float(rate)
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number < 1:
        raise SpecError(f"{where}: {rate!r}, wanted a number with 0 <= rate < 1")
    return number


class Dropout(Layer):
    """y = x * mask / (1 - rate), the mask 0 with chance `rate`, drawn anew at each forward in training."""

    kind, op = "dropout", dropout

    def __init__(self, rate, *, seed=0):
        super().__init__()
        self.rate = checked_rate(self.kind, rate)
        self.reseed(seed)

    def reseed(self, seed):
        """Start the sequence of masks again, from `seed` (an int or a sequence of them)."""
        self.generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))

    def _mask(self, x):
        return (self.generator.random(x.shape) >= self.rate).astype(x.dtype)

    def forward(self, x, train=False):
        if not train or self.rate == 0:
            return self.remember(x, None)
        mask = self._mask(x)
        return self.remember(self.op.forward(x, mask, rate=self.rate), (x, mask))

    def backward(self, dy):
        (kept,) = self.recall(dy)
        return dy if kept is None else self.op.backward(dy, *kept, rate=self.rate).x


class DropPath(Dropout):
    """As Dropout, with one draw per image."""

    kind, op = "drop path", drop_path

    def __init__(self, rate, *, seed=0):
        super().__init__(rate, seed=seed)
        self.full = self.rate

    def scale(self, share):
        """From now on `share` of the rate that the layer was made with."""
        self.rate = self.full * share

    def _mask(self, x):
        return (self.generator.random(len(x)) >= self.rate).astype(x.dtype)
