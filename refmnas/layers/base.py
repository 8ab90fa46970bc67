"""What a layer is.

A layer remembers what its backward needs from its last forward; ops do not.
backward(dy) returns dx and *overwrites* each parameter's gradient.  The memory
holds the arrays themselves, not copies: who changes x between the two calls
changes the gradients.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import DataError, DtypeError, ShapeError


@dataclass(eq=False)
class Param:
    """One array of a layer: a trainable weight, or a running statistic (trainable False)."""

    value: np.ndarray
    kind: str  # a layout kind of refmnas.layout: conv, depthwise, pointwise, linear, plain
    trainable: bool = True
    groups: int = 1  # of a grouped convolution's weight
    grad: np.ndarray | None = field(default=None, repr=False)


class Layer:
    """One step of a network.

    `params` and `children` are ordered; an array's full name joins child names by dots:
    "stages.1.0.expand.conv.w".
    """

    kind = "layer"  # the word of the listings

    def __init__(self):
        self.params: dict[str, Param] = {}
        self.children: dict[str, Layer] = {}
        self._memory: tuple[tuple[int, ...], np.dtype, tuple] | None = None

    def forward(self, x, train=False):
        """y, remembering what backward needs."""
        raise NotImplementedError

    def backward(self, dy):
        """dx; parameter gradients are overwritten."""
        raise NotImplementedError

    def shape(self, size):
        """The extents of y for one image's extents: (H, W, C) or (C,), without the batch."""
        return size

    def remember(self, y, *what):
        """y itself, with `what` kept for `recall`."""
        self._memory = (y.shape, y.dtype, what)
        return y

    def recall(self, dy) -> Any:
        """What the last forward kept; DataError without one, ShapeError or DtypeError where dy is not like its y."""
        where = f"{type(self).__name__}.backward"
        if self._memory is None:
            raise DataError(f"{where}: no forward came before it; backward reads what the last forward kept")
        shape, dtype, what = self._memory
        if not isinstance(dy, np.ndarray):
            raise DtypeError(f"{where}: dy is {type(dy).__name__}, wanted a NumPy array")
        if dy.shape != shape:
            raise ShapeError(f"{where}: dy has shape {dy.shape}, wanted {shape}, as the last forward gave")
        if dy.dtype != dtype:
            raise DtypeError(f"{where}: dy is {dy.dtype}, wanted {dtype}")
        return what

    def forget(self):
        """Let go of all that was remembered, here and below."""
        self._memory = None
        for child in self.children.values():
            child.forget()

    def named_params(self, prefix="") -> Iterator[tuple[str, Param]]:
        """Every parameter and statistic with its full name, in order of definition."""
        for name, param in self.params.items():
            yield prefix + name, param
        for name, child in self.children.items():
            yield from child.named_params(f"{prefix}{name}.")

    def steps(self, size, prefix="") -> Iterator[Step]:
        """Every layer that computes, in the order of computation, for one image of `size`."""
        count = sum(p.value.size for p in self.params.values() if p.trainable)
        yield Step(prefix.rstrip("."), self.kind, tuple(size), tuple(self.shape(size)), count)


@dataclass(frozen=True)
class Step:
    """One line of a network's listing; shapes are of one image."""

    name: str
    kind: str
    shape_in: tuple[int, ...]
    shape: tuple[int, ...]
    parameters: int  # trainable ones of this layer alone


class Chain(Layer):
    """Layers one after the other; children by name, in order."""

    kind = "chain"

    def __init__(self, children: dict[str, Layer]):
        super().__init__()
        self.children = dict(children)

    def forward(self, x, train=False):
        for child in self.children.values():
            x = child.forward(x, train)
        return x

    def backward(self, dy):
        for child in reversed(self.children.values()):
            dy = child.backward(dy)
        return dy

    def shape(self, size):
        for child in self.children.values():
            size = child.shape(size)
        return size

    def steps(self, size, prefix=""):
        for name, child in self.children.items():
            yield from child.steps(size, f"{prefix}{name}.")
            size = child.shape(size)


class Residual(Chain):
    """A chain F with the identity shortcut around it: y = x + F(x), dx = dy + F'(dy).

    Without `has_skip` it is the chain alone, so that a block is one class and its
    arrays have the same names either way.
    """

    kind = "add"

    def __init__(self, children: dict[str, Layer], *, has_skip=True):
        super().__init__(children)
        self.has_skip = has_skip

    def forward(self, x, train=False):
        y = super().forward(x, train)
        return x + y if self.has_skip else y

    def backward(self, dy):
        dx = super().backward(dy)
        return dy + dx if self.has_skip else dx

    def steps(self, size, prefix=""):
        yield from super().steps(size, prefix)
        if self.has_skip:
            yield Step(f"{prefix}add", self.kind, tuple(size), tuple(self.shape(size)), 0)


class Sum(Layer):
    """Two branches side by side and an activation: y = act(F(x) + G(x)), dt = act'(dy), dx = F'(dt) + G'(dt).

    Without `shortcut`, G is the identity.  Children: those of F, shortcut, act.
    """

    kind = "add"

    def __init__(self, branch: Chain, shortcut: Layer | None, act: Layer):
        super().__init__()
        self.children = branch.children | ({"shortcut": shortcut} if shortcut else {}) | {"act": act}
        self.branch, self.shortcut, self.act = branch, shortcut, act

    def forward(self, x, train=False):
        y = self.branch.forward(x, train)
        return self.act.forward(y + (self.shortcut.forward(x, train) if self.shortcut else x), train)

    def backward(self, dy):
        dy = self.act.backward(dy)
        dx = self.branch.backward(dy)
        return dx + (self.shortcut.backward(dy) if self.shortcut else dy)

    def shape(self, size):
        return self.branch.shape(size)

    def steps(self, size, prefix=""):
        yield from self.branch.steps(size, prefix)
        if self.shortcut:
            yield from self.shortcut.steps(size, f"{prefix}shortcut.")
        shape = tuple(self.shape(size))
        yield Step(f"{prefix}add", self.kind, shape, shape, 0)
        yield from self.act.steps(shape, f"{prefix}act.")
