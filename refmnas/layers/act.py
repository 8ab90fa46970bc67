"""An activation function as a layer."""

from __future__ import annotations

from ..ops import activation
from .base import Layer


class Activation(Layer):
    """y = f(x) element by element; `kink` says which gradient holds where f has none."""

    def __init__(self, kind, *, kink="torch"):
        super().__init__()
        self.kind, self.kink = kind, kink

    def forward(self, x, train=False):
        return self.remember(activation.forward(x, kind=self.kind), x)

    def backward(self, dy):
        (x,) = self.recall(dy)
        return activation.backward(dy, x, kind=self.kind, kink=self.kink).x
