"""Bringing an image to other extents, as a layer."""

from __future__ import annotations

import numpy as np

from ..errors import SpecError
from ..ops import resize
from .base import Layer
from .join import Join


class Resize(Layer):
    """To `size` = (P, Q), or by `factor`; the conventions are those of `refmnas.ops.resize`."""

    kind = "resize"

    def __init__(self, size=None, *, factor=None, mode="bilinear", places="half_pixel", rounding="floor"):
        super().__init__()
        if (size is None) == (factor is None):
            raise SpecError(f"Resize: size {size!r} and factor {factor!r}, wanted one of the two")
        self.size, self.factor = size, factor
        self.options = {"mode": mode, "places": places, "rounding": rounding}

    def _size(self, size):
        return tuple(self.size) if self.factor is None else tuple(int(extent * self.factor) for extent in size[:2])

    def forward(self, x, train=False):
        options = self.options | {"size": self._size(x.shape[1:3])}
        return self.remember(resize.forward(x, **options), x, options)

    def backward(self, dy):
        x, options = self.recall(dy)
        return resize.backward(dy, x, **options).x

    def shape(self, size):
        return *self._size(size), size[2]


class ResizeLike(Join):
    """The first input brought to the rows and columns of the second, whose values do not matter.

    One of the same extents is given as it is.
    """

    kind = "resize"
    inputs = 2

    def __init__(self, *, mode="bilinear", places="half_pixel", rounding="floor"):
        super().__init__()
        self.options = {"mode": mode, "places": places, "rounding": rounding}

    def forward(self, xs, train=False):
        x, like = xs
        if x.shape[1:3] == like.shape[1:3]:
            return self.remember(x, x, like, None)
        options = self.options | {"size": like.shape[1:3]}
        return self.remember(resize.forward(x, **options), x, like, options)

    def backward(self, dy):
        x, like, options = self.recall(dy)
        dx = dy if options is None else resize.backward(dy, x, **options).x
        return dx, np.zeros_like(like)

    def shape(self, size):
        x, like = size
        return *like[:2], x[2]
