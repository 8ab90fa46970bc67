"""What a step of a program is: the kinds that C knows (csrc/refmnas_c.h), and one step's record."""

from __future__ import annotations

from dataclasses import dataclass, field

ACTS = {
    "identity": 0, "relu": 1, "relu6": 2, "swish": 3, "sigmoid": 4, "hard_sigmoid": 5, "hard_swish": 6,
    "hard_sigmoid_slim": 7, "hard_sigmoid_keras": 8,
}  # fmt: skip
KINDS = (
    "stem", "band", "slab", "scale", "point", "split", "mean", "dense", "groups", "shortcut", "window", "average",
    "lanes", "softmax",
)  # fmt: skip
STEM, BAND, SLAB, SCALE, POINT, SPLIT, MEAN, DENSE, GROUPS, SHORTCUT, WINDOW, AVERAGE, LANES, SOFTMAX = (
    range(len(KINDS))
)
POOL_NONE, POOL_MOST, POOL_MEAN, POOL_MEAN_PADDED = range(4)
FILL_STEM, FILL_EXPAND, FILL_COPY = range(3)


@dataclass(frozen=True)
class Shape:
    """What an instruction set's kernels take."""

    isa: int
    block: int
    stem_blocks: int
    dense_blocks: int


@dataclass
class Step:
    """One step: the record for C, and what a reader wants to know."""

    kind: int
    record: dict
    names: tuple[str, ...]  # the nodes that it computes
    shape: tuple[int, ...]  # of the last one's result
    macs: int
    asking: int  # multiply-adds of them in products, which ask for later weights meanwhile (early.py)
    size: int  # bytes of their weights and biases
    buffers: dict = field(default_factory=dict)  # field of the record -> name of a buffer
