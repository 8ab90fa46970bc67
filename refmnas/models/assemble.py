"""From a table and a dialect to layers: no number of a network stands here.

    stem      ConvBNAct 3 -> c
    stages.S.B  SepConv, MBConv or ResBottleneck, as the plan says
    head      [ConvBNAct,] global average pool, [dense, activation,] dropout, dense
"""

from __future__ import annotations

from ..blocks import ConvBNAct, Conventions, MBConv, ResBottleneck, SepConv
from ..blocks.conv_bn_act import dense
from ..layers import Activation, Chain, Dropout, GlobalPool, Layer, Linear, Pointwise
from . import plan


def conventions(spec, dialect, dtype, act=None):
    """The dialect's fields that layers read; `act` is a row's own activation."""
    activation = act or spec.activation
    return Conventions(
        activation=activation,
        padding=dialect.padding,
        bn_eps=dialect.bn_eps,
        bn_momentum=dialect.bn_momentum,
        bn_unbiased=dialect.bn_unbiased,
        conv_bias=dialect.conv_bias,
        se_activation=activation if dialect.se_activation == "network" else dialect.se_activation,
        gate=dialect.gate,
        kink=dialect.kink,
        dtype=dtype,
    )


def network(spec, dialect, *, dtype):
    """The whole network as one chain: stem, stages, head."""
    c = conventions(spec, dialect, dtype)
    blocks = plan.blocks(spec, dialect)
    stages: dict[str, dict] = {}
    for row in blocks:
        stages.setdefault(str(row.stage), {})[str(row.block)] = _block(row, conventions(spec, dialect, dtype, row.act))
    return Chain({
        "stem": dense(3, plan.stem_channels(spec, dialect), spec.stem.kernel, spec.stem.stride, c),
        "stages": Chain({name: Chain(inside) for name, inside in stages.items()}),
        "head": _head(spec, dialect, blocks[-1].c_out, c),
    })  # fmt: skip


def _block(row, c):
    options = {"kernel": row.kernel, "stride": row.stride, "squeeze": row.squeeze, "has_skip": row.has_skip}
    options |= {"drop_path": row.drop_path, "conventions": c}
    if row.kind in ("sep", "separable"):
        return SepConv(row.c_in, row.c_out, is_linear=row.kind == "sep", **options)
    if row.kind == "bottleneck":
        return ResBottleneck(row.c_in, row.c_out, groups=row.groups, **options)
    return MBConv(row.c_in, row.c_out, mid=row.mid if row.expands else None, **options)


def _head(spec, dialect, c_in, c):
    channels, hidden = plan.head_channels(spec, dialect), plan.hidden_channels(spec, dialect)
    parts: dict[str, Layer] = {}
    if spec.head.channels:
        conv = Pointwise(c_in, channels, bias=c.conv_bias, dtype=c.dtype)
        parts |= ConvBNAct(conv, c).children
    parts["pool"] = GlobalPool()
    if hidden:
        options = {"kind_of_w": dialect.hidden_kind, "bias": dialect.hidden_bias, "dtype": c.dtype}
        parts["hidden"] = Linear(channels, hidden, **options)
        parts["hidden_act"] = Activation(c.activation, kink=c.kink)
    parts["drop"] = Dropout(spec.head.dropout)
    parts["dense"] = Linear(hidden or channels, spec.head.classes, dtype=c.dtype)
    return Chain(parts)
