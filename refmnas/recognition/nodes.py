"""A graph as the folded nodes of `refmnas.models.fold`, whatever network it is: what the engine compiles.

    w' = w gamma / sqrt(var + eps),   b' = (b - mean) gamma / sqrt(var + eps) + beta            (1)

where a batch norm was left beside its convolution, in float64 and rounded once.

Source: (1) is eq. (6) of Jacob et al. 2018, arXiv:1712.05877, with the additive term written out.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import SpecError
from ..models.node import IMAGE, Node
from .parts import NORM, Unknown, pair
from .reduce import Reader

_GATED = {"sigmoid": "swish", "hard_sigmoid": "hard_swish"}


def nodes(graph, size=None):
    """The folded nodes of a graph for an image of `size`, (H, W), which None takes from the graph.

    Raises   SpecError naming the first operator that is none of these nodes, an input or output that
             is no image or vector of classes, and a size that the graph has otherwise or not at all.
    """
    image, is_last, size = _image(graph, size)
    reader = _Nodes(graph, {image} if is_last else ())
    _taken(reader, graph)
    last = reader.real(next(iter(graph.outputs)))
    return _shaped(_needed(reader.parts, last), image, (*size, 3), graph.name)


def unfolded(graph, size=None):
    """(node, arrays of batch norm or None, its epsilon) of every operation, nothing folded, nothing joined.

    A node of batch norm has the op "batchnorm" and no weights; one without a bias has b None.  Names are the
    graph's tensors.  Results that the output does not need are there too.  Raises as `nodes`.
    """
    image, is_last, size = _image(graph, size)
    reader = _Unfolded(graph, {image} if is_last else ())
    _taken(reader, graph)
    for node, part in zip(_shaped(reader.parts, image, (*size, 3), graph.name), reader.parts, strict=True):
        yield (node if part.b is not None else replace(node, b=None)), part.norm, part.eps


def _taken(reader, graph):
    for step in graph.steps:
        try:
            reader.take(step)
        except Unknown:
            raise SpecError(f"compile: no step of the engine takes {step.op} at {step.results[0]} of {graph.name}") from None
    if reader.is_uncut():
        raise SpecError(f"compile: no step of the engine takes a Pad's zeros for a pool's pixels, as {graph.name} has them")


def _image(graph, size):
    """(name, whether channels are last, (H, W)) of the one input."""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        came = f"{len(graph.inputs)} inputs and {len(graph.outputs)} outputs"
        raise SpecError(f"compile: {graph.name} has {came}, wanted one image and one vector of classes")
    ((image, (dtype, shape)),) = graph.inputs.items()
    if dtype != np.float32 or shape is None or len(shape) != 4 or 3 not in (shape[1], shape[3]):
        raise SpecError(f"compile: {image} of {graph.name} is {dtype} {shape}, wanted float32 (N, 3, H, W) or (N, H, W, 3)")
    is_last = shape[1] != 3
    own = shape[1:3] if is_last else shape[2:]
    if size is None and not all(isinstance(n, int) for n in own):
        raise SpecError(f"compile: {image} of {graph.name} is {shape}, wanted size=, since the file leaves it open")
    size = tuple(own) if size is None else size
    if any(isinstance(n, int) and n != m for n, m in zip(own, size, strict=True)):
        raise SpecError(f"compile: size is {size}; {image} of {graph.name} is {shape}, wanted the same rows and columns")
    return image, is_last, size


class _Nodes(Reader):
    """Takes more than `reduce` does; an activation stays a part of its own."""

    def add(self, op, step, inputs, **options):
        """x * sigmoid(x) is swish."""
        if op == "scale":
            for gate, x in (inputs, inputs[::-1]):
                part = self.made.get(self.real(gate))
                if part is not None and part.op == "act" and part.act in _GATED and part.inputs == [self.real(x)]:
                    super().add("act", step, [x], act=_GATED[part.act])
                    return
        super().add(op, step, inputs, **options)

    def take_softmax(self, step):
        """Over the classes alone."""
        x = step.operands["x"]
        if len(self.graph.known[x].shape or ()) != 2 or step.attributes["axis"] not in (1, -1):
            raise Unknown
        self.add("softmax", step, [x])


class _Unfolded(_Nodes):
    """Batch norm stays a part of its own too."""

    def take_batchnormalization(self, step):
        if step.attributes.get("training_mode"):
            raise Unknown
        names = ("scale", "bias", "mean", "var")
        norm = {ours: self.constant(step, theirs) for ours, theirs in zip(NORM, names, strict=True)}
        self.add("batchnorm", step, [step.operands["x"]], norm=norm, eps=step.attributes["epsilon"])


def _needed(parts, last):
    """The parts that `last` is computed from, in their order."""
    wanted, found = {last}, []
    for part in reversed(parts):
        if part.output in wanted:
            wanted.update(part.inputs)
            found.append(part)
    return found[::-1]


def _shaped(parts, image, size, where):
    shapes, made = {image: size}, []
    for part in parts:
        if any(name not in shapes for name in part.inputs):
            raise SpecError(f"compile: {part.output} of {where} reads what no step of the engine gives")
        node = _node(part, [shapes[name] for name in part.inputs], image)
        shapes[part.output] = node.shape
        made.append(node)
    if not made:
        raise SpecError(f"compile: {where} computes nothing, wanted a network")
    return made


def _node(part, found, image):
    """A part as a node; what does not fit together, the engine's own check refuses."""
    inputs = tuple(IMAGE if name == image else name for name in part.inputs)
    if part.op == "scale" and len(found[0]) < len(found[1]):
        inputs, found = inputs[::-1], found[::-1]
    x = found[0]
    op = ("pointwise" if len(x) == 3 else "linear") if part.op == "matrix" else part.op
    w, b = _folded(part)
    kernel = w.shape[0] if op in ("conv", "depthwise") else part.kernel
    shape = x
    if op in ("conv", "depthwise", "average_pool", "max_pool") and len(x) == 3:
        rows, columns = ((x[k] + sum(part.pad[2 * k : 2 * k + 2]) - kernel) // pair(part.stride)[k] + 1 for k in (0, 1))
        shape = rows, columns, x[2] if w is None else w.shape[-1]
    elif op in ("pointwise", "linear"):
        shape = (*x[:-1], w.shape[-1])
    elif op == "pool":
        shape = x[-1:]
    elif op == "concat":
        shape = (*x[:-1], sum(s[-1] for s in found))
    options = {"kernel": kernel, "stride": part.stride, "pad": tuple(part.pad), "act": part.act, "groups": part.groups}
    return Node(part.output, op, inputs, x, shape, w, b, count_pad=part.count_pad, **options)


def _folded(part):
    """Equation (1), or weights and bias as they are."""
    if part.w is None:
        return None, None
    w, b = part.w.astype(np.float64), np.zeros(part.w.shape[-1]) if part.b is None else part.b.astype(np.float64)
    if part.norm is not None:
        gamma, beta, mean, var = (part.norm[key].astype(np.float64) for key in ("gamma", "beta", "mean", "var"))
        ratio = gamma / np.sqrt(var + part.eps)
        w, b = w * ratio, (b - mean) * ratio + beta
    return np.ascontiguousarray(w, np.float32), np.ascontiguousarray(b, np.float32)
