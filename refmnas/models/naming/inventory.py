"""Every array of a network by our own name, with its layout kind and shape: from the table, nothing is built."""

from __future__ import annotations

from typing import NamedTuple

from ... import layout
from .. import plan

STATISTICS = ("gamma", "beta", "mean", "var")


class Array(NamedTuple):
    """One array of the network."""

    kind: str  # of refmnas.layout
    shape: tuple[int, ...]  # ours
    linear_in: tuple[str, ...] = ()  # sources that keep a 1x1 convolution's weight as a dense layer's


def of(spec, dialect):
    """{name: Array} in the network's own order."""
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
    head, hidden, classes = plan.head_channels(spec, dialect), plan.hidden_channels(spec, dialect), spec.head.classes
    if spec.head.channels:
        conv_bn("head", layout.POINTWISE, c_last, head)
    if hidden:
        found["head.hidden.w"] = Array(layout.POINTWISE, (head, hidden), ("torchvision",))
        found |= {"head.hidden.b": Array(layout.PLAIN, (hidden,))} if dialect.hidden_bias else {}
    found["head.dense.w"] = Array(layout.LINEAR, (hidden or head, classes))
    found["head.dense.b"] = Array(layout.PLAIN, (classes,))
    return found


def _block(b, conv_bn, found):
    """What one block has, in the order of its layers."""
    if b.expands:
        conv_bn(f"{b.prefix}.expand", layout.POINTWISE, b.c_in, b.mid)
    if b.kind == "bottleneck":
        conv_bn(f"{b.prefix}.grouped", layout.CONV, b.kernel, b.kernel, b.mid // b.groups, b.mid)
    else:
        conv_bn(f"{b.prefix}.depthwise", layout.DEPTHWISE, b.kernel, b.kernel, b.mid)
    if b.squeeze:
        for name, c_in, c_out in (("reduce", b.mid, b.squeeze), ("expand", b.squeeze, b.mid)):
            found[f"{b.prefix}.se.{name}.w"] = Array(layout.POINTWISE, (c_in, c_out))
            found[f"{b.prefix}.se.{name}.b"] = Array(layout.PLAIN, (c_out,))
    conv_bn(f"{b.prefix}.project", layout.POINTWISE, b.mid, b.c_out)
    if b.has_projection:
        conv_bn(f"{b.prefix}.shortcut", layout.POINTWISE, b.c_in, b.c_out)
