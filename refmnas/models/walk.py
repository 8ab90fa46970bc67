"""From layers to folded steps, in the order of computation; `fold` is who asks.

What comes from a walk are nodes of one source each time: an affine map (batch norm) and an
activation are absorbed by the step before them in their chain.  Where no such step is,
they stay nodes of their own, "affine" and "act", for `fold` to settle; so do all of them
in a walk that is not `folded`, which `refmnas.verify` asks for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..blocks.nasnet import Shift
from ..errors import SpecError
from ..layers import (
    Activation,
    Add,
    AveragePool,
    BatchNorm,
    Chain,
    Concat,
    Dropout,
    DropPath,
    GlobalPool,
    Graph,
    Join,
    Layer,
    Linear,
    MaxPool,
    Pointwise,
    PyramidPool,
    ResizeLike,
    SqueezeExcite,
)
from ..layers.base import Residual, Sum
from ..layers.conv import Conv, Depthwise, four_sides
from .node import Node

FORWARD = {"hard_sigmoid_torch": "hard_sigmoid"}  # kinds that differ in their gradients alone
FOLDABLE_RESIZE = {"mode": "bilinear", "places": "half_pixel"}


def walk(layer: Layer, name: str, source: Any, size: Any, *, folded: bool = True) -> Iterator[Node]:
    """The nodes of a layer whose input is the result `source`; the last one holds its result.

    A layer of several inputs has a tuple of sources and one of sizes.
    """
    if isinstance(layer, SqueezeExcite | Sum | Graph):
        kind = _sum if isinstance(layer, Sum) else _graph if isinstance(layer, Graph) else _squeeze_excite
        yield from kind(layer, name, source, size, folded)
        return
    if isinstance(layer, Join):
        if not (isinstance(layer, ResizeLike) and size[0][:2] == size[1][:2]):
            yield _join(layer, name, source, size)
        return
    if not isinstance(layer, Chain):
        yield from _single(layer, name, source, size)
        return
    first, last = (source, size), None
    for child_name, child in layer.children.items():
        for node in walk(child, f"{name}.{child_name}".lstrip("."), source, size, folded=folded):
            if folded and last is not None and not isinstance(child, Graph) and _absorbs(node, last):
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
    elif isinstance(layer, AveragePool | MaxPool) and not layer.ceil:
        op = "average_pool" if isinstance(layer, AveragePool) else "max_pool"
        pad = layer.padding if isinstance(layer.padding, tuple) else four_sides(layer.padding, size, layer.kernel, layer.stride)
        counts = isinstance(layer, AveragePool) and layer.count_pad
        yield Node(name, op, inputs, size, shape, kernel=layer.kernel, stride=layer.stride, pad=pad, count_pad=counts)
    elif isinstance(layer, PyramidPool):
        yield Node(name, "pyramid", inputs, size, shape, levels=layer.levels)
    elif isinstance(layer, Shift):
        yield Node(name, "shift", inputs, size, shape)
    elif isinstance(layer, BatchNorm):
        gamma, beta, mean, var = (_double(layer, key) for key in ("gamma", "beta", "mean", "var"))
        ratio = gamma / np.sqrt(var + layer.eps)
        yield Node(name, "affine", inputs, size, shape, ratio, beta - mean * ratio)
    elif isinstance(layer, Activation):
        yield Node(name, "act", inputs, size, shape, act=FORWARD.get(layer.kind, layer.kind))
    else:
        raise SpecError(f"fold: {name} is a {type(layer).__name__}, wanted a layer whose step is known")


def _squeeze_excite(layer, name, source, size, folded):
    """The squeeze path, then the scaling of what it came from."""
    *path, last = walk(Chain(layer.children), name, source, size, folded=folded)
    yield from path
    yield last
    yield Node(f"{name}.scale", "scale", (source, last.name), size, size)


def _sum(layer, name, source, size, folded):
    """Both branches, then their sum with its activation."""
    last = [source, source]
    for k, (branch, where) in enumerate(((layer.branch, name), (layer.shortcut, f"{name}.shortcut"))):
        for node in walk(branch, where, source, size, folded=folded) if branch else ():
            yield node
            last[k] = node.name
    shape, act = tuple(layer.shape(size)), FORWARD.get(layer.act.kind, layer.act.kind)
    if folded:
        yield Node(f"{name}.add", "add", (last[1], last[0]), shape, shape, act=act)
        return
    yield Node(f"{name}.add", "add", (last[1], last[0]), shape, shape)
    yield Node(f"{name}.act", "act", (f"{name}.add",), shape, shape, act=act)


def _join(layer, name, sources, sizes):
    """A sum, a concatenation, a resize to another one's extents."""
    shape = tuple(layer.shape(sizes))
    if isinstance(layer, ResizeLike) and FOLDABLE_RESIZE.items() <= layer.options.items():
        return Node(name, "resize", sources[:1], tuple(sizes[0]), shape)
    if isinstance(layer, Concat) or (isinstance(layer, Add) and len(sources) == 2):
        return Node(name, "add" if isinstance(layer, Add) else "concat", tuple(sources), tuple(sizes[0]), shape)
    raise SpecError(f"fold: {name} is a {type(layer).__name__} of {len(sources)}, wanted a layer whose step is known")


def _graph(layer, name, source, size, folded):
    """Node after node, as far as the first output needs them; that output's is the last."""
    several = isinstance(source, tuple)
    results = dict(zip(layer.names, zip(source, size, strict=True) if several else [(source, size)], strict=True))
    needed = _needed(layer)
    for child_name in layer.order:
        if child_name not in needed:
            continue
        child, found = layer.children[child_name], [results[s] for s in layer.sources[child_name]]
        is_one = not isinstance(child, Join) or child.inputs == 1
        reads, sizes = found[0] if is_one else tuple(zip(*found, strict=True))
        last = None
        for node in walk(child, f"{name}.{child_name}".lstrip("."), reads, sizes, folded=folded):
            yield node
            last = node
        results[child_name] = found[0] if last is None else (last.name, last.shape)


def _needed(layer):
    """The nodes that the first output is computed from, and itself."""
    found, open_ = set(), [layer.outputs[0]]
    while open_:
        name = open_.pop()
        if name in layer.children and name not in found:
            found.add(name)
            open_ += layer.sources[name]
    return found


def _absorbs(node, before):
    """Whether `node` is an affine map or an activation that `before` can take along."""
    if node.inputs != (before.name,):
        return False
    if node.op == "affine":
        return before.op in ("conv", "depthwise", "pointwise", "linear") and before.act == "identity"
    return node.op == "act" and before.act == "identity"


def _absorbed(node, before):
    """`before` with `node` after it: equation (1), or the activation.  It keeps its own name but for the last part."""
    name = before.name.rpartition(".")[0] if before.name.endswith(".conv") else before.name
    if node.op == "act":
        return replace(before, name=name, act=node.act)
    return replace(before, name=name, w=before.w * node.w, b=before.b * node.w + node.b)


def _bias(layer):
    """The layer's bias, zeros where it has none."""
    return _double(layer, "b") if "b" in layer.params else np.zeros(layer.params["w"].value.shape[-1])


def _double(layer, key):
    return layer.params[key].value.astype(np.float64)
