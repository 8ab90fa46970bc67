"""The three convolutions of mobile networks, in general without bias: batch norm follows and has its own.

Padding is a rule, not a number: it is turned into four numbers at every forward,
since TensorFlow's SAME depends on the size of the image.
"""

from __future__ import annotations

import numpy as np

from ..errors import SpecError
from ..geometry import extent, same_pad, symmetric_pad
from ..layout import CONV, DEPTHWISE, PLAIN, POINTWISE
from ..ops import conv, depthwise, pointwise
from .base import Layer, Param

PADDINGS = ("same", "symmetric", "valid", "even")


def four_sides(rule, size, kernel, stride=1):
    """(top, bottom, left, right) for an image of `size` = (H, W, ...) and a square kernel.

    same        TensorFlow's: ceil(H / stride) results, the odd pixel after
    symmetric   kernel // 2 on both sides
    valid       none
    even        what `same` gives an image that the stride divides, whatever the image (at
                stride 2 the last row and column of an odd one are left out); at stride 1 symmetric

    >>> four_sides("same", (224, 225), 3, 2), four_sides("symmetric", (224, 225), 3, 2)
    ((0, 1, 1, 1), (1, 1, 1, 1))
    """
    if rule not in PADDINGS:
        raise SpecError(f"padding: {rule!r}, wanted one of {', '.join(PADDINGS)}")
    if rule == "valid":
        return 0, 0, 0, 0
    if rule == "even" and stride > 1:
        return same_pad(kernel * stride, kernel, stride) * 2
    if rule in ("symmetric", "even"):
        return symmetric_pad(kernel) * 2
    return same_pad(size[0], kernel, stride) + same_pad(size[1], kernel, stride)


class _Convolution(Layer):
    """What all three share: w, perhaps b."""

    def __init__(self, w, kind, bias, groups=1):
        super().__init__()
        self.params["w"] = Param(w, kind, groups=groups)
        if bias:
            self.params["b"] = Param(np.zeros(w.shape[-1], w.dtype), PLAIN)

    def weights(self):
        """(w, b or None)."""
        return self.params["w"].value, self.params["b"].value if "b" in self.params else None

    def keep(self, grads):
        """The gradients of w and b, kept; that of x."""
        for key, param in self.params.items():
            param.grad = getattr(grads, key)
        return grads.x


class _Windowed(_Convolution):
    """What dense and depthwise convolution share: a square kernel, a stride, a padding rule."""

    op = conv  # the module of the op
    groups = 1

    def __init__(self, w, kind, *, stride, padding, bias, groups=1):
        super().__init__(w, kind, bias, groups)
        self.kernel, self.stride, self.padding = w.shape[0], stride, padding
        self.channels = w.shape[-1]  # of the result
        four_sides(padding, (1, 1), self.kernel)  # names an unknown rule now, not at the first forward

    def forward(self, x, train=False):
        options = {"stride": self.stride, "pad": four_sides(self.padding, x.shape[1:3], self.kernel, self.stride)}
        if self.groups > 1:
            options["groups"] = self.groups
        return self.remember(self.op.forward(x, *self.weights(), **options), x, options)

    def backward(self, dy):
        x, options = self.recall(dy)
        return self.keep(self.op.backward(dy, x, self.params["w"].value, **options))

    def shape(self, size):
        top, bottom, left, right = four_sides(self.padding, size, self.kernel, self.stride)
        height = extent(size[0], self.kernel, self.stride, top, bottom)
        return height, extent(size[1], self.kernel, self.stride, left, right), self.channels


class Conv(_Windowed):
    """Dense convolution, kernel x kernel: every channel of x enters every channel of y, or of its own group."""

    kind, op = "conv", conv

    def __init__(
        self, c_in, c_out, *, kernel, stride=1, padding="symmetric", groups=1, bias=False, dtype=np.float32
    ):
        if c_in % groups or c_out % groups:
            raise SpecError(f"Conv: {groups} groups, wanted a divisor of {c_in} and of {c_out} channels")
        self.groups = groups
        w = np.zeros((kernel, kernel, c_in // groups, c_out), dtype)
        super().__init__(w, CONV, stride=stride, padding=padding, bias=bias, groups=groups)


class Depthwise(_Windowed):
    """Depthwise convolution: one filter per channel, channels never mix."""

    kind, op = "depthwise", depthwise

    def __init__(self, channels, *, kernel, stride=1, padding="symmetric", bias=False, dtype=np.float32):
        w = np.zeros((kernel, kernel, channels), dtype)
        super().__init__(w, DEPTHWISE, stride=stride, padding=padding, bias=bias)


class Pointwise(_Convolution):
    """1 x 1 convolution: a matrix product at every pixel (of every `stride`-th row and column), which mixes the channels."""

    kind = "pointwise"

    def __init__(self, c_in, c_out, *, stride=1, bias=False, dtype=np.float32):
        super().__init__(np.zeros((c_in, c_out), dtype), POINTWISE, bias)
        self.channels, self.stride = c_out, stride

    def forward(self, x, train=False):
        seen = x[:, :: self.stride, :: self.stride]
        return self.remember(pointwise.forward(seen, *self.weights()), seen, x.shape)

    def backward(self, dy):
        seen, shape = self.recall(dy)
        dseen = self.keep(pointwise.backward(dy, seen, self.params["w"].value))
        if self.stride == 1:
            return dseen
        dx = np.zeros(shape, dy.dtype)
        dx[:, :: self.stride, :: self.stride] = dseen
        return dx

    def shape(self, size):
        return *(-(-side // self.stride) for side in size[:2]), self.channels
