"""What public implementations disagree on, as one record."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preprocess:
    """From a photograph to a network's input: (x - mean) / std on the 0..255 scale."""

    crop: str  # centre-fraction: cut crop_to/crop_from of the short side, then resize;
    # resize-short-then-crop: short side to size * crop_from / crop_to, then cut size
    crop_from: int
    crop_to: int  # the size that the source evaluates at
    resize: str  # bicubic-pillow, bilinear-pillow (antialiased) or bilinear-tf1 (not, nor half pixels)
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    channels: str = "rgb"  # or bgr


@dataclass(frozen=True)
class Dialect:
    """All conventions of one source for one network."""

    source: str
    padding: str  # same: TensorFlow's, the odd pixel after; symmetric: kernel // 2 on both sides
    bn_eps: float
    bn_momentum: float  # weight of the new statistic (PyTorch's sense; Keras' is 1 minus it)
    bn_unbiased: bool  # the running variance: PyTorch's and fused TensorFlow's is unbiased
    init: str  # a rule of refmnas.models.initial
    kink: str  # gradient where an activation has none: torch or tf
    preprocess: Preprocess
    width_rule: str = "always"  # round8 of the product; except-one: not at width 1; truncate-first: of int(product);
    # truncate: int(product), at least 8
    stem_fixed_below: float = 0.0  # width under which the stem keeps the table's channels
    group_rounding: str = "round"  # a bottleneck's width to its group: round, or divisible (never below nine tenths)
    se_base: str = "input"  # SE's width is a ratio of the block's input, or of the expanded width
    se_rounding: str = "truncate"  # truncate, round (half to even) or divisible (by 8)
    se_activation: str = "network"  # between SE's two layers: the block's own, or a kind
    gate: str = "sigmoid"
    mid_base: str = "input"  # expanded width: of the true input width, or of the table's and then scaled
    mid_rounding: str = "exact"  # expanded width: exact, or divisible by 8; equal for widths that 8 divides
    expand_one: str = "drop"  # a 1x1 convolution that expands by 1: drop or keep (mbconv rows alone)
    first_skip: str = "true"  # first block's residual by the true width, the declared one (tf's small), or never
    conv_bias: bool = False  # whether a convolution before batch norm has a bias, too
    head_rule: str = "table"  # a scaled head: of the table's channels, or the table's multiple of the last block's
    hidden_scales: str = "never"  # the dense layer before the last, with the width: never, above-one, always
    hidden_bias: bool = True
    hidden_kind: str = "pointwise"  # how it is kept, and so how it is drawn: pointwise or linear
    even_cells: tuple[str, ...] = ()  # cells of stride 2 whose windows lie as over an even image, whatever the image
    strided_pool_counts: bool = False  # whether a cell's average pool of stride 2 counts zeros of the padding as pixels
    class_offset: int = 0  # 1 where class 0 of the source's 1001 is background
    dropout: float | None = None  # rates that the source trains with where they are not the table's; None: the table's
    drop_path: float | None = None
    unverified: tuple[str, ...] = ()  # fields that stand by documentation or memory, not by a line that was read
