"""A graph of layers: named nodes, each a layer with named inputs.

    y_k  = f_k(y_i for the inputs i of k)                   in order of computation  (1)
    dy_i = sum over the uses (k, place) of i of df_k[place]  in order of definition  (2)

A node that is used several times has as many terms in (2); they are added in the order
in which the users were defined, then of their inputs' places, so that bits do not depend
on anything else.  Equation (1) computes a node as soon as all of its inputs are there, the
first defined of several.

What cannot be computed is refused when the graph is made: a cycle, an input that does not
exist, a node that nothing uses, a layer that stands at two nodes (it remembers one forward
alone), and shapes that do not fit.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import reduce
from typing import Any

import numpy as np

from ..errors import DataError, ShapeError, SpecError
from ..layout import CONV, DEPTHWISE, LINEAR, PLAIN, POINTWISE
from .base import Chain, Layer
from .join import Join

# Which axis of a layer's first array tells the channels it wants.
_CHANNELS = {CONV: 2, DEPTHWISE: 2, POINTWISE: 0, LINEAR: 0, PLAIN: 0}


class Graph(Join):
    """Equations (1) and (2).

    inputs   name -> the size of one image, (H, W, C) or (C,), that shapes are checked with;
             other rows and columns may come later, other channels may not
    nodes    name -> (layer, *names of its inputs), in the order that arrays are listed
    output   the node whose result is the graph's; None: the last; a tuple of names: so many
             results, given and differentiated as a tuple

    A graph of one input takes and gives arrays, as a layer of a chain does; one of several
    takes and gives tuples in the order of `inputs`.

    Raises   SpecError for names, inputs and cycles that cannot be, ShapeError for sizes.

    >>> from refmnas.layers import Add, Pointwise
    >>> g = Graph({"x": (2, 2, 3)}, {"left": (Pointwise(3, 4), "x"), "right": (Pointwise(3, 4), "x"),
    ...                              "sum": (Add(), "left", "right")})
    >>> g.shape((5, 5, 3)), [step.name for step in g.steps((2, 2, 3))]
    ((5, 5, 4), ['left', 'right', 'sum'])
    """

    kind = "graph"

    def __init__(
        self, inputs: dict[str, tuple[int, ...]], nodes: dict[str, tuple], output: str | tuple[str, ...] | None = None
    ):
        super().__init__()
        _check_names(inputs, nodes)
        self.sources = {name: tuple(node[1:]) for name, node in nodes.items()}
        self.children = {name: node[0] for name, node in nodes.items()}
        self.names, self.inputs = tuple(inputs), len(inputs)
        wanted = output if output is not None else list(nodes)[-1]
        self.outputs: tuple[str, ...] = wanted if isinstance(wanted, tuple) else (wanted,)
        _check_inputs(self.names, self.children, self.sources, self.outputs)
        self.order = _ordered(self.names, self.sources)
        self._sizes([tuple(size) for size in inputs.values()])

    def forward(self, x, train=False):
        values = dict(zip(self.names, self._tuple(x, "forward"), strict=True))
        for name in self.order:
            values[name] = self.children[name].forward(self._fed(name, values), train)
        results = tuple(values[name] for name in self.outputs)
        self.remember(results[0], [values[name] for name in self.names], [y.shape for y in results])
        return results if len(results) > 1 else results[0]

    def backward(self, dy):
        dys = dy if len(self.outputs) > 1 else (dy,)
        if not isinstance(dys, tuple) or len(dys) != len(self.outputs):
            raise DataError(f"Graph.backward: one gradient came, wanted a tuple of {', '.join(self.outputs)}")
        given, shapes = self.recall(dys[0])
        uses: dict[str, dict] = {name: {} for name in (*self.names, *self.order)}
        for place, (name, part, shape) in enumerate(zip(self.outputs, dys, shapes, strict=True)):
            if part.shape != shape:
                raise ShapeError(f"Graph.backward: the gradient of {name} has shape {part.shape}, wanted {shape}")
            uses[name][(-1, place)] = part
        numbers = {name: number for number, name in enumerate(self.sources)}
        for name in reversed(self.order):
            back = self.children[name].backward(_summed(uses.pop(name)))
            for place, (source, part) in enumerate(zip(self.sources[name], _parts(back, self.sources[name]), strict=True)):
                uses[source][(numbers[name], place)] = part
        pairs = zip(self.names, given, strict=True)
        grads = tuple(_summed(uses[name]) if uses[name] else np.zeros_like(x) for name, x in pairs)
        return grads if len(grads) > 1 else grads[0]

    def shape(self, size):
        sizes = self._sizes(self._tuple(size, "shape"))
        found = tuple(sizes[name] for name in self.outputs)
        return found if len(found) > 1 else found[0]

    def sizes(self, size):
        """The extents of every node's result, the inputs' included: {name: (H, W, C) or (C,)}."""
        return self._sizes(self._tuple(size, "sizes"))

    def steps(self, size, prefix=""):
        sizes = self._sizes(self._tuple(size, "steps"))
        for name in self.order:
            yield from self.children[name].steps(self._fed(name, sizes), f"{prefix}{name}.")

    def _tuple(self, given, where) -> Any:
        if self.inputs == 1:
            return (given,)
        if not isinstance(given, tuple) or len(given) != self.inputs:
            count = len(given) if isinstance(given, tuple) else 1
            raise ShapeError(f"Graph.{where}: {count} inputs, wanted a tuple of {', '.join(self.names)}")
        return given

    def _fed(self, name, values):
        """What a node is called with."""
        found = tuple(values[source] for source in self.sources[name])
        return found if isinstance(self.children[name], Join) and self.children[name].inputs != 1 else found[0]

    def _sizes(self, given):
        """The size of every value; ShapeError with the node where they do not fit."""
        sizes = dict(zip(self.names, given, strict=True))
        for name in self.order:
            try:
                sizes[name] = sized(self.children[name], self._fed(name, sizes))
            except (ShapeError, IndexError) as error:
                came = ", ".join(f"{source} {sizes[source]}" for source in self.sources[name])
                raise ShapeError(f"Graph: {name} of {came}: {error}") from None
        return sizes


def sized(layer: Layer, size):
    """The layer's shape for `size`, with its channels and pixels checked along chains.

    Raises   ShapeError where the channels are not those of the layer's arrays, or no pixel is left.
    """
    if type(layer).shape is Chain.shape:
        for child in layer.children.values():
            size = sized(child, size)
        return size
    first = next(iter(layer.params.values()), None)
    if first is not None:
        wanted = first.value.shape[_CHANNELS[first.kind]] * getattr(layer, "groups", 1)
        if size[-1] != wanted:
            raise ShapeError(f"{layer.kind}: {size[-1]} channels came, wanted {wanted}")
    shape = tuple(layer.shape(size))
    if min(shape) < 1:
        raise ShapeError(f"{layer.kind}: no pixel is left of {size}, wanted a larger image")
    return shape


def _check_names(inputs, nodes):
    """Every name is a word of its own, every node a layer and the names of its inputs, every layer there once."""
    if not inputs or not nodes:
        raise SpecError(f"Graph: {len(inputs)} inputs and {len(nodes)} nodes, wanted at least one of each")
    seen: dict[int, str] = {}
    for name in (*inputs, *nodes):
        if not isinstance(name, str) or not name or "." in name:
            raise SpecError(f"Graph: a node named {name!r}, wanted a word without dots")
    for name, node in nodes.items():
        if name in inputs:
            raise SpecError(f"Graph: {name!r} is an input and a node, wanted two names")
        if not isinstance(node, tuple) or len(node) < 2 or not isinstance(node[0], Layer):
            raise SpecError(f"Graph: {name} is {node!r}, wanted (layer, name of an input, ...)")
        if id(node[0]) in seen:
            raise SpecError(f"Graph: {name} and {seen[id(node[0])]} share one layer, wanted a layer for each")
        seen[id(node[0])] = name


def _check_inputs(names, children, sources, outputs):
    """Every input exists, every layer has as many as it takes, every node is used."""
    known = (*names, *children)
    for name, wanted in [*sources.items(), ("the output", outputs)]:
        for source in wanted:
            if source not in known:
                near = get_close_matches(str(source), known, n=1, cutoff=0.6)
                hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}"
                raise SpecError(f"Graph: {name} wants {source!r}, which does not exist{hint}")
    for output in outputs:
        if output not in children or outputs.count(output) > 1:
            raise SpecError(f"Graph: the output is {output!r}, wanted a node, not an input, and each once")
    for name, layer in children.items():
        takes = layer.inputs if isinstance(layer, Join) else 1
        if takes is not None and len(sources[name]) != takes:
            raise SpecError(f"Graph: {name} has {len(sources[name])} inputs, wanted {takes} of a {layer.kind}")
    used = {source for wanted in sources.values() for source in wanted} | set(outputs)
    for name in children:
        if name not in used:
            raise SpecError(f"Graph: nothing uses {name}; wanted every node on a way to {' or '.join(outputs)}")


def _ordered(names, sources):
    """The nodes in order of computation; SpecError with the way round where there is a cycle."""
    ready, order, left = set(names), [], list(sources)
    while left:
        name = next((n for n in left if ready.issuperset(sources[n])), None)
        if name is None:
            raise SpecError(f"Graph: a cycle, {' -> '.join(_cycle(sources, left))}; wanted an order to compute in")
        ready.add(name)
        order.append(name)
        left.remove(name)
    return tuple(order)


def _cycle(sources, left):
    """One way round, each node an input of the next."""
    way = [left[0]]
    while way[-1] not in way[:-1]:
        way.append(next(source for source in sources[way[-1]] if source in left))
    return way[way.index(way[-1]) :][::-1]


def _summed(terms):
    """Equation (2): the terms by (number of the user, place of the input)."""
    return reduce(lambda a, b: a + b, (terms[key] for key in sorted(terms)))


def _parts(back, sources):
    if isinstance(back, tuple):
        return back
    if len(sources) != 1:
        raise DataError(f"Graph.backward: one gradient came, wanted {len(sources)}")
    return (back,)
