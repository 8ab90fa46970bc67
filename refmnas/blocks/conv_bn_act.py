"""Convolution, batch norm, activation: the brick that all mobile blocks are laid from.

    y = act(BN(conv(x)))                                                    (1)

The convolution has no bias: BN subtracts the mean, so a bias before it would have no
effect in training, and beta does its work.  The linear end of a block is (1) without
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
    conv = Conv(c_in, c_out, kernel=kernel, stride=stride, padding=c.padding, dtype=c.dtype)
    return ConvBNAct(conv, c)


def depthwise(channels, kernel, stride, conventions):
    """ConvBNAct of a depthwise convolution."""
    c = conventions
    return ConvBNAct(Depthwise(channels, kernel=kernel, stride=stride, padding=c.padding, dtype=c.dtype), c)


def pointwise(c_in, c_out, conventions, *, activation=True):
    """ConvBNAct of a 1 x 1 convolution; without activation the linear end of a block."""
    return ConvBNAct(Pointwise(c_in, c_out, dtype=conventions.dtype), conventions, activation=activation)
