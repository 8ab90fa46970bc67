"""Pooling as layers: the mean over the whole image, and mean or maximum over windows.

Padding is a rule, as of a convolution: `same`, `symmetric`, or four numbers.
"""

from __future__ import annotations

from ..geometry import pooled
from ..ops import average_pool, max_pool, pool
from .base import Layer
from .conv import four_sides


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


class _WindowPool(Layer):
    """What both window pools share: a square kernel, a stride, a padding rule, the ceil mode."""

    op = max_pool  # the module of the op

    def __init__(self, kernel, *, stride=1, padding="symmetric", ceil=False):
        super().__init__()
        self.kernel, self.stride, self.padding, self.ceil = kernel, stride, padding, ceil
        self._pad((1, 1))  # names an unknown rule now, not at the first forward

    def _pad(self, size):
        if isinstance(self.padding, tuple):
            return self.padding
        return four_sides(self.padding, size, self.kernel, self.stride)

    def _options(self, size):
        return {"kernel": (self.kernel,) * 2, "stride": self.stride, "pad": self._pad(size), "ceil": self.ceil}

    def forward(self, x, train=False):
        options = self._options(x.shape[1:3])
        return self.remember(self.op.forward(x, **options), x, options)

    def backward(self, dy):
        x, options = self.recall(dy)
        return self.op.backward(dy, x, **options).x

    def shape(self, size):
        pad = self._pad(size)
        height = pooled(size[0], self.kernel, self.stride, *pad[:2], self.ceil)
        return height, pooled(size[1], self.kernel, self.stride, *pad[2:], self.ceil), size[2]


class MaxPool(_WindowPool):
    """The largest value of every kernel x kernel window; padding never wins."""

    kind, op = "max pool", max_pool


class AveragePool(_WindowPool):
    """The mean of every kernel x kernel window; `count_pad`: zeros of the padding count as pixels."""

    kind, op = "average pool", average_pool

    def __init__(self, kernel, *, stride=1, padding="symmetric", count_pad=False, ceil=False):
        super().__init__(kernel, stride=stride, padding=padding, ceil=ceil)
        self.count_pad = count_pad

    def _options(self, size):
        return super()._options(size) | {"count_pad": self.count_pad}
