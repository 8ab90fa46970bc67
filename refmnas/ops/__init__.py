"""The public contract of every op, and its NumPy reference, forward and backward."""

from . import (
    activation,
    average_pool,
    batchnorm,
    concat,
    conv,
    depthwise,
    drop_path,
    dropout,
    gate,
    linear,
    max_pool,
    pointwise,
    pool,
    resize,
    softmax,
    softmax_xent,
)

__all__ = [
    "activation",
    "average_pool",
    "batchnorm",
    "concat",
    "conv",
    "depthwise",
    "drop_path",
    "dropout",
    "gate",
    "linear",
    "max_pool",
    "pointwise",
    "pool",
    "resize",
    "softmax",
    "softmax_xent",
]
