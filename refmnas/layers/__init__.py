"""Layers: an op, its parameters, and what backward remembers of forward."""

from .act import Activation
from .base import Chain, Layer, Param, Residual, Step, Sum
from .conv import Conv, Depthwise, Pointwise
from .drop import Dropout, DropPath
from .graph import Graph
from .join import Add, Concat, Join
from .linear import Linear
from .norm import BatchNorm
from .pool import AveragePool, GlobalPool, MaxPool, PyramidPool
from .resize import Resize, ResizeLike
from .squeeze_excite import SqueezeExcite

__all__ = [
    "Activation",
    "Add",
    "AveragePool",
    "BatchNorm",
    "Chain",
    "Concat",
    "Conv",
    "Depthwise",
    "DropPath",
    "Dropout",
    "GlobalPool",
    "Graph",
    "Join",
    "Layer",
    "Linear",
    "MaxPool",
    "Param",
    "Pointwise",
    "PyramidPool",
    "Residual",
    "Resize",
    "ResizeLike",
    "SqueezeExcite",
    "Step",
    "Sum",
]
