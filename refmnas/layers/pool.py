"""Global average pooling as a layer."""

from __future__ import annotations

from ..ops import pool
from .base import Layer


class GlobalPool(Layer):
    """The mean of each channel over all pixels: (N, H, W, C) -> (N, C)."""

    kind = "pool"

    def forward(self, x, train=False):
        return self.remember(pool.forward(x), x)

    def backward(self, dy):
        (x,) = self.recall(dy)
        return pool.backward(dy, x).x

    def shape(self, size):
        return (size[-1],)
