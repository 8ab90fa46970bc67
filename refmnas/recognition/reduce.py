"""A graph as parts: convolutions with their batch norm and activation, pools, gates, sums, dense layers.

What computes nothing (Identity, Flatten of a pooled map, a cast to the same type) is stepped over, zero
padding goes into the convolution that reads it, x * sigmoid(x) is swish, an addition of constants a
bias.  Whatever else stands there, the graph is none of ours.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from ..io.onnx.operators.window import geometry

NORM = ("gamma", "beta", "mean", "var")
_SWISH = {"sigmoid": "swish", "hard_sigmoid": "hard_swish"}
_HARD = {(1 / 6, 0.5): "hard_sigmoid", (0.2, 0.5): "hard_sigmoid_keras"}


@dataclass
class Part:
    """op: conv, depthwise, matrix (a 1 x 1 convolution or a dense layer), pool, scale, add, act."""

    op: str
    inputs: list[str]
    output: str
    w: np.ndarray | None = None  # as our layouts have it
    b: np.ndarray | None = None
    stride: int = 1
    pad: tuple[int, ...] = (0, 0, 0, 0)  # top, bottom, left, right
    act: str = "identity"
    norm: dict[str, np.ndarray] | None = None  # batch norm that was not folded
    eps: float | None = None


@dataclass
class Parts:
    """The parts in order, the names of what goes in and comes out, and the image's size where it is fixed."""

    parts: list[Part]
    image: str
    size: tuple[int | None, int | None]
    names: set[str] = field(default_factory=set)


class Unknown(Exception):
    """The graph has what none of our networks has."""


def parts(graph):
    """The `Parts` of a graph, or None."""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        return None
    ((image, (_, shape)),) = graph.inputs.items()
    if shape is None or len(shape) != 4 or shape[1] not in (3, None):
        return None
    reader = _Reader(graph)
    try:
        for step in graph.steps:
            reader.take(step)
        found = _joined(reader.parts)
        if not found or reader.real(next(iter(graph.outputs))) != found[-1].output:
            return None
    except Unknown:
        return None
    size = tuple(n if isinstance(n, int) else None for n in shape[2:])
    return Parts(found, image, size, set(graph.constants))


class _Reader:
    """Walks the steps; `alias` leads from a tensor to the one that it equals."""

    def __init__(self, graph):
        self.graph, self.parts = graph, []
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

    def is_constant(self, name):
        return name in self.graph.constants or self.graph.known[name].value is not None

    def take(self, step):
        """One step; those of constants alone were computed when the graph was loaded."""
        if all(map(self.is_constant, step.reads())):
            if not self.is_constant(step.results[0]):
                raise Unknown
            return
        handler = getattr(self, f"take_{step.op.lower()}", None)
        if handler is None or len([name for name in step.results if name]) != 1:
            raise Unknown
        if step.op not in ("Conv", "Pad") and any(name in self.pads for name in step.reads()):
            raise Unknown
        handler(step)

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
        """(N, C, 1, 1) to (N, C)."""
        part = self.made.get(self.real(step.operands["x"]))
        shape = self.graph.known[step.operands["x"]].shape
        is_vector = shape is not None and (len(shape) == 2 or tuple(shape[2:]) == (1, 1))
        if not is_vector and (part is None or part.op != "pool"):
            raise Unknown
        self.same(step)

    take_reshape = take_squeeze = take_flatten

    def take_pad(self, step):
        pads, value = self.constant(step, "pads"), self.constant(step, "value")
        over = self.constant(step, "over")
        if step.attributes["mode"] != "constant" or (value is not None and value.any()):
            raise Unknown
        axes = list(range(4)) if over is None else [int(k) % 4 for k in over]
        sides = np.zeros((4, 2), np.int64)
        sides[axes] = np.reshape(pads, (2, -1)).T if pads.size == 2 * len(axes) else -1
        if sides[:2].any() or sides.min() < 0:
            raise Unknown
        before = self.pads.get(step.operands["x"], (0, 0, 0, 0))
        self.same(step)
        self.pads[step.results[0]] = tuple(int(n) + m for n, m in zip(sides[2:].reshape(-1), before, strict=True))

    def take_conv(self, step):
        a, x = step.attributes, step.operands["x"]
        w, b = self.constant(step, "w"), self.constant(step, "b")
        shape = self.graph.known[x].shape or (None,) * 4
        if w.ndim != 4 or (a["auto_pad"].startswith("SAME") and None in shape[2:]):
            raise Unknown
        strides, dilations, pairs, _ = geometry(a, shape[2:], w.shape[2:])
        pad = tuple(n + m for n, m in zip((*pairs[0], *pairs[1]), self.pads.get(x, (0, 0, 0, 0)), strict=True))
        if set(dilations) != {1} or len(set(strides)) != 1:
            raise Unknown
        if w.shape[1] == 1 and a["group"] == w.shape[0] > 1:
            op, w = "depthwise", w[:, 0].transpose(1, 2, 0)
        elif a["group"] == 1:
            is_matrix = w.shape[2:] == (1, 1) and strides[0] == 1 and not any(pad)
            op, w = ("matrix", w[:, :, 0, 0].T) if is_matrix else ("conv", w.transpose(2, 3, 1, 0))
        else:
            raise Unknown
        self.add(op, step, [x], w=w, b=b, stride=strides[0], pad=pad)

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
        part = self.made.get(self.real(step.operands["x"]))
        if part is None or part.w is None or part.norm is not None or step.attributes.get("training_mode"):
            raise Unknown
        names = ("scale", "bias", "mean", "var")
        part.norm = {ours: self.constant(step, theirs) for ours, theirs in zip(NORM, names, strict=True)}
        part.eps = step.attributes["epsilon"]
        self.renamed(part, step.results[0])

    def renamed(self, part, output):
        """The part's result goes by another name; whoever reads the old one makes the graph unknown."""
        del self.made[part.output]
        part.output = output
        self.made[output] = part

    def take_globalaveragepool(self, step):
        self.add("pool", step, [step.operands["x"]])

    def take_reducemean(self, step):
        over = self.constant(step, "over")
        if over is None or sorted(int(k) % 4 for k in over) != [2, 3]:
            raise Unknown
        self.add("pool", step, [step.operands["x"]])

    def take_mul(self, step):
        x, y = step.operands["x"], step.operands["y"]
        if self.is_constant(x) or self.is_constant(y):
            raise Unknown
        self.add("scale", step, [x, y])

    def take_add(self, step):
        """Of two results, or of a bias to a dense layer without one."""
        x, y = step.operands["x"], step.operands["y"]
        fixed = [name for name in (x, y) if self.is_constant(name)]
        if not fixed:
            self.add("add", step, [x, y])
            return
        part = self.made.get(self.real(x if fixed == [y] else y))
        bias = self.graph.known[fixed[0]].value
        bias = self.graph.constants.get(fixed[0]) if bias is None else bias
        if part is None or part.op != "matrix" or part.b is not None or part.norm is not None or bias.size != part.w.shape[1]:
            raise Unknown
        part.b = bias.reshape(-1)
        self.renamed(part, step.results[0])

    def activation(self, step, kind):
        self.add("act", step, [step.operands["x"]], act=kind)

    def take_relu(self, step):
        self.activation(step, "relu")

    def take_sigmoid(self, step):
        self.activation(step, "sigmoid")

    def take_hardswish(self, step):
        self.activation(step, "hard_swish")

    def take_hardsigmoid(self, step):
        numbers = step.attributes["alpha"], step.attributes["beta"]
        kinds = [kind for known, kind in _HARD.items() if np.allclose(known, numbers, rtol=1e-6)]  # float32's rounding
        if not kinds:
            raise Unknown
        self.activation(step, kinds[0])

    def take_clip(self, step):
        low, high = self.constant(step, "low"), self.constant(step, "high")
        if low is None or high is None or (low.item(), high.item()) != (0, 6):
            raise Unknown
        self.activation(step, "relu6")


def _joined(found):
    """The parts with each activation in what it is of: first x * sigmoid(x), then the others."""
    makers = {part.output: part for part in found}
    for part in found:
        gates = [makers[name] for name in part.inputs if name in makers and makers[name].op == "act"]
        gate = next((g for g in gates if part.op == "scale" and g.act in _SWISH and g.inputs[0] in part.inputs), None)
        if gate is not None:
            part.op, part.act, part.inputs = "act", _SWISH[gate.act], gate.inputs
    counts = Counter(name for part in found for name in part.inputs)
    found = [part for part in found if counts[part.output] or part is found[-1]]  # the sigmoids that went into a swish
    counts = Counter(name for part in found for name in part.inputs)
    kept = []
    for part in found:
        maker = makers.get(part.inputs[0])
        if part.op != "act":
            kept.append(part)
        elif maker is None or maker.act != "identity" or maker.op == "act" or counts[maker.output] != 1:
            raise Unknown
        else:
            maker.act, maker.output = part.act, part.output
            makers[part.output] = maker
    return kept
