"""Faults in gradients: GRADIENTS[code]() gives (the last part, or the list of parts), what was fed, what came."""

from __future__ import annotations

import numpy as np

from ...ops import batchnorm, depthwise
from ..diagnose import Context, causes, gradient
from ..part import Part
from ..segment import Segment


def gradient_diagnosed(part, feeds, came):
    """The causes of one gradient's deviation."""
    ways = tuple(Part(name, "add.dx", (f"of {name}",), part.shape) for name in part.inputs) if part.op == "add" else ()
    feeds = {f"of {name}": a for name, a in feeds.items()} if ways else feeds
    if ways:  # one of them comes back through the mean
        first = ways[0]
        pooled = Part(first.name, "pool.dx", first.inputs, part.shape, {}, {"shape": part.shape})
        ways = (pooled, *ways[1:])
    segment = Segment(part.name, (*ways, part), feeds, np.asarray(came, np.float32))
    return causes([segment], Context(segment.parts, (segment,)), gradient.explained)


def _draw(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32).astype(np.float64)


def _norm(drop):
    dy, x, ones = _draw(1, 2, 6, 6, 4), _draw(2, 2, 6, 6, 4), np.ones(4)
    mean, rstd = x.mean(axis=(0, 1, 2)), 1 / np.sqrt(x.var(axis=(0, 1, 2)) + 1e-5)
    z = (x - mean) * rstd
    terms = {"mean": dy.mean(axis=(0, 1, 2)), "var": z * (dy * z).mean(axis=(0, 1, 2))}
    arrays = {"gamma": ones, "beta": 0 * ones, "mean": 0 * ones, "var": ones}
    part = Part("x.grad", "batchnorm.train.dx", ("y.grad", "x"), (6, 6, 4), arrays, {"eps": 1e-5})
    return part, {"y.grad": dy, "x": x}, batchnorm.backward(dy, x, ones, mean, rstd).x + rstd * terms[drop]


def _squeeze():
    part = Part("x.grad", "add", ("pooled", "scaled"), (6, 6, 4))
    feeds = {"pooled": _draw(1, 2, 4), "scaled": _draw(2, 2, 6, 6, 4)}
    return part, feeds, feeds["scaled"]


def _weights(change):
    dy, x, options = _draw(1, 2, 6, 6, 4), _draw(2, 2, 6, 6, 4), {"stride": 1, "pad": (1, 1, 1, 1)}
    w = _draw(3, 3, 3, 4)
    part = Part("w.grad", "depthwise.dw", ("y.grad", "x"), (3, 4), {"w": w}, options | {"pixels": 72})
    return part, {"y.grad": dy, "x": x}, change(depthwise.backward(dy, x, w, **options).w)


GRADIENTS = {
    "GRAD-BN-MEAN": lambda: _norm("mean"),
    "GRAD-BN-VAR": lambda: _norm("var"),
    "GRAD-SE-PATH": _squeeze,
    "GRAD-SUM": lambda: _weights(lambda g: 2 * g),
    "GRAD-FLIP": lambda: _weights(lambda g: g[::-1, ::-1]),
    "GRAD-MISSING": lambda: _weights(lambda g: 0 * g),
}
