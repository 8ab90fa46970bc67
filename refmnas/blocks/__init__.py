"""Blocks: the boxes of the papers' figures, composed of layers."""

from .bottleneck import ResBottleneck
from .conv_bn_act import ConvBNAct
from .conventions import Conventions
from .mbconv import MBConv
from .separable import SepConv

__all__ = ["ConvBNAct", "Conventions", "MBConv", "ResBottleneck", "SepConv"]
