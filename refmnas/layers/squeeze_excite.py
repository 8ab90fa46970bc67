"""Squeeze and excitation: every channel is scaled by what all channels say about the image.

    s = mean over pixels of x                 (N, C)      squeeze
    g = gate(act(s w1 + b1) w2 + b2)          (N, C)      excite
    y = x * g, g the same at every pixel      (N, H, W, C)                (1)

x enters (1) twice, so its gradient has two paths:

    dx = dy * g  +  the gradient of s, spread evenly over the pixels      (2)

Source: Hu et al. 2018, arXiv:1709.01507, eqs. (2)-(4), figure 2; with biases, as
the MnasNet and EfficientNet sources have it.
"""

from __future__ import annotations

import numpy as np

from ..layout import POINTWISE
from ..ops import gate as gating
from .act import Activation
from .base import Chain, Layer, Step
from .linear import Linear
from .pool import GlobalPool


class SqueezeExcite(Layer):
    """Equations (1) and (2); `squeezed` is the width between the two matrices."""

    kind = "scale"

    def __init__(self, channels, squeezed, *, activation="relu", gate="sigmoid", kink="torch", dtype=np.float32):
        super().__init__()
        options = {"kind_of_w": POINTWISE, "dtype": dtype}
        self.children = {
            "pool": GlobalPool(),
            "reduce": Linear(channels, squeezed, **options),
            "act": Activation(activation, kink=kink),
            "expand": Linear(squeezed, channels, **options),
            "gate": Activation(gate, kink=kink),
        }
        self._excite = Chain(self.children)

    def forward(self, x, train=False):
        g = self._excite.forward(x, train)
        return self.remember(gating.forward(x, g), x, g)

    def backward(self, dy):
        grads = gating.backward(dy, *self.recall(dy))
        return grads.x + self._excite.backward(grads.g)

    def steps(self, size, prefix=""):
        yield from self._excite.steps(size, prefix)
        yield Step(f"{prefix}scale", self.kind, tuple(size), tuple(size), 0)
