"""From a table and a dialect to layers: no number of a network stands here.

    stem      ConvBNAct 3 -> c
    stages.S.B  SepConv, MBConv or ResBottleneck, as the plan says; with `merge` a Graph, its last node the merge
    head      as `heads` has it

A table of cells is a Graph: `cells`.
"""

from __future__ import annotations

from ..blocks import Conventions, MBConv, ResBottleneck, SepConv
from ..blocks.conv_bn_act import dense
from ..layers import Chain, Graph
from . import cells, heads, plan
from .cell_spec import CellSpec


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
        strided_pool_counts=dialect.strided_pool_counts,
        dtype=dtype,
    )


def network(spec, dialect, *, dtype, size=None):
    """The whole network: of a NetSpec one chain of stem, stages and head, of a CellSpec a Graph (for images of `size`)."""
    c = conventions(spec, dialect, dtype)
    if isinstance(spec, CellSpec):
        return cells.network(spec, dialect, c, size)
    blocks = plan.blocks(spec, dialect, size)
    stages: dict[str, dict] = {}
    for row in blocks:
        stages.setdefault(str(row.stage), {})[str(row.block)] = _block(row, conventions(spec, dialect, dtype, row.act))
    chains = {name: Chain(inside) for name, inside in stages.items()}
    channels, hidden = plan.head_channels(spec, dialect), plan.hidden_channels(spec, dialect)
    convolution = channels if spec.head.channels else 0
    return Chain({
        "stem": dense(3, plan.stem_channels(spec, dialect), spec.stem.kernel, spec.stem.stride, c),
        "stages": _merged(chains, blocks, spec.merge, c) if spec.merge else Chain(chains),
        "head": Chain(heads.parts(spec.head, blocks[-1].c_out, convolution, hidden, dialect, c)),
    })  # fmt: skip


def _merged(chains, blocks, numbers, c):
    """The stages as a Graph, so that later ones and the merge can read each of them."""
    nodes, source = {}, "x"
    for name, chain in chains.items():
        nodes[name] = (chain, source)
        source = name
    sizes = {str(row.stage): (*row.size_out, row.c_out) for row in blocks}
    heads.merged(nodes, sizes, list(chains), numbers, c)
    return Graph({"x": (*blocks[0].size_in, blocks[0].c_in)}, nodes)


def _block(row, c):
    options = {"kernel": row.kernel, "stride": row.stride, "squeeze": row.squeeze, "has_skip": row.has_skip}
    options |= {"drop_path": row.drop_path, "conventions": c}
    if row.kind in ("sep", "separable"):
        return SepConv(row.c_in, row.c_out, is_linear=row.kind == "sep", **options)
    if row.kind == "bottleneck":
        return ResBottleneck(row.c_in, row.c_out, groups=row.groups, **options)
    return MBConv(row.c_in, row.c_out, mid=row.mid if row.expands else None, **options)
