"""The three convolutions of mobile networks, without bias: batch norm follows and has its own.

Padding is a rule, not a number: it is turned into four numbers at every forward,
since TensorFlow's SAME depends on the size of the image.
"""

from __future__ import annotations

import numpy as np

from ..errors import SpecError
from ..geometry import extent, same_pad, symmetric_pad
from ..layout import CONV, DEPTHWISE, POINTWISE
from ..ops import conv, depthwise, pointwise
from .base import Layer, Param

PADDINGS = ("same", "symmetric")


def four_sides(rule, size, kernel, stride=1):
    """(top, bottom, left, right) for an image of `size` = (H, W, ...) and a square kernel.

    >>> four_sides("same", (224, 225), 3, 2), four_sides("symmetric", (224, 225), 3, 2)
    ((0, 1, 1, 1), (1, 1, 1, 1))
    """
    if rule not in PADDINGS:
        raise SpecError(f"padding: {rule!r}, wanted one of {', '.join(PADDINGS)}")
    if rule == "symmetric":
        return symmetric_pad(kernel) * 2
    return same_pad(size[0], kernel, stride) + same_pad(size[1], kernel, stride)


class _Windowed(Layer):
    """What dense and depthwise convolution share: a square kernel, a stride, a padding rule."""

    op = conv  # the module of the op

    def __init__(self, w, kind, *, stride, padding):
        super().__init__()
        self.params["w"] = Param(w, kind)
        self.kernel, self.stride, self.padding = w.shape[0], stride, padding
        self.channels = w.shape[-1]  # of the result
        four_sides(padding, (1, 1), self.kernel)  # names an unknown rule now, not at the first forward

    def forward(self, x, train=False):
        options = {"stride": self.stride, "pad": four_sides(self.padding, x.shape[1:3], self.kernel, self.stride)}
        return self.remember(self.op.forward(x, self.params["w"].value, **options), x, options)

    def backward(self, dy):
        x, options = self.recall(dy)
        grads = self.op.backward(dy, x, self.params["w"].value, **options)
        self.params["w"].grad = grads.w
        return grads.x

    def shape(self, size):
        top, bottom, left, right = four_sides(self.padding, size, self.kernel, self.stride)
        height = extent(size[0], self.kernel, self.stride, top, bottom)
        return height, extent(size[1], self.kernel, self.stride, left, right), self.channels


class Conv(_Windowed):
    """Dense convolution, kernel x kernel: every channel of x enters every channel of y."""

    kind, op = "conv", conv

    def __init__(self, c_in, c_out, *, kernel, stride=1, padding="symmetric", dtype=np.float32):
        super().__init__(np.zeros((kernel, kernel, c_in, c_out), dtype), CONV, stride=stride, padding=padding)


class Depthwise(_Windowed):
    """Depthwise convolution: one filter per channel, channels never mix."""

    kind, op = "depthwise", depthwise

    def __init__(self, channels, *, kernel, stride=1, padding="symmetric", dtype=np.float32):
        super().__init__(np.zeros((kernel, kernel, channels), dtype), DEPTHWISE, stride=stride, padding=padding)


class Pointwise(Layer):
    """1 x 1 convolution: a matrix product at every pixel, which mixes the channels."""

    kind = "pointwise"

    def __init__(self, c_in, c_out, *, dtype=np.float32):
        super().__init__()
        self.params["w"] = Param(np.zeros((c_in, c_out), dtype), POINTWISE)
        self.channels = c_out

    def forward(self, x, train=False):
        return self.remember(pointwise.forward(x, self.params["w"].value), x)

    def backward(self, dy):
        (x,) = self.recall(dy)
        grads = pointwise.backward(dy, x, self.params["w"].value)
        self.params["w"].grad = grads.w
        return grads.x

    def shape(self, size):
        return *size[:2], self.channels
