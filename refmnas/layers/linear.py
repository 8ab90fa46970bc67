"""A dense layer."""

from __future__ import annotations

import numpy as np

from ..layout import LINEAR, PLAIN
from ..ops import linear
from .base import Layer, Param


class Linear(Layer):
    """y = x w + b, b absent with bias=False.

    `kind_of_w` is "pointwise" where other frameworks keep w as a 1 x 1 convolution.
    """

    kind = "linear"

    def __init__(self, c_in, c_out, *, kind_of_w=LINEAR, bias=True, dtype=np.float32):
        super().__init__()
        self.params["w"] = Param(np.zeros((c_in, c_out), dtype), kind_of_w)
        if bias:
            self.params["b"] = Param(np.zeros(c_out, dtype), PLAIN)

    def forward(self, x, train=False):
        b = self.params["b"].value if "b" in self.params else None
        return self.remember(linear.forward(x, self.params["w"].value, b), x)

    def backward(self, dy):
        (x,) = self.recall(dy)
        grads = linear.backward(dy, x, self.params["w"].value)
        self.params["w"].grad = grads.w
        if "b" in self.params:
            self.params["b"].grad = grads.b
        return grads.x

    def shape(self, size):
        return self.params["w"].value.shape[1:]
