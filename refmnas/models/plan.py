"""From a table to the true numbers: channels at any width, repeats at any depth, one row per block.

The one place that computes widths; the builder, `cost` and `names` read its rows.

    round8(v) = max(8, floor((v + 4) / 8) * 8), plus 8 where that is below 0.9 v       (1)
    channels  = round8(width * table), the table's own at width 1                     (2)
    repeats   = ceil(depth * table)                                                   (3)

Source: (1)-(3) are _round_filters and _round_repeats of tensorflow/tpu mnasnet_model.py
and efficientnet_model.py; torchvision and timm compute (1) alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import SpecError


@dataclass(frozen=True)
class BlockPlan:
    """One block with its true numbers."""

    stage: int
    block: int  # within the stage
    kind: str  # sep or mbconv
    kernel: int
    stride: int
    c_in: int
    mid: int  # channels of the depthwise convolution
    c_out: int
    squeeze: int  # channels between SE's two layers, 0: no SE
    expands: bool  # whether a 1x1 convolution comes before the depthwise one
    has_skip: bool

    @property
    def prefix(self):
        """The block's name within the network: "stages.1.0"."""
        return f"stages.{self.stage}.{self.block}"


def round8(value):
    """Equation (1).

    >>> round8(83), round8(84), round8(3)
    (80, 88, 8)
    """
    rounded = max(8, int(value + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * value else rounded


def channels(table, width, scales=True):
    """Equation (2)."""
    return round8(table * width) if scales and width != 1.0 else table


def stem_channels(spec, dialect=None):
    """Output channels of the stem."""
    return channels(spec.stem.channels, spec.width, spec.stem.scales)


def head_channels(spec, dialect=None):
    """Channels of the last 1x1 convolution."""
    return channels(spec.head.channels, spec.width, spec.head.scales == "above-one" and spec.width > 1)


def repeats(stage, depth):
    """Equation (3)."""
    return math.ceil(stage.repeats * depth) if stage.deepens else stage.repeats


def blocks(spec, dialect):
    """Every block of the network, in order."""
    rows, c_in = [], stem_channels(spec)
    for number, stage in enumerate(spec.stages):
        c_out = channels(stage.channels, spec.width, stage.scales)
        for block in range(repeats(stage, spec.depth)):
            rows.append(_block(spec, dialect, stage, number, block, c_in, c_out))
            c_in = c_out
    return rows


def _block(spec, dialect, stage, number, block, c_in, c_out):
    stride = stage.stride if block == 0 else 1
    counted_in = c_in
    if block == 0 and stage.declared_in is not None and dialect.small_skip == "declared":
        counted_in = channels(stage.declared_in, spec.width, stage.scales)
    # Equal true widths are needed as well: a declared width alone cannot make an addition possible.
    has_skip = stage.skip and stride == 1 and counted_in == c_out and c_in == c_out
    mid = c_in * stage.expand
    expands = stage.block == "mbconv" and stage.expand > 1
    squeeze = _squeeze(stage.se, mid if dialect.se_base == "expanded" else c_in, dialect.se_rounding)
    return BlockPlan(
        number, block, stage.block, stage.kernel, stride, c_in, mid, c_out, squeeze, expands, has_skip,
    )  # fmt: skip


def _squeeze(ratio, base, rounding):
    if not ratio:
        return 0
    if rounding == "truncate":
        return max(1, int(base * ratio))
    if rounding == "round":
        return max(1, round(base * ratio))
    if rounding == "divisible":
        return round8(base * ratio)
    raise SpecError(f"dialect: se_rounding is {rounding!r}, wanted truncate, round or divisible")
