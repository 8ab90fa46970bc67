"""Which network of the zoo a graph is, and its weights in our names.

    recognise(graph)     a `Recognised`, or None

A graph of `refmnas.io.onnx.load` or `refmnas.io.tflite.load` is brought to the steps that
`refmnas.models.fold` speaks of (`reduce`, to `parts`), with batch norm folded or not, and compared
with the steps of every network whose weights have the same shapes (`match`).  `nodes` takes graphs
that are no network of the zoo too, for `refmnas.compile`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..models import build
from . import match, reduce

__all__ = ["Recognised", "recognise"]


@dataclass(frozen=True)
class Recognised:
    """A graph as one of our networks.

    model, width, dialect   what `refmnas.models.build` takes
    dialects   every source whose conventions the graph keeps, `dialect` the first: where batch norm is
               folded, sources that differ in epsilon or training alone cannot be told apart
    classes, size
    weights    {our name: our array}, as `Network.load` takes them; where batch norm was folded it is the
               identity: gamma 1, beta the bias, mean 0, var 1 - epsilon
    """

    model: str
    width: float
    dialect: str
    dialects: tuple[str, ...]
    classes: int
    size: int
    weights: dict[str, np.ndarray]

    def network(self, dtype=np.float32):
        """The network with these weights: it can be shown, differentiated, compiled."""
        options = {"width": self.width, "classes": self.classes, "dialect": self.dialect, "size": self.size}
        return build(self.model, dtype=dtype, **options).load(self.weights, "refmnas")


def recognise(graph):
    """The network of the zoo that a graph of `refmnas.io.onnx.load` or `io.tflite.load` computes, or None.

    Every operator, connection, kernel, stride, pad, width and activation must agree; the input is one
    image (N, 3, H, W) or (N, H, W, 3), the output the logits.

    >>> from refmnas.io.onnx import Graph
    >>> recognise(Graph("empty", 17, [], {}, [], [], {})) is None
    True
    """
    found = reduce.parts(graph)
    if found is None:
        return None
    fitting = list(match.candidates(found))
    if not fitting:
        return None
    (name, width, source, size, classes), weights = fitting[0]
    dialects = tuple(c.source for c, _ in fitting if c.name == name and c.width == width)
    return Recognised(name, width, source, dialects, classes, size, weights)



