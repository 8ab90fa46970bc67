"""A network is data: stem, stages and head in one frozen table with its source.

The builder has no numbers of its own; everything a paper's table says stands
here, everything the public implementations disagree on in `dialect`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import SpecError

BLOCKS = ("sep", "mbconv")  # more come with their networks
ACTIVATIONS = ("relu", "relu6", "swish", "hard_swish")


@dataclass(frozen=True)
class Stem:
    """The first convolution: kernel x kernel, dense, from the image's 3 channels."""

    kernel: int
    stride: int
    channels: int
    scales: bool = True  # with the width multiplier


@dataclass(frozen=True)
class Stage:
    """One row of a table: `repeats` equal blocks, the stride in the first of them."""

    block: str
    repeats: int
    kernel: int
    stride: int
    expand: int
    channels: int
    se: float = 0.0  # squeeze ratio, 0: none
    skip: bool = True  # identity residual where stride 1 and equal widths
    declared_in: int | None = None  # input width that the source's own table states, where it is not the true one
    scales: bool = True  # channels with the width multiplier
    deepens: bool = True  # repeats with the depth multiplier

    def __post_init__(self):
        for claim, text in (
            (self.block in BLOCKS, f"block {self.block!r}, wanted one of {', '.join(BLOCKS)}"),
            (self.repeats >= 1, f"repeats {self.repeats}, wanted at least 1"),
            (self.kernel >= 1 and self.kernel % 2 == 1, f"kernel {self.kernel}, wanted an odd number"),
            (self.stride in (1, 2), f"stride {self.stride}, wanted 1 or 2"),
            (self.expand >= 1, f"expand {self.expand}, wanted at least 1"),
            (self.channels >= 1, f"channels {self.channels}, wanted at least 1"),
            (0 <= self.se <= 1, f"se {self.se}, wanted 0 to 1"),
        ):
            if not claim:
                raise SpecError(f"stage: {text}")


@dataclass(frozen=True)
class Head:
    """1x1 convolution to `channels`, global average pool, dropout, dense layer."""

    channels: int
    classes: int = 1000
    dropout: float = 0.2
    scales: str = "never"  # with the width multiplier: never, or above-one (MobileNetV2)


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
    drop_path: float = 0.0  # of the last block; block i of n has drop_path * i / n
    depth: float = 1.0  # multiplies repeats, rounded up
    width: float = 1.0  # multiplies channels, rounded by the dialect's rule
    sources: tuple[str, ...] = ()  # dialects that published it, the default first
