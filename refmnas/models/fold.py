"""A network as a flat list of folded steps: what a runtime executes, and what a converter writes.

Batch norm in evaluation is an affine map of each channel, so it moves into the
convolution before it (of two that are put together, its parts into both):

    r[d] = gamma[d] / sqrt(var[d] + eps)
    w'[..., d] = w[..., d] * r[d],   b'[d] = beta[d] - mean[d] * r[d]           (1)

computed in float64 and rounded once.  An activation belongs to the step before it;
dropout and drop-path do nothing in evaluation.

Source: (1) is eq. (6) of Jacob et al. 2018, arXiv:1712.05877, with the additive term
written out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import reduce
from math import gcd

import numpy as np

from ..blocks.nasnet import Shift
from ..layers import PyramidPool
from ..ops import (
    activation,
    average_pool,
    concat,
    conv,
    depthwise,
    gate,
    linear,
    max_pool,
    pointwise,
    pool,
    resize,
    softmax,
)
from .node import IMAGE, Node
from .walk import FORWARD, walk

__all__ = ["FORWARD", "IMAGE", "Node", "computed", "evaluate", "nodes", "replace"]
_WEIGHED = ("conv", "depthwise", "pointwise", "linear")


def nodes(net, size=None, dtype=np.float32) -> list[Node]:
    """The folded steps of `net` for an image of `size` (an edge, or (H, W); None: the network's own).

    Arrays are copies in `dtype`.  The last node's result is the network's.

    >>> from refmnas.models import build
    >>> [n.op for n in nodes(build("mobilenet-v2"))][:4]
    ['conv', 'depthwise', 'pointwise', 'pointwise']
    """
    height, width = (net.size, net.size) if size is None else (size, size) if np.ndim(size) == 0 else size
    found = _settled(list(walk(net._chain, "", IMAGE, (int(height), int(width), 3))))
    return [replace(node, w=_cast(node.w, dtype), b=_cast(node.b, dtype)) for node in found]


def _settled(found):
    """Affine maps that no chain took in folded into both parts of a concatenation; one "act" where several are equal."""
    uses = Counter(name for node in found for name in node.inputs)
    kept: dict[str, Node] = {}
    renamed: dict[str, str] = {}
    acts: dict[tuple, str] = {}
    for node in found:
        node = replace(node, inputs=tuple(renamed.get(name, name) for name in node.inputs))
        if node.op == "affine":
            parts = _parts_of(node, kept, uses)
            kept |= _affine(node, parts) if parts else {node.name: _as_depthwise(node)}
            renamed |= {node.name: node.inputs[0]} if parts else {}
        elif node.op == "act" and (node.inputs, node.act) in acts:
            renamed[node.name] = acts[node.inputs, node.act]
        else:
            kept[node.name] = node
            if node.op == "act":
                acts[node.inputs, node.act] = node.name
    return list(kept.values())


def _parts_of(node, kept, uses):
    """The convolutions whose results, put together, an affine map reads, where nothing else reads them; or none."""
    together = kept.get(node.inputs[0])
    if together is None or together.op != "concat" or uses[together.name] != 1:
        return []
    parts = [kept.get(name) for name in together.inputs]
    fits = all(p is not None and p.op in _WEIGHED and p.act == "identity" and uses[p.name] == 1 for p in parts)
    return parts if fits else []


def _affine(node, parts):
    """Equation (1) for the channels of each part."""
    changed, first = {}, 0
    for part in parts:
        own = slice(first, first + part.shape[-1])
        first = own.stop
        changed[part.name] = replace(part, w=part.w * node.w[own], b=part.b * node.w[own] + node.b[own])
    return changed


def _as_depthwise(node):
    """An affine map as a convolution of 1 x 1 of each channel alone."""
    return replace(node, op="depthwise", w=node.w[None, None])


def evaluate(steps, x):
    """Every result by name, {IMAGE: x, ...}, computed by the ops: the reference of whoever runs the same steps."""
    values = {IMAGE: x}
    for node in steps:
        y = computed(node, [values[name] for name in node.inputs])
        values[node.name] = activation.forward(y, kind=node.act)
    return values


def computed(node, inputs):
    """A node's result before its activation."""
    x = inputs[0]
    if node.op in ("conv", "depthwise"):
        op = conv if node.op == "conv" else depthwise
        options = {"groups": node.groups} if node.op == "conv" else {}
        return _windowed(op, node, x, node.w, node.b, **options)
    if node.op in ("pointwise", "linear"):
        op = pointwise if node.op == "pointwise" else linear
        return op.forward(x, node.w, node.b)
    if node.op in ("average_pool", "max_pool"):
        options = {"count_pad": node.count_pad} if node.op == "average_pool" else {}
        return _windowed(_POOLS[node.op], node, x, kernel=(node.kernel,) * 2, **options)
    return _PLAIN[node.op](node, *inputs)


def _windowed(op, node, *arrays, **options):
    """By the stride that rows and columns have in common; where they differ, some rows and columns of that."""
    rows, columns = node.strides
    common = gcd(rows, columns)
    y = op.forward(*arrays, stride=common, pad=node.pad, **options)
    return y[:, :: rows // common, :: columns // common]


_POOLS = {"average_pool": average_pool, "max_pool": max_pool}
_PLAIN = {
    "pool": lambda node, x: pool.forward(x),
    "scale": lambda node, x, g: gate.forward(x, g),
    "add": lambda node, x, z: x + z,
    "act": lambda node, x: x,
    "concat": lambda node, *xs: reduce(concat.forward, xs),
    "shift": lambda node, x: Shift().forward(x),
    "softmax": lambda node, x: softmax.forward(x),
    "resize": lambda node, x: resize.forward(x, size=node.shape[:2], mode="bilinear", places="half_pixel"),
    "pyramid": lambda node, x: PyramidPool(node.levels).forward(x),
}


def _cast(a, dtype):
    return None if a is None else np.ascontiguousarray(a, dtype)
