"""torchvision's names, read in 0.29.1: mnasnet.py, mobilenetv2.py, mobilenetv3.py, efficientnet.py, regnet.py."""

from __future__ import annotations

from ...errors import SpecError
from .. import plan, zoo
from .table import Table


def torchvision(spec, dialect):
    """MnasNet-B1's `layers.`, the others' `features.`, RegNet's `trunk_output.`"""
    for beginning, table in _FAMILIES:
        if spec.name.startswith(beginning) and "torchvision" in spec.sources:
            return table(spec, dialect)
    raise SpecError(f"names: torchvision has no {spec.name}; it has {', '.join(zoo.published('torchvision'))}")


def _mnasnet_b1(spec, dialect):
    t = Table(dialect)
    t.conv_bn("stem", "layers.0", "layers.1")
    for b in plan.blocks(spec, dialect):
        if not b.expands:
            t.conv_bn(f"{b.prefix}.depthwise", "layers.3", "layers.4")
            t.conv_bn(f"{b.prefix}.project", "layers.6", "layers.7")
            continue
        at = f"layers.{7 + b.stage}.{b.block}.layers"
        for part, number in (("expand", 0), ("depthwise", 3), ("project", 6)):
            t.conv_bn(f"{b.prefix}.{part}", f"{at}.{number}", f"{at}.{number + 1}")
    t.conv_bn("head", "layers.14", "layers.15")
    t.weight_bias("head.dense", "classifier.1")
    return t


def _v2(spec, dialect):
    t, rows = Table(dialect), plan.blocks(spec, dialect)
    t.conv_bn("stem", "features.0.0", "features.0.1")
    for number, b in enumerate(rows, 1):
        at, n = f"features.{number}.conv", 0
        if b.expands:
            t.conv_bn(f"{b.prefix}.expand", f"{at}.0.0", f"{at}.0.1")
            n = 1
        t.conv_bn(f"{b.prefix}.depthwise", f"{at}.{n}.0", f"{at}.{n}.1")
        t.conv_bn(f"{b.prefix}.project", f"{at}.{n + 1}", f"{at}.{n + 2}")
    t.conv_bn("head", f"features.{len(rows) + 1}.0", f"features.{len(rows) + 1}.1")
    t.weight_bias("head.dense", "classifier.1")
    return t


def _v3(spec, dialect):
    t, rows = Table(dialect), plan.blocks(spec, dialect)
    t.conv_bn("stem", "features.0.0", "features.0.1")
    for number, b in enumerate(rows, 1):
        _block(t, b, f"features.{number}.block")
    t.conv_bn("head", f"features.{len(rows) + 1}.0", f"features.{len(rows) + 1}.1")
    t.weight_bias("head.hidden", "classifier.0")
    t.weight_bias("head.dense", "classifier.3")
    return t


def _efficientnet(spec, dialect):
    t, rows = Table(dialect), plan.blocks(spec, dialect)
    t.conv_bn("stem", "features.0.0", "features.0.1")
    for b in rows:
        _block(t, b, f"features.{b.stage + 1}.{b.block}.block")
    last = rows[-1].stage + 2
    t.conv_bn("head", f"features.{last}.0", f"features.{last}.1")
    t.weight_bias("head.dense", "classifier.1")
    return t


def _block(t, b, at):
    """A sequence of what there is: expand, depthwise, SE, project."""
    parts = [*(["expand"] if b.expands else []), "depthwise", *(["se"] if b.squeeze else []), "project"]
    for number, part in enumerate(parts):
        if part == "se":
            t.weight_bias(f"{b.prefix}.se.reduce", f"{at}.{number}.fc1")
            t.weight_bias(f"{b.prefix}.se.expand", f"{at}.{number}.fc2")
        else:
            t.conv_bn(f"{b.prefix}.{part}", f"{at}.{number}.0", f"{at}.{number}.1")


def _regnet(spec, dialect):
    t = Table(dialect)
    t.conv_bn("stem", "stem.0", "stem.1")
    for b in plan.blocks(spec, dialect):
        at = f"trunk_output.block{b.stage + 1}.block{b.stage + 1}-{b.block}"
        if b.has_projection:
            t.conv_bn(f"{b.prefix}.shortcut", f"{at}.proj.0", f"{at}.proj.1")
        for part, theirs in (("expand", "a"), ("grouped", "b"), ("project", "c")):
            t.conv_bn(f"{b.prefix}.{part}", f"{at}.f.{theirs}.0", f"{at}.f.{theirs}.1")
        if b.squeeze:
            t.weight_bias(f"{b.prefix}.se.reduce", f"{at}.f.se.fc1")
            t.weight_bias(f"{b.prefix}.se.expand", f"{at}.f.se.fc2")
    t.weight_bias("head.dense", "fc")
    return t


# the beginning of a name, and its table
_FAMILIES = (
    ("mnasnet-b1", _mnasnet_b1),
    ("mobilenet-v2", _v2),
    ("mobilenet-v3", _v3),
    ("efficientnet-b", _efficientnet),
    ("regnet", _regnet),
)
