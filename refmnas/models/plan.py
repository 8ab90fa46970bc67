"""From a table to the true numbers: channels at any width, repeats at any depth, one row per block.

The one place that computes widths; the builder, `cost` and `naming` read its rows.

    round8(v) = max(8, floor((v + 4) / 8) * 8), plus 8 where that is below 0.9 v       (1)
    channels  = round8(width * table), by the dialect's width_rule                    (2)
    repeats   = ceil(depth * table)                                                   (3)

Source: (1)-(3) are round_filters and round_repeats of tensorflow/tpu mnasnet_model.py
and efficientnet_model.py; (1) is also slim's and Keras' _make_divisible, torchvision's
_round_to_multiple_of and _make_divisible, and timm's make_divisible.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import SpecError


@dataclass(frozen=True)
class BlockPlan:
    """One block with its true numbers; sizes are (rows, columns), and are the same under both padding rules."""

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
    drop_path: float  # 0 for the first block, rising by equal steps
    size_in: tuple[int, int]
    size_out: tuple[int, int]

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


def channels(table, width, rule="except-one", scales=True):
    """Equation (2); `rule` is the dialect's width_rule."""
    if rule not in ("except-one", "always", "truncate-first"):
        raise SpecError(f"dialect: width_rule is {rule!r}, wanted except-one, always or truncate-first")
    if not scales or (rule == "except-one" and width == 1):
        return table
    product = table * width
    return round8(int(product) if rule == "truncate-first" else product)


def stem_channels(spec, dialect):
    """Output channels of the stem.  (Keras cuts the product before it rounds in its blocks only.)"""
    rule = "always" if dialect.width_rule == "truncate-first" else dialect.width_rule
    return channels(spec.stem.channels, spec.width, rule, spec.stem.scales)


def head_channels(spec, dialect):
    """Channels of the last 1x1 convolution."""
    return round8(spec.head.channels * spec.width) if _head_scales(spec) else spec.head.channels


def _head_scales(spec):
    return spec.head.scales == "above-one" and spec.width > 1


def repeats(stage, depth):
    """Equation (3)."""
    return math.ceil(stage.repeats * depth) if stage.deepens else stage.repeats


def blocks(spec, dialect, size=None):
    """Every block of the network, in order, for images of `size`: a side, (rows, columns), or None: the table's own."""
    total = sum(repeats(stage, spec.depth) for stage in spec.stages)
    rows, c_in = [], stem_channels(spec, dialect)
    size = halved(sides(spec.size if size is None else size), spec.stem.stride)
    for number, stage in enumerate(spec.stages):
        c_out = channels(stage.channels, spec.width, dialect.width_rule, stage.scales)
        for block in range(repeats(stage, spec.depth)):
            stride = stage.stride if block == 0 else 1
            mid = _mid(stage, c_in, dialect)
            rows.append(BlockPlan(
                number, block, stage.block, stage.kernel, stride, c_in, mid, c_out,
                squeeze=_squeeze(stage, c_in, mid, dialect),
                expands=stage.expand > 1,
                has_skip=stride == 1 and _has_skip(spec, dialect, stage, block, c_in, c_out),
                drop_path=spec.drop_path * len(rows) / total,
                size_in=size,
                size_out=halved(size, stride),
            ))  # fmt: skip
            c_in, size = c_out, rows[-1].size_out
    return rows


def _has_skip(spec, dialect, stage, block, c_in, c_out):
    counted_in = c_in
    if block == 0 and stage.declared_in is not None and dialect.small_skip == "declared":
        counted_in = channels(stage.declared_in, spec.width, dialect.width_rule, stage.scales)
    # Equal true widths are needed as well: a declared width alone cannot make an addition possible.
    return stage.skip and counted_in == c_out and c_in == c_out


def _mid(stage, c_in, dialect):
    """E*C; rounded where the dialect says so, and never where nothing is expanded."""
    product = c_in * stage.expand
    if dialect.mid_rounding not in ("exact", "divisible"):
        raise SpecError(f"dialect: mid_rounding is {dialect.mid_rounding!r}, wanted exact or divisible")
    return round8(product) if dialect.mid_rounding == "divisible" and stage.expand > 1 else product


def _squeeze(stage, c_in, mid, dialect):
    if not stage.se:
        return 0
    is_input, rounding = dialect.se_base == "input", dialect.se_rounding
    if not is_input and dialect.se_base != "expanded":
        raise SpecError(f"dialect: se_base is {dialect.se_base!r}, wanted input or expanded")
    if rounding == "truncate":
        return max(1, int((c_in if is_input else mid) * stage.se))
    if rounding == "round":  # timm reaches the input's share through the expanded width
        return max(1, round(mid * (stage.se / stage.expand) if is_input else mid * stage.se))
    if rounding == "divisible":
        return round8((c_in if is_input else mid) * stage.se)
    raise SpecError(f"dialect: se_rounding is {rounding!r}, wanted truncate, round or divisible")


def halved(size, stride):
    """Pixels after a layer of that stride: ceil(size / stride), under SAME and symmetric padding alike.

    >>> halved((225, 224), 2), halved((7, 7), 1)
    ((113, 112), (7, 7))
    """
    return tuple(-(-side // stride) for side in size)


def sides(size):
    """(rows, columns) of a size that is one number, or already two.

    Raises   SpecError for anything else, or less than 1 pixel.
    """
    pair = tuple(size) if isinstance(size, tuple | list) else (size, size)
    if len(pair) != 2 or any(not isinstance(s, int) or isinstance(s, bool) or s < 1 for s in pair):
        raise SpecError(f"size is {size!r}, wanted one or two whole numbers of at least 1")
    return pair
