"""From a table to the true numbers: channels at any width, repeats at any depth, one row per block.

The one place that computes widths; the builder, `cost` and `naming` read its rows.

    round8(v) = max(8, floor((v + 4) / 8) * 8), plus 8 where that is below 0.9 v       (1)
    channels  = round8(width * table), by the dialect's width_rule                    (2)
    repeats   = ceil(depth * table)                                                   (3)

A bottleneck's channels are then brought to a multiple of its group g, by the dialect's
group_rounding: round(c / g) * g, or (1) with g in the place of 8.

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
    kind: str  # of refmnas.models.spec.BLOCKS
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
    act: str
    groups: int = 0  # of a bottleneck's convolution

    @property
    def has_projection(self):
        """Whether the shortcut is a convolution of its own: in a bottleneck that changes the shape."""
        return self.kind == "bottleneck" and not self.has_skip

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
    _one_of("width_rule", rule, ("except-one", "always", "truncate-first", "truncate"))
    if not scales or (rule == "except-one" and width == 1):
        return table
    product = table * width
    if rule == "truncate":
        return max(8, int(product))
    return round8(int(product) if rule == "truncate-first" else product)


def _one_of(field, value, wanted):
    if value not in wanted:
        raise SpecError(f"dialect: {field} is {value!r}, wanted {', '.join(wanted[:-1])} or {wanted[-1]}")


def stem_channels(spec, dialect):
    """Output channels of the stem.  (Keras cuts the product before it rounds in its blocks only.)"""
    rule = "always" if dialect.width_rule == "truncate-first" else dialect.width_rule
    scales = spec.stem.scales and spec.width >= dialect.stem_fixed_below
    return channels(spec.stem.channels, spec.width, rule, scales)


def head_channels(spec, dialect):
    """Channels that the global pool sees: of the last 1x1 convolution, or of the last block where there is none."""
    head, last = spec.head, spec.stages[-1]
    _one_of("head_rule", dialect.head_rule, ("table", "last"))
    c_last = _out_channels(spec, dialect, last)
    if not head.channels:
        return c_last
    if head.scales == "always" and dialect.head_rule == "last":
        return c_last * head.channels // last.channels
    return round8(head.channels * spec.width) if _follows(head.scales, spec.width) else head.channels


def hidden_channels(spec, dialect):
    """Width of the dense layer before the last one, 0 where there is none."""
    _one_of("hidden_scales", dialect.hidden_scales, ("never", "above-one", "always"))
    hidden = spec.head.hidden
    return round8(hidden * spec.width) if hidden and _follows(dialect.hidden_scales, spec.width) else hidden


def merge_channels(spec, rows):
    """Channels that a merge puts together: of its stages, then of the last; none without a merge."""
    widths = {row.stage: row.c_out for row in rows}
    return [*(widths[number] for number in spec.merge), rows[-1].c_out] if spec.merge else []


def _follows(scales, width):
    """Whether a width of the head is multiplied, under the rule `scales`."""
    return scales == "always" or (scales == "above-one" and width > 1)


def _out_channels(spec, dialect, stage):
    """Equation (2) for a row, and for a bottleneck the nearest multiple of its group."""
    c_out = channels(stage.channels, spec.width, dialect.width_rule, stage.scales)
    if not stage.group:
        return c_out
    _one_of("group_rounding", dialect.group_rounding, ("round", "divisible"))
    group = min(stage.group, c_out)
    if dialect.group_rounding == "round":
        return max(group, round(c_out / group) * group)
    rounded = max(group, int(c_out + group / 2) // group * group)
    return rounded + group if rounded < 0.9 * c_out else rounded


def stage_channels(spec, dialect):
    """The output channels that the stages have, each once."""
    return {_out_channels(spec, dialect, stage) for stage in spec.stages}


def repeats(stage, depth):
    """Equation (3)."""
    return math.ceil(stage.repeats * depth) if stage.deepens else stage.repeats


def blocks(spec, dialect, size=None):
    """Every block of the network, in order, for images of `size`: a side, (rows, columns), or None: the table's own."""
    total = sum(repeats(stage, spec.depth) for stage in spec.stages)
    rows, c_in, table_in, number, begin = [], stem_channels(spec, dialect), spec.stem.channels, -1, 0
    size = halved(sides(spec.size if size is None else size), spec.stem.stride)
    for stage in spec.stages:
        number, begin = (number, begin) if stage.joins else (number + 1, len(rows))
        for repeat in range(repeats(stage, spec.depth)):
            rate = spec.drop_path * len(rows) / total
            row = _block(spec, dialect, stage, (number, len(rows) - begin), repeat, (c_in, table_in), size, rate)
            rows.append(row)
            c_in, table_in, size = row.c_out, stage.channels, row.size_out
    return rows


def _block(spec, dialect, stage, place, repeat, widths, size, drop_path):
    """One row; `widths` are the true input channels and those of the table, `repeat` counts within the stage's row."""
    (c_in, table_in), c_out = widths, _out_channels(spec, dialect, stage)
    stride = stage.stride if repeat == 0 else 1
    mid = c_out if stage.group else _mid(spec, stage, c_in, table_in, dialect)
    return BlockPlan(
        *place, stage.block, stage.kernel, stride, c_in, mid, c_out,
        squeeze=_squeeze(stage, c_in, mid, dialect),
        expands=_expands(stage, dialect),
        has_skip=stride == 1 and _has_skip(spec, dialect, stage, place == (0, 0), c_in, c_out),
        drop_path=drop_path,
        size_in=size,
        size_out=halved(size, stride),
        act=stage.act or spec.activation,
        groups=c_out // min(stage.group, c_out) if stage.group else 0,
    )  # fmt: skip


def _expands(stage, dialect):
    _one_of("expand_one", dialect.expand_one, ("drop", "keep"))
    is_kept = stage.block == "mbconv" and dialect.expand_one == "keep"
    return stage.expand > 1 or stage.block == "bottleneck" or is_kept


def _has_skip(spec, dialect, stage, is_first, c_in, c_out):
    _one_of("first_skip", dialect.first_skip, ("true", "declared", "never"))
    if is_first and dialect.first_skip == "never":
        return False
    counted_in = c_in
    if is_first and stage.declared_in is not None and dialect.first_skip == "declared":
        counted_in = channels(stage.declared_in, spec.width, dialect.width_rule, stage.scales)
    # Equal true widths are needed as well: a declared width alone cannot make an addition possible.
    return stage.skip and counted_in == c_out and c_in == c_out


def _mid(spec, stage, c_in, table_in, dialect):
    """E*C of the true C, or of the table's and then by equation (2); where nothing is expanded, C."""
    _one_of("mid_rounding", dialect.mid_rounding, ("exact", "divisible"))
    _one_of("mid_base", dialect.mid_base, ("input", "table"))
    if stage.expand == 1:
        return c_in
    if dialect.mid_base == "table":
        return channels(round(table_in * stage.expand), spec.width, dialect.width_rule, stage.scales)
    product = c_in * stage.expand
    return round8(product) if dialect.mid_rounding == "divisible" else int(product)


def _squeeze(stage, c_in, mid, dialect):
    if not stage.se:
        return 0
    is_input, rounding = dialect.se_base == "input", dialect.se_rounding
    _one_of("se_base", dialect.se_base, ("input", "expanded"))
    _one_of("se_rounding", rounding, ("truncate", "round", "divisible"))
    if rounding == "truncate":
        return max(1, int((c_in if is_input else mid) * stage.se))
    if rounding == "divisible":
        return round8((c_in if is_input else mid) * stage.se)
    if stage.group:
        return max(1, round(c_in * stage.se))
    # timm reaches the input's share through the expanded width
    return max(1, round(mid * (stage.se / stage.expand) if is_input else mid * stage.se))


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
