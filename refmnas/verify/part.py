"""One operation of a network, unfolded: what a deviation is traced to."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..models.node import IMAGE

__all__ = ["IMAGE", "WEIGHED", "WITH_PARAMETERS", "Part", "has_parameters", "is_gradient", "of_parameter", "terms"]

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


def is_gradient(part):
    """Whether it is one of `adjoint`: a gradient, or batch norm in training."""
    return "." in part.op


def has_parameters(part):
    """Whether a fault in it may be one of parameters: a layer that has some, or a gradient of one."""
    return part.op in WITH_PARAMETERS or of_parameter(part)


def of_parameter(part):
    """Whether it is the gradient of a parameter."""
    return part.op.rpartition(".")[2] in ("dw", "db", "dgamma", "dbeta")


def terms(part):
    """How many products are summed to one value, 0 where none are."""
    op, _, direction = part.op.partition(".")
    if op not in WEIGHED:
        return 0
    if direction in ("dw", "db"):
        return part.options["pixels"]
    w = part.arrays["w"]
    if direction == "dx":
        taps = w.size if op in ("conv", "depthwise") else w.shape[1]
        return taps // (w.shape[-1] if op == "depthwise" else part.options["shape"][-1] if op == "conv" else 1)
    return w.size // w.shape[-1]
