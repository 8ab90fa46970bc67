"""Every array of a network by our own name, with its layout kind and shape: from the table, no weight is drawn."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ... import layout
from .. import assemble, heads, plan
from ..cell_spec import CellSpec

STATISTICS = ("gamma", "beta", "mean", "var")


class Array(NamedTuple):
    """One array of the network."""

    kind: str  # of refmnas.layout
    shape: tuple[int, ...]  # ours
    linear_in: tuple[str, ...] = ()  # sources that keep it as a dense layer's weight where they could as a 1x1 convolution's


def of(spec, dialect):
    """{name: Array} in the network's own order."""
    if isinstance(spec, CellSpec):
        return dict(_of_cells(spec, dialect))
    found: dict[str, Array] = {}

    def conv_bn(prefix, kind, *shape):
        found[f"{prefix}.conv.w"] = Array(kind, shape)
        if dialect.conv_bias:
            found[f"{prefix}.conv.b"] = Array(layout.PLAIN, shape[-1:])
        for name in STATISTICS:
            found[f"{prefix}.bn.{name}"] = Array(layout.PLAIN, shape[-1:])

    stem, kernel = plan.stem_channels(spec, dialect), spec.stem.kernel
    conv_bn("stem", layout.CONV, kernel, kernel, 3, stem)
    c_last = stem
    for b in plan.blocks(spec, dialect):
        _block(b, conv_bn, found)
        c_last = b.c_out
    if spec.merge:
        together = sum(plan.merge_channels(spec, plan.blocks(spec, dialect)))
        conv_bn("stages.merge.mix", layout.POINTWISE, together, c_last)
    head, hidden, classes = plan.head_channels(spec, dialect), plan.hidden_channels(spec, dialect), spec.head.classes
    if spec.head.channels:
        conv_bn("head", layout.POINTWISE, c_last, head)
    if squeezed := heads.squeezed(spec.head, head):
        _squeeze(found, "head", head, squeezed)
    pooled = heads.pooled(spec.head, head)
    if hidden:
        found["head.hidden.w"] = Array(layout.POINTWISE, (pooled, hidden), ("torchvision",))
        found |= {"head.hidden.b": Array(layout.PLAIN, (hidden,))} if dialect.hidden_bias else {}
    found["head.dense.w"] = Array(layout.LINEAR, (hidden or pooled, classes))
    found |= {"head.dense.b": Array(layout.PLAIN, (classes,))} if spec.head.bias else {}
    return found


@lru_cache(maxsize=64)
def _of_cells(spec, dialect):
    """Of the layers themselves, whose zeros take no memory until somebody writes them."""
    layers = assemble.network(spec, dialect, dtype=np.float32)
    kinds = ((name, p.kind, p.value.shape) for name, p in layers.named_params())
    return tuple((name, Array(kind, shape, ("slim",) if kind == layout.LINEAR else ())) for name, kind, shape in kinds)


def _squeeze(found, prefix, channels, squeezed):
    for name, c_in, c_out in (("reduce", channels, squeezed), ("expand", squeezed, channels)):
        found[f"{prefix}.se.{name}.w"] = Array(layout.POINTWISE, (c_in, c_out))
        found[f"{prefix}.se.{name}.b"] = Array(layout.PLAIN, (c_out,))


def _block(b, conv_bn, found):
    """What one block has, in the order of its layers."""
    if b.expands:
        conv_bn(f"{b.prefix}.expand", layout.POINTWISE, b.c_in, b.mid)
    if b.kind == "bottleneck":
        conv_bn(f"{b.prefix}.grouped", layout.CONV, b.kernel, b.kernel, b.mid // b.groups, b.mid)
    else:
        conv_bn(f"{b.prefix}.depthwise", layout.DEPTHWISE, b.kernel, b.kernel, b.mid)
    if b.squeeze:
        _squeeze(found, b.prefix, b.mid, b.squeeze)
    conv_bn(f"{b.prefix}.project", layout.POINTWISE, b.mid, b.c_out)
    if b.has_projection:
        conv_bn(f"{b.prefix}.shortcut", layout.POINTWISE, b.c_in, b.c_out)
