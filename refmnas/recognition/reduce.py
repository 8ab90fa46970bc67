"""A graph as parts: convolutions with their batch norm and activation, pools, gates, sums, dense layers.

What computes nothing (Identity, Flatten of a pooled map, a cast to the same type) is stepped over, zero
padding goes into the convolution that reads it, x * sigmoid(x) is swish, an addition of constants a
bias.  Whatever else stands there, the graph is none of ours.
"""

from __future__ import annotations

import numpy as np

from ..io.onnx.operators.window import geometry
from .activations import Activations
from .parts import NORM, Part, Parts, Unknown, joined, stride_of
from .windows import LEAST, MOVED, Windows

_NCHW_ALONE = ("Conv", "BatchNormalization", "GlobalAveragePool")


def parts(graph):
    """The `Parts` of a graph, or None."""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        return None
    ((image, (_, shape)),) = graph.inputs.items()
    if shape is None or len(shape) != 4:
        return None
    is_last = shape[3] == 3 and shape[1] != 3  # channels last, as in TFLite
    if not is_last and shape[1] not in (3, None):
        return None
    reader = Reader(graph, {image} if is_last else ())
    try:
        for step in graph.steps:
            reader.take(step)
        found = joined(reader.parts)
        if reader.is_uncut() or not found or reader.real(next(iter(graph.outputs))) != found[-1].output:
            return None
    except Unknown:
        return None
    size = tuple(n if isinstance(n, int) else None for n in (shape[1:3] if is_last else shape[2:]))
    return Parts(found, image, size, set(graph.constants))


class Reader(Windows, Activations):
    """Walks the steps; `alias` leads from a tensor to the one that it equals, whatever its order of axes.

    `last` are the tensors whose channels are their last axis.
    """

    def __init__(self, graph, last=()):
        Windows.__init__(self)
        Activations.__init__(self)
        self.graph, self.parts, self.last = graph, [], set(last)
        self.alias: dict[str, str] = {}
        self.pads: dict[str, tuple[int, ...]] = {}
        self.made: dict[str, Part] = {}

    def real(self, name):
        return self.alias.get(name, name)

    def constant(self, step, operand):
        """The array of an operand, None where it has none; Unknown where it is no constant."""
        value = step.operands.get(operand)
        if value is None:
            return None
        if not isinstance(value, str):
            return np.asarray(value)
        array = self.graph.constants.get(value)
        array = self.graph.known[value].value if array is None else array
        if array is None:
            raise Unknown
        return array

    def is_real(self, name):
        """Whether it is no shape."""
        return self.graph.known[name].dtype.kind == "f"

    def is_constant(self, name):
        return name in self.graph.constants or self.graph.known[name].value is not None

    def take(self, step):
        """One step; those of constants alone were computed when the graph was loaded, whole numbers are shapes' own."""
        if all(self.graph.known[name].dtype.kind in "iu" for name in step.results if name):
            return
        if all(map(self.is_constant, step.reads())):
            if not self.is_constant(step.results[0]):
                raise Unknown
            return
        handler = getattr(self, f"take_{step.op.lower()}", None)
        if handler is None or len([name for name in step.results if name]) != 1:
            raise Unknown
        self.check_pads(step)
        orders = {name in self.last for name in step.reads() if not self.is_constant(name) and self.is_real(name)}
        if len(orders) > 1 or (True in orders and step.op in _NCHW_ALONE):
            raise Unknown
        handler(step)
        if True in orders and step.op != "Transpose":
            self.last.add(step.results[0])

    def take_transpose(self, step):
        """Between channels last and channels first: the same tensor."""
        x, result = step.operands["x"], step.results[0]
        if step.attributes["perm"] != ((0, 3, 1, 2) if x in self.last else (0, 2, 3, 1)):
            raise Unknown
        self.same(step)
        if x not in self.last:
            self.last.add(result)
        for sides in (self.pads, self.walls):
            if x in sides:
                sides[result] = sides[x]

    def add(self, op, step, inputs, **options):
        part = Part(op, [self.real(name) for name in inputs], step.results[0], **options)
        self.parts.append(part)
        self.made[part.output] = part

    def same(self, step):
        self.alias[step.results[0]] = self.real(step.operands["x"])

    take_identity = same

    def take_cast(self, step):
        known = self.graph.known
        if known[step.operands["x"]].dtype != known[step.results[0]].dtype:
            raise Unknown
        self.same(step)

    def take_flatten(self, step):
        """(N, C, 1, 1), or channels last, to (N, C)."""
        x = step.operands["x"]
        part, shape = self.made.get(self.real(x)), self.graph.known[x].shape
        pixels = None if shape is None else tuple(shape[1:-1] if x in self.last else shape[2:])
        is_vector = shape is not None and (len(shape) == 2 or pixels == (1, 1))
        if not is_vector and (part is None or part.op != "pool"):
            raise Unknown
        self.same(step)

    take_reshape = take_squeeze = take_flatten

    def take_pad(self, step):
        pads, value = self.constant(step, "pads"), self.constant(step, "value")
        over = self.constant(step, "over")
        is_wall = value is not None and value.size == 1 and value.item() <= LEAST
        if step.attributes["mode"] != "constant" or (value is not None and value.any() and not is_wall):
            raise Unknown
        axes = list(range(4)) if over is None else [int(k) % 4 for k in over]
        sides = np.zeros((4, 2), np.int64)
        sides[axes] = np.reshape(pads, (2, -1)).T if pads.size == 2 * len(axes) else -1
        is_last = step.operands["x"] in self.last
        sides = sides[[0, 3, 1, 2]] if is_last else sides
        before = self.pads.get(step.operands["x"], (0, 0, 0, 0))
        padded = tuple(int(n) + m for n, m in zip(sides[2:].reshape(-1), before, strict=True))
        if sides[:2].any() or (padded != MOVED and min(*before, *padded) < 0):
            raise Unknown
        if is_wall:
            self.walled(step, padded, before)
        else:
            self.padded(step, padded)

    def take_conv(self, step):
        a, x = step.attributes, step.operands["x"]
        w, b = self.constant(step, "w"), self.constant(step, "b")
        shape = self.graph.known[x].shape or (None,) * 4
        if w.ndim != 4 or (a["auto_pad"].startswith("SAME") and None in shape[2:]):
            raise Unknown
        strides, dilations, pairs, _ = geometry(a, shape[2:], w.shape[2:])
        pad = tuple(n + m for n, m in zip((*pairs[0], *pairs[1]), self.pads.get(x, (0, 0, 0, 0)), strict=True))
        if set(dilations) != {1}:
            raise Unknown
        if w.shape[1] == 1 and a["group"] == w.shape[0] > 1:
            op, w = "depthwise", w[:, 0].transpose(1, 2, 0)
        else:
            is_matrix = w.shape[2:] == (1, 1) and (*strides, a["group"]) == (1, 1, 1) and not any(pad)
            op, w = ("matrix", w[:, :, 0, 0].T) if is_matrix else ("conv", w.transpose(2, 3, 1, 0))
        groups, stride = a["group"] if op == "conv" else 1, stride_of(strides)
        if op == "matrix" and (before := self.skipping(x)) is not None:
            op, w, x, stride = "conv", w[None, None], before.inputs[0], before.stride
        self.add(op, step, [x], w=w, b=b, stride=stride, pad=pad, groups=groups)

    def take_gemm(self, step):
        a = step.attributes
        w, c = self.constant(step, "w"), self.constant(step, "c")
        if a["alpha"] != 1 or a["beta"] != 1 or a["transA"]:
            raise Unknown
        w = w.T if a["transB"] else w
        b = None if c is None else np.broadcast_to(c.reshape(-1), w.shape[1:])
        self.add("matrix", step, [step.operands["x"]], w=w, b=b)

    def take_matmul(self, step):
        w = self.constant(step, "w")
        if w.ndim != 2:
            raise Unknown
        self.add("matrix", step, [step.operands["x"]], w=w)

    def take_batchnormalization(self, step):
        """Of a convolution, or of several that are put together, each of which has its own channels of it."""
        whole = self.made.get(self.real(step.operands["x"]))
        if whole is None or step.attributes.get("training_mode"):
            raise Unknown
        parts = [self.alone(name) for name in whole.inputs] if whole.op == "concat" else [whole]
        if any(part.w is None or part.norm is not None for part in parts):
            raise Unknown
        names, first = ("scale", "bias", "mean", "var"), 0
        norm = {ours: self.constant(step, theirs) for ours, theirs in zip(NORM, names, strict=True)}
        for part in parts:
            own = slice(first, first + part.w.shape[-1])
            first, part.eps = own.stop, step.attributes["epsilon"]
            part.norm = {key: array[own] for key, array in norm.items()}
        self.renamed(whole, step.results[0])

    def renamed(self, part, output):
        """The part's result goes by another name; whoever reads the old one makes the graph unknown."""
        del self.made[part.output]
        part.output = output
        self.made[output] = part

    def take_globalaveragepool(self, step):
        self.add("pool", step, [step.operands["x"]])

    def take_reducemean(self, step):
        over = self.constant(step, "over")
        if over is None or sorted(int(k) % 4 for k in over) != ([1, 2] if step.operands["x"] in self.last else [2, 3]):
            raise Unknown
        self.add("pool", step, [step.operands["x"]])

    def take_add(self, step):
        """Of two results, of 3 that begins a hard sigmoid, or of a bias to a dense layer without one."""
        x, y = step.operands["x"], step.operands["y"]
        fixed = [name for name in (x, y) if self.is_constant(name)]
        if not fixed:
            self.add("add", step, [x, y])
            return
        if self.number(step)[1] == 3:
            self.shifted[step.results[0]] = self.real(self.number(step)[0])
            return
        part = self.made.get(self.real(x if fixed == [y] else y))
        bias = self.graph.known[fixed[0]].value
        bias = self.graph.constants.get(fixed[0]) if bias is None else bias
        if part is None or part.op != "matrix" or part.b is not None or part.norm is not None or bias.size != part.w.shape[1]:
            raise Unknown
        part.b = bias.reshape(-1)
        self.renamed(part, step.results[0])
