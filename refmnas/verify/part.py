"""One operation of a network, unfolded: what a deviation is traced to."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..models.node import IMAGE

__all__ = ["IMAGE", "WEIGHED", "WITH_PARAMETERS", "Part", "terms"]

WEIGHED = ("conv", "depthwise", "pointwise", "linear")  # sums of products with weights
WITH_PARAMETERS = (*WEIGHED, "batchnorm")


@dataclass(frozen=True, eq=False)
class Part:
    """One operation.  `shape` is of one image: (P, Q, D) or (D,).

    name      of the layer, or of the graph's tensor; unique
    op        conv depthwise pointwise linear batchnorm act pool scale add concat average_pool max_pool
              shift resize pyramid
    inputs    names of parts, or IMAGE
    arrays    float64: {"w", perhaps "b"}, or {"gamma", "beta", "mean", "var"}
    options   the keyword options of the NumPy op, so that a candidate cause is
              `dataclasses.replace(part, options=part.options | {...})`
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    options: dict = field(default_factory=dict)


def terms(part):
    """How many products are summed to one value, 0 where none are."""
    return part.arrays["w"].size // part.arrays["w"].shape[-1] if part.op in WEIGHED else 0
