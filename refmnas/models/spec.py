"""A network is data: stem, stages and head in one frozen table with its source.

The builder has no numbers of its own; everything a paper's table says stands
here, everything the public implementations disagree on in `dialect`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from ..errors import SpecError

BLOCKS = ("sep", "separable", "mbconv", "bottleneck")
ACTIVATIONS = ("relu", "relu6", "swish", "hard_swish")
HEAD_SCALES = ("never", "above-one", "always")
POOLS = ("gap", "gap-se", "spp")
MOST = 10**6  # below it every whole number of a table stays
MOST_REPEATS = 1000
MOST_MULTIPLIER = 100
MOST_BINS = 16  # across, of a pyramid's level


def _claim(where, *claims):
    """SpecError with the text of the first claim that does not hold."""
    for holds, text in claims:
        if not holds:
            raise SpecError(f"{where}: {text}")


def _is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value < MOST


def _is_none(value):
    return value == 0 and isinstance(value, int) and not isinstance(value, bool)


def _is_odd(value):
    return _is_count(value) and value % 2 == 1


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _is_stride(value):
    return _is_count(value) and value <= 2


def _is_multiplier(value):
    return _is_number(value) and 0 < value <= MOST_MULTIPLIER


def _is_rate(value):
    return _is_number(value) and 0 <= value < 1


def is_merge(numbers, count):
    """A tuple of rising numbers below `count`."""
    fits = isinstance(numbers, tuple) and all(_is_none(n) or (_is_count(n) and n < count) for n in numbers)
    return fits and list(numbers) == sorted(set(numbers)) and (count > 0 or not numbers)


@dataclass(frozen=True)
class Stem:
    """The first convolution: kernel x kernel, dense, from the image's 3 channels."""

    kernel: int
    stride: int
    channels: int
    scales: bool = True  # with the width multiplier

    def __post_init__(self):
        _claim(
            "stem",
            (_is_odd(self.kernel), f"kernel {self.kernel!r}, wanted an odd number"),
            (_is_stride(self.stride), f"stride {self.stride!r}, wanted 1 or 2"),
            (_is_count(self.channels), f"channels {self.channels!r}, wanted 1 to {MOST - 1}"),
            (isinstance(self.scales, bool), f"scales {self.scales!r}, wanted True or False"),
        )


@dataclass(frozen=True)
class Stage:
    """One row of a table: `repeats` equal blocks, the stride in the first of them.

    "sep" has no expansion; "mbconv" with expand 1 is the same computation, or has a 1x1
    convolution of its own (Dialect.expand_one).  "separable" (MobileNetV1) is "sep" with an
    activation at its end and no identity; "bottleneck" (RegNet) has a grouped convolution
    between two 1x1 ones, and a shortcut.
    """

    block: str
    repeats: int
    kernel: int
    stride: int
    expand: int | float
    channels: int
    se: float = 0.0  # squeeze ratio, 0: none
    skip: bool = True  # identity residual where stride 1 and equal widths
    declared_in: int | None = None  # input width that the source's own table states, where it is not the true one
    scales: bool = True  # channels with the width multiplier
    deepens: bool = True  # repeats with the depth multiplier
    act: str = ""  # of this row, where it is not the network's
    joins: bool = False  # counted with the row before as one stage
    group: int = 0  # channels of a group of a bottleneck's convolution

    def __post_init__(self):
        declared, flags = self.declared_in, (self.skip, self.scales, self.deepens, self.joins)
        is_bottleneck = self.block == "bottleneck"
        _claim(
            "stage",
            (self.block in BLOCKS, f"block {self.block!r}, wanted one of {', '.join(BLOCKS)}"),
            (
                _is_count(self.repeats) and self.repeats <= MOST_REPEATS,
                f"repeats {self.repeats!r}, wanted 1 to {MOST_REPEATS}",
            ),
            (_is_odd(self.kernel), f"kernel {self.kernel!r}, wanted an odd number"),
            (_is_stride(self.stride), f"stride {self.stride!r}, wanted 1 or 2"),
            (_is_number(self.expand) and 1 <= self.expand < MOST, f"expand {self.expand!r}, wanted 1 to {MOST - 1}"),
            (
                self.block == "mbconv" or self.expand == 1,
                f"expand {self.expand!r} in a {self.block} block, wanted 1",
            ),
            (_is_count(self.channels), f"channels {self.channels!r}, wanted 1 to {MOST - 1}"),
            (_is_number(self.se) and 0 <= self.se <= 1, f"se {self.se!r}, wanted 0 to 1"),
            (all(isinstance(f, bool) for f in flags), f"skip, scales, deepens, joins {flags!r}, wanted True or False"),
            (self.act in ("", *ACTIVATIONS), f"act {self.act!r}, wanted one of {', '.join(ACTIVATIONS)}"),
            (
                _is_count(self.group) if is_bottleneck else _is_none(self.group),
                f"group {self.group!r} in a {self.block} block, wanted {'1 or more' if is_bottleneck else 0}",
            ),
            (self.block != "separable" or not self.skip, "skip in a separable block, wanted False"),
            (not is_bottleneck or self.skip, "a bottleneck without skip, wanted True: its shortcut is always there"),
            (declared is None or _is_count(declared), f"declared_in {declared!r}, wanted 1 to {MOST - 1}"),
            (declared is None or (self.expand == 1 and not self.se), "declared_in beside expand or se, wanted neither"),
        )


@dataclass(frozen=True)
class Head:
    """1x1 convolution to `channels` (0: none), pool, [dense to `hidden`, act], dropout, dense layer.

    `pool` is the mean over all pixels in every paper of the zoo; the others are not in the
    papers: gap-se scales the means by squeeze and excitation, spp is a pyramid of bins.
    """

    channels: int
    classes: int = 1000
    dropout: float = 0.2
    scales: str = "never"  # `channels` with the width multiplier: never, above-one (MobileNetV2), always
    hidden: int = 0  # width of a dense layer with activation before the last one, 0: none (MobileNetV3)
    pool: str = "gap"  # gap, gap-se or spp
    levels: tuple[int, ...] = (1, 2, 4)  # spp: n x n bins for every n
    bias: bool = True  # of the last dense layer

    def __post_init__(self):
        _claim(
            "head",
            (_is_count(self.channels) or _is_none(self.channels), f"channels {self.channels!r}, wanted 0 to {MOST - 1}"),
            (_is_count(self.hidden) or _is_none(self.hidden), f"hidden {self.hidden!r}, wanted 0 to {MOST - 1}"),
            (_is_count(self.classes), f"classes {self.classes!r}, wanted 1 to {MOST - 1}"),
            (_is_rate(self.dropout), f"dropout {self.dropout!r}, wanted 0 to below 1"),
            (self.scales in HEAD_SCALES, f"scales {self.scales!r}, wanted one of {', '.join(HEAD_SCALES)}"),
            (self.pool in POOLS, f"pool {self.pool!r}, wanted one of {', '.join(POOLS)}"),
            (
                isinstance(self.levels, tuple) and self.levels and all(_is_count(n) and n <= MOST_BINS for n in self.levels),
                f"levels {self.levels!r}, wanted a tuple of whole numbers from 1 to {MOST_BINS}",
            ),
            (isinstance(self.bias, bool), f"bias {self.bias!r}, wanted True or False"),
        )


@dataclass(frozen=True)
class NetSpec:
    """A whole network."""

    name: str
    source: str  # paper and file
    stem: Stem
    stages: tuple[Stage, ...]
    head: Head
    size: int = 224  # of the square input image
    activation: str = "relu"
    drop_path: float = 0.0  # block i of n, counted from 0, has drop_path * i / n
    depth: float = 1.0  # multiplies repeats, rounded up
    width: float = 1.0  # multiplies channels, rounded by the dialect's rule
    sources: tuple[str, ...] = ()  # dialects that published it, the default first
    merge: tuple[int, ...] = ()  # numbers of stages whose results are merged into the last one's; not in the papers

    def __post_init__(self):
        count = sum(not s.joins for s in self.stages) if isinstance(self.stages, tuple) else 0
        declared = [s.declared_in for s in self.stages]
        _claim(
            f"network {self.name!r}",
            (isinstance(self.name, str) and self.name, "an empty name, wanted a text"),
            (declared, "no stage, wanted at least one"),
            (isinstance(self.stages, tuple), f"stages is a {type(self.stages).__name__}, wanted a tuple"),
            (_is_count(self.size), f"size {self.size!r}, wanted 1 to {MOST - 1}"),
            (self.activation in ACTIVATIONS, f"activation {self.activation!r}, wanted one of {', '.join(ACTIVATIONS)}"),
            (_is_rate(self.drop_path), f"drop_path {self.drop_path!r}, wanted 0 to below 1"),
            (_is_multiplier(self.depth), f"depth {self.depth!r}, wanted above 0 and at most {MOST_MULTIPLIER}"),
            (_is_multiplier(self.width), f"width {self.width!r}, wanted above 0 and at most {MOST_MULTIPLIER}"),
            (declared[1:] == [None] * len(declared[1:]), "declared_in after the first stage, wanted in the first only"),
            (declared[:1] != [self.stem.channels], "declared_in is the stem's own width, wanted None"),
            (not any(s.joins for s in self.stages[:1]), "joins in the first row, where nothing comes before it"),
            (is_merge(self.merge, count - 1), f"merge {self.merge!r}, wanted rising stages from 0 to {count - 2}"),
        )
