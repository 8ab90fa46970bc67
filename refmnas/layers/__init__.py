"""Layers: an op, its parameters, and what backward remembers of forward."""

from .act import Activation
from .base import Chain, Layer, Param, Residual, Step, Sum
from .conv import Conv, Depthwise, Pointwise
from .drop import Dropout, DropPath
from .linear import Linear
from .norm import BatchNorm
from .pool import GlobalPool
from .squeeze_excite import SqueezeExcite

__all__ = [
    "Activation",
    "BatchNorm",
    "Chain",
    "Conv",
    "Depthwise",
    "DropPath",
    "Dropout",
    "GlobalPool",
    "Layer",
    "Linear",
    "Param",
    "Pointwise",
    "Residual",
    "SqueezeExcite",
    "Step",
    "Sum",
]
