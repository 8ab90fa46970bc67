"""From a table and a dialect to layers: no number of a network stands here.

    stem      ConvBNAct 3 -> c
    stages.S.B  SepConv or MBConv, as the plan says
    head      ConvBNAct, global average pool, dropout, dense
"""

from __future__ import annotations

from ..blocks import ConvBNAct, Conventions, MBConv, SepConv
from ..blocks.conv_bn_act import dense
from ..layers import Chain, Dropout, GlobalPool, Linear, Pointwise
from . import plan


def conventions(spec, dialect, dtype):
    """The dialect's fields that layers read."""
    return Conventions(
        activation=spec.activation,
        padding=dialect.padding,
        bn_eps=dialect.bn_eps,
        bn_momentum=dialect.bn_momentum,
        bn_unbiased=dialect.bn_unbiased,
        se_activation=spec.activation if dialect.se_activation == "network" else dialect.se_activation,
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
        stages.setdefault(str(row.stage), {})[str(row.block)] = _block(row, c)
    return Chain({
        "stem": dense(3, plan.stem_channels(spec, dialect), spec.stem.kernel, spec.stem.stride, c),
        "stages": Chain({name: Chain(inside) for name, inside in stages.items()}),
        "head": _head(spec, dialect, blocks[-1].c_out, c),
    })  # fmt: skip


def _block(row, c):
    options = {"kernel": row.kernel, "stride": row.stride, "squeeze": row.squeeze, "has_skip": row.has_skip}
    options |= {"drop_path": row.drop_path, "conventions": c}
    if row.kind == "sep":
        return SepConv(row.c_in, row.c_out, **options)
    return MBConv(row.c_in, row.c_out, mid=row.mid if row.expands else None, **options)


def _head(spec, dialect, c_in, c):
    channels = plan.head_channels(spec, dialect)
    return Chain({
        **ConvBNAct(Pointwise(c_in, channels, dtype=c.dtype), c).children,
        "pool": GlobalPool(),
        "drop": Dropout(spec.head.dropout),
        "dense": Linear(channels, spec.head.classes, dtype=c.dtype),
    })  # fmt: skip
