"""Layers of several inputs: the sum, and the channels behind one another.

Such a layer takes a tuple of arrays, gives a tuple of gradients, and is asked for its
shape by a tuple of sizes.  `layers.Graph` hands them over.
"""

from __future__ import annotations

from functools import reduce

from ..errors import ShapeError
from ..ops import concat
from .base import Layer, Step


class Join(Layer):
    """What layers of several inputs have in common: at least one array comes."""

    inputs: int | None = None  # how many, or None for any number

    def _same(self, name, extents):
        """`extents` of all inputs are alike."""
        if any(e != extents[0] for e in extents):
            raise ShapeError(f"{type(self).__name__}: inputs of {', '.join(map(str, extents))}, wanted one {name}")

    def steps(self, size, prefix=""):
        yield Step(prefix.rstrip("."), self.kind, tuple(map(tuple, size)), tuple(self.shape(size)), 0)


class Add(Join):
    """The sum of the inputs, added in their order; the gradient of each is dy."""

    kind = "add"

    def forward(self, xs, train=False):
        self._same("shape", [x.shape for x in xs])
        return self.remember(reduce(lambda a, b: a + b, xs), len(xs))

    def backward(self, dy):
        (count,) = self.recall(dy)
        return (dy,) * count

    def shape(self, size):
        self._same("size", [tuple(s) for s in size])
        return tuple(size[0])


class Concat(Join):
    """The channels of the inputs behind one another, in their order."""

    kind = "concat"

    def forward(self, xs, train=False):
        return self.remember(reduce(concat.forward, xs), xs)

    def backward(self, dy):
        (xs,) = self.recall(dy)
        parts, first = [], 0
        for x in xs:
            parts.append(dy[..., first : first + x.shape[-1]])
            first += x.shape[-1]
        return tuple(parts)

    def shape(self, size):
        self._same("rows and columns", [tuple(s[:-1]) for s in size])
        return *size[0][:-1], sum(s[-1] for s in size)
