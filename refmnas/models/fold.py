"""A network as a flat list of folded steps: what a runtime executes, and what a converter writes.

Batch norm in evaluation is an affine map of each channel, so it moves into the
convolution before it:

    r[d] = gamma[d] / sqrt(var[d] + eps)
    w'[..., d] = w[..., d] * r[d],   b'[d] = beta[d] - mean[d] * r[d]           (1)

computed in float64 and rounded once.  An activation belongs to the step before it;
dropout and drop-path do nothing in evaluation.

Source: (1) is eq. (6) of Jacob et al. 2018, arXiv:1712.05877, with the additive term
written out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..errors import SpecError
from ..layers import Activation, BatchNorm, Chain, Dropout, DropPath, GlobalPool, Layer, Linear, Pointwise, SqueezeExcite
from ..layers.base import Residual, Sum
from ..layers.conv import Conv, Depthwise, four_sides
from ..ops import activation, conv, depthwise, gate, linear, pointwise, pool

IMAGE = "input"  # the name of what the first step reads
FORWARD = {"hard_sigmoid_torch": "hard_sigmoid"}  # kinds that differ in their gradients alone


@dataclass(frozen=True, eq=False)
class Node:
    """One step.  Shapes are of one image: (H, W, C), or (C,) after the pool.

    op      conv        w (K, K, C / groups, D), b (D,)
            depthwise   w (K, K, C), b (C,)
            pointwise   w (C, D), b (D,)
            linear      w (C, D), b (D,), of a vector
            pool        the mean over all pixels
            scale       inputs (x, g): y = x * g, g one number per channel
            add         inputs (x, z): y = x + z
    act     applied to the result: a kind of refmnas.ops.activation
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    shape_in: tuple[int, ...]
    shape: tuple[int, ...]
    w: np.ndarray | None = None
    b: np.ndarray | None = None
    kernel: int = 1
    stride: int = 1
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)
    act: str = "identity"
    groups: int = 1

    @property
    def macs(self):
        """Multiply-adds of one image, by the rule of `refmnas.models.cost`."""
        if self.w is None:
            return 0
        pixels = self.shape[0] * self.shape[1] if len(self.shape) == 3 else 1
        return pixels * self.w.size


def nodes(net, size=None, dtype=np.float32) -> list[Node]:
    """The folded steps of `net` for an image of `size` (an edge, or (H, W); None: the network's own).

    Arrays are copies in `dtype`.  The last node's result is the network's.

    >>> from refmnas.models import build
    >>> [n.op for n in nodes(build("mobilenet-v2"))][:4]
    ['conv', 'depthwise', 'pointwise', 'pointwise']
    """
    height, width = (net.size, net.size) if size is None else (size, size) if np.ndim(size) == 0 else size
    found: list[Node] = []
    for node in _walk(net._chain, "", IMAGE, (int(height), int(width), 3)):
        found.append(replace(node, w=_cast(node.w, dtype), b=_cast(node.b, dtype)))
    return found


def evaluate(steps, x):
    """Every result by name, {IMAGE: x, ...}, computed by the ops: the reference of whoever runs the same steps."""
    values = {IMAGE: x}
    for node in steps:
        y = _computed(node, [values[name] for name in node.inputs])
        values[node.name] = activation.forward(y, kind=node.act)
    return values


def _computed(node, inputs):
    """A node's result before its activation."""
    x = inputs[0]
    if node.op in ("conv", "depthwise"):
        op = conv if node.op == "conv" else depthwise
        options = {"groups": node.groups} if node.op == "conv" else {}
        return op.forward(x, node.w, node.b, stride=node.stride, pad=node.pad, **options)
    if node.op in ("pointwise", "linear"):
        op = pointwise if node.op == "pointwise" else linear
        return op.forward(x, node.w, node.b)
    if node.op == "pool":
        return pool.forward(x)
    return gate.forward(*inputs) if node.op == "scale" else x + inputs[1]


def _cast(a, dtype):
    return None if a is None else np.ascontiguousarray(a, dtype)


def _walk(layer: Layer, name: str, source: str, size: tuple[int, ...]) -> Iterator[Node]:
    """The nodes of a layer whose input is the result `source`; the last one holds its result."""
    if isinstance(layer, SqueezeExcite | Sum):
        yield from (_sum if isinstance(layer, Sum) else _squeeze_excite)(layer, name, source, size)
        return
    if not isinstance(layer, Chain):
        yield from _single(layer, name, source, size)
        return
    first, last = (source, size), None
    for child_name, child in layer.children.items():
        for node in _walk(child, f"{name}.{child_name}".lstrip("."), source, size):
            if last is not None and _absorbs(node, last):
                last = _absorbed(node, last)
                continue
            if last is not None:
                yield last
            last = node
        if last is not None:
            source, size = last.name, last.shape
    if last is not None:
        yield last
    if isinstance(layer, Residual) and layer.has_skip:
        yield Node(f"{name}.add", "add", (first[0], source), first[1], first[1])


def _single(layer, name, source, size):
    """A layer without parts as at most one node; batch norm and activations as nodes to be absorbed."""
    if isinstance(layer, (Dropout, DropPath)):
        return
    shape, inputs = tuple(layer.shape(size)), (source,)
    if isinstance(layer, (Conv, Depthwise)):
        op = "conv" if isinstance(layer, Conv) else "depthwise"
        pad = four_sides(layer.padding, size, layer.kernel, layer.stride)
        options = {"kernel": layer.kernel, "stride": layer.stride, "pad": pad, "groups": layer.groups}
        yield Node(name, op, inputs, size, shape, _double(layer, "w"), _bias(layer), **options)
    elif isinstance(layer, Pointwise):
        w = _double(layer, "w")
        if layer.stride > 1:
            yield Node(name, "conv", inputs, size, shape, w[None, None], _bias(layer), stride=layer.stride)
        else:
            yield Node(name, "pointwise", inputs, size, shape, w, _bias(layer))
    elif isinstance(layer, Linear):
        yield Node(name, "linear", inputs, size, shape, _double(layer, "w"), _bias(layer))
    elif isinstance(layer, GlobalPool):
        yield Node(name, "pool", inputs, size, shape)
    elif isinstance(layer, BatchNorm):
        gamma, beta, mean, var = (_double(layer, key) for key in ("gamma", "beta", "mean", "var"))
        ratio = gamma / np.sqrt(var + layer.eps)
        yield Node(name, "affine", inputs, size, shape, ratio, beta - mean * ratio)
    elif isinstance(layer, Activation):
        yield Node(name, "activation", inputs, size, shape, act=FORWARD.get(layer.kind, layer.kind))
    else:
        raise SpecError(f"fold: {name} is a {type(layer).__name__}, wanted a layer whose step is known")


def _squeeze_excite(layer, name, source, size):
    """The squeeze path, then the scaling of what it came from."""
    *path, last = _walk(Chain(layer.children), name, source, size)
    yield from path
    yield last
    yield Node(f"{name}.scale", "scale", (source, last.name), size, size)


def _sum(layer, name, source, size):
    """Both branches, then their sum with its activation."""
    last = [source, source]
    for k, (branch, where) in enumerate(((layer.branch, name), (layer.shortcut, f"{name}.shortcut"))):
        for node in _walk(branch, where, source, size) if branch else ():
            yield node
            last[k] = node.name
    shape, act = tuple(layer.shape(size)), FORWARD.get(layer.act.kind, layer.act.kind)
    yield Node(f"{name}.add", "add", (last[1], last[0]), shape, shape, act=act)


def _absorbs(node, before):
    """Whether `node` is an affine map or an activation that `before` can take along."""
    if node.inputs != (before.name,):
        return False
    if node.op == "affine":
        return before.op in ("conv", "depthwise", "pointwise", "linear") and before.act == "identity"
    return node.op == "activation" and before.act == "identity"


def _absorbed(node, before):
    """`before` with `node` after it: equation (1), or the activation.  It keeps its own name but for the last part."""
    name = before.name.rpartition(".")[0] if before.name.endswith(".conv") else before.name
    if node.op == "activation":
        return replace(before, name=name, act=node.act)
    return replace(before, name=name, w=before.w * node.w, b=before.b * node.w + node.b)


def _bias(layer):
    """The layer's bias, zeros where it has none."""
    return _double(layer, "b") if "b" in layer.params else np.zeros(layer.params["w"].value.shape[-1])


def _double(layer, key):
    return layer.params[key].value.astype(np.float64)
