"""What a layer is.

A layer remembers what its backward needs from its last forward; ops do not.
backward(dy) returns dx and *overwrites* each parameter's gradient.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np


@dataclass(eq=False)
class Param:
    """One array of a layer: a trainable weight, or a running statistic (trainable False)."""

    value: np.ndarray
    kind: str  # a layout kind of refmnas.layout: conv, depthwise, pointwise, linear, plain
    trainable: bool = True
    grad: np.ndarray | None = field(default=None, repr=False)


class Layer:
    """One step of a network.

    `params` and `children` are ordered; an array's full name joins child names by dots:
    "stages.1.0.expand.conv.w".
    """

    def __init__(self):
        self.params: dict[str, Param] = {}
        self.children: dict[str, Layer] = {}

    def forward(self, x, train=False):
        """y, remembering what backward needs."""
        raise NotImplementedError

    def backward(self, dy):
        """dx; parameter gradients are overwritten."""
        raise NotImplementedError

    def named_params(self, prefix="") -> Iterator[tuple[str, Param]]:
        """Every parameter and statistic with its full name, in order of definition."""
        for name, param in self.params.items():
            yield prefix + name, param
        for name, child in self.children.items():
            yield from child.named_params(f"{prefix}{name}.")


class Chain(Layer):
    """Layers one after the other; children by name, in order."""

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


class Residual(Layer):
    """x + body(x), the identity shortcut: y = x + F(x), dx = dy + F'(dy)."""

    def __init__(self, body: Layer):
        super().__init__()
        self.children = {"body": body}

    def forward(self, x, train=False):
        return x + self.children["body"].forward(x, train)

    def backward(self, dy):
        return dy + self.children["body"].backward(dy)
