"""Convolution, batch norm, activation: the brick that all mobile blocks are laid from.

    y = act(BN(conv(x)))                                                    (1)

The convolution has no bias: BN subtracts the mean, so a bias before it has no effect in
training, and beta does its work (one source has it all the same: `conv_bias`).  The linear end of a block is (1) without
the activation.

    dx = conv'(BN'(act'(dy)))                                               (2)

with ' the backward of each layer: the chain read from the right.

Source: figure 7 (b), (d)-(f) of Tan et al. 2019, MnasNet, arXiv:1807.11626; Ioffe and
Szegedy 2015, arXiv:1502.03167, section 3.2, for the place of BN and the absent bias.
"""

from __future__ import annotations

from ..layers import Activation, BatchNorm, Chain, Conv, Depthwise, Layer, Pointwise
from .conventions import PYTORCH, Conventions


class ConvBNAct(Chain):
    """Equations (1) and (2) around any convolution layer; children conv, bn, act.

    >>> ConvBNAct(Pointwise(8, 16)).shape((7, 7, 8))
    (7, 7, 16)
    """

    def __init__(self, conv: Conv | Depthwise | Pointwise, conventions: Conventions = PYTORCH, *, activation=True):
        c = conventions
        statistics = {"eps": c.bn_eps, "momentum": c.bn_momentum, "unbiased": c.bn_unbiased, "dtype": c.dtype}
        children: dict[str, Layer] = {"conv": conv, "bn": BatchNorm(conv.channels, **statistics)}
        if activation:
            children["act"] = Activation(c.activation, kink=c.kink)
        super().__init__(children)


def dense(c_in, c_out, kernel, stride, conventions):
    """ConvBNAct of a dense convolution: the stem."""
    c = conventions
    conv = Conv(c_in, c_out, kernel=kernel, stride=stride, padding=c.padding, bias=c.conv_bias, dtype=c.dtype)
    return ConvBNAct(conv, c)


def grouped(channels, groups, kernel, stride, conventions):
    """ConvBNAct of a grouped convolution."""
    options = {"kernel": kernel, "stride": stride, "groups": groups}
    c = conventions
    return ConvBNAct(Conv(channels, channels, padding=c.padding, bias=c.conv_bias, dtype=c.dtype, **options), c)


def depthwise(channels, kernel, stride, conventions):
    """ConvBNAct of a depthwise convolution."""
    c = conventions
    options = {"kernel": kernel, "stride": stride, "padding": c.padding, "bias": c.conv_bias, "dtype": c.dtype}
    return ConvBNAct(Depthwise(channels, **options), c)


def pointwise(c_in, c_out, conventions, *, stride=1, activation=True):
    """ConvBNAct of a 1 x 1 convolution; without activation the linear end of a block."""
    conv = Pointwise(c_in, c_out, stride=stride, bias=conventions.conv_bias, dtype=conventions.dtype)
    return ConvBNAct(conv, conventions, activation=activation)
