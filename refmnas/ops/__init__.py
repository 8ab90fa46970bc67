"""The public contract of every op, and its NumPy reference, forward and backward."""

from . import (
    activation,
    batchnorm,
    conv,
    depthwise,
    drop_path,
    dropout,
    gate,
    linear,
    pointwise,
    pool,
    softmax_xent,
)

__all__ = [
    "activation",
    "batchnorm",
    "conv",
    "depthwise",
    "drop_path",
    "dropout",
    "gate",
    "linear",
    "pointwise",
    "pool",
    "softmax_xent",
]
