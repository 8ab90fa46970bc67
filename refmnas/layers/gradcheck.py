"""A layer's backward against its own forward, along one random direction.

    f(t)  = <dy, forward(x + t v; params + t w)>           dy, v, w drawn from a seed
    D(h)  = (f(h) - f(-h)) / 2h  =  f'(0) + c h^2 + O(h^4)                   (1)
    f'(0) = <dx, v> + sum <dparam, w>                      what backward claims (2)

Works on copies: the layer, its statistics and its generators stay as they are, and
every f(t) meets the same dropout mask.

The allowed error of (2) against D(h/2) has two parts, neither of them tuned:

    truncation   D(h) - D(h/2) = 3/4 c h^2, three times the error of D(h/2)
    rounding     s / (h/2) * 10, s the noise of f, estimated (so this part is
                 statistical) from sixth differences on a grid of h/4, in which a
                 smooth f leaves nothing: Hamming 1971; More and Wild 2011, ECnoise

Where a pre-activation crosses a kink of its function within the grid, or the largest
value of a window changes place, f has no
derivative to compare with and the check says so instead of failing.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from math import factorial

import numpy as np

from .act import Activation
from .base import Layer
from .pool import MaxPool, PyramidPool

KINKS = {
    "relu": (0.0,),
    "relu6": (0.0, 6.0),
    "hard_swish": (-3.0, 3.0),
    "hard_sigmoid": (-3.0, 3.0),
    "hard_sigmoid_slim": (-3.0, 3.0),
    "hard_sigmoid_keras": (-2.5, 2.5),
    "hard_sigmoid_torch": (-3.0, 3.0),
}
STEP = 1e-6
ORDER = 6  # of the differences that estimate the noise


@dataclass(frozen=True)
class Check:
    """What one direction showed."""

    claimed: float  # equation (2)
    measured: float  # D(h/2)
    allowed: float  # error that truncation and rounding explain
    scale: float  # sum of the absolute products in (2): allowed / scale tells how sharp the check is
    crosses_kink: bool

    @property
    def holds(self):
        """True where backward is right as far as this direction can tell."""
        return not self.crosses_kink and abs(self.claimed - self.measured) <= self.allowed


def along(layer: Layer, x, *, train=False, seed=0, step=STEP) -> Check:
    """Check `layer` at `x` (float64) along the direction that `seed` draws."""
    rng = np.random.default_rng(seed)
    v = rng.standard_normal(x.shape)
    w = {name: rng.standard_normal(p.value.shape) for name, p in layer.named_params() if p.trainable}
    probe = deepcopy(layer)
    dy = rng.standard_normal(probe.forward(x, train).shape)
    products = [_products(probe.backward(dy), v)]
    products += [_products(p.grad, w[name]) for name, p in probe.named_params() if p.trainable]
    grid = [_at(layer, x, v, w, dy, k * step / 4, train) for k in range(-ORDER, ORDER + 1)]
    values, patterns = zip(*grid, strict=True)
    whole, half = (values[10] - values[2]) / (2 * step), (values[8] - values[4]) / step
    return Check(
        claimed=sum(signed for signed, _ in products),
        measured=half,
        allowed=abs(whole - half) + 10 * _noise(values) / (step / 2),
        scale=sum(size for _, size in products),
        crosses_kink=len(set(patterns)) > 1,
    )


def _at(layer, x, v, w, dy, t, train):
    """f(t), and between which kinks every pre-activation lies there."""
    probe = deepcopy(layer)
    for name, p in probe.named_params():
        if name in w:
            p.value += t * w[name]
    return float(np.sum(dy * probe.forward(x + t * v, train))), _pattern(probe)


def _pattern(layer):
    if isinstance(layer, Activation):
        return np.searchsorted(KINKS.get(layer.kind, ()), layer._memory[2][0]).tobytes()
    if isinstance(layer, MaxPool | PyramidPool):
        shape, dtype, _ = layer._memory
        return layer.backward(np.ones(shape, dtype)).tobytes()  # which values are the largest
    return tuple(_pattern(child) for child in layer.children.values())


def _products(gradient, direction):
    products = gradient * direction
    return float(products.sum()), float(np.abs(products).sum())


def _noise(values):
    """Standard deviation of the errors of f: a k-th difference of noise s has variance s^2 (2k)! / (k!)^2."""
    differences = np.diff(values, n=ORDER)
    return float(np.sqrt(np.mean(differences**2) * factorial(ORDER) ** 2 / factorial(2 * ORDER)))
