"""Pooling as layers: the mean over the whole image, and mean or maximum over windows.

Padding is a rule, as of a convolution: `same`, `symmetric`, or four numbers.
"""

from __future__ import annotations

import numpy as np

from ..errors import SpecError
from ..geometry import bins, pooled
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


class PyramidPool(Layer):
    """Spatial pyramid pooling: the largest value of each channel in each of n x n bins, for every n of `levels`.

    (N, H, W, C) -> (N, C * (n1^2 + n2^2 + ...)): level after level, in it row after row of
    bins, in a bin the channels.  Bin i of n covers rows floor(i H / n) .. ceil((i+1) H / n) - 1,
    so that no bin is empty, whatever H; bins of small images overlap.

    Source: He et al. 2014, arXiv:1406.4729, section 2.2 for the pyramid; the bins are
    those of PyTorch's adaptive pooling.

    >>> PyramidPool((1, 2)).shape((7, 7, 10))
    (50,)
    """

    kind = "pyramid pool"

    def __init__(self, levels):
        super().__init__()
        self.levels = tuple(levels)
        if not self.levels or any(not isinstance(n, int) or isinstance(n, bool) or n < 1 for n in self.levels):
            raise SpecError(f"PyramidPool: levels {levels!r}, wanted whole numbers of at least 1")

    def windows(self, size):
        """(first row, behind the last, first column, behind the last) of every bin, in order."""
        for n in self.levels:
            rows, columns = bins(size[0], n), bins(size[1], n)
            yield from ((*r, *c) for r in rows for c in columns)

    def forward(self, x, train=False):
        parts = []
        for top, bottom, left, right in self.windows(x.shape[1:3]):
            seen = x[:, top:bottom, left:right]
            parts.append(max_pool.forward(np.ascontiguousarray(seen), kernel=seen.shape[1:3])[:, 0, 0])
        return self.remember(np.concatenate(parts, axis=1), x)

    def backward(self, dy):
        (x,) = self.recall(dy)
        dx, C = np.zeros_like(x), x.shape[3]
        for k, (top, bottom, left, right) in enumerate(self.windows(x.shape[1:3])):
            seen = np.ascontiguousarray(x[:, top:bottom, left:right])
            part = np.ascontiguousarray(dy[:, None, None, k * C : (k + 1) * C])
            dx[:, top:bottom, left:right] += max_pool.backward(part, seen, kernel=seen.shape[1:3]).x
        return dx

    def shape(self, size):
        return (size[-1] * sum(n * n for n in self.levels),)
