"""Faults of layers that the networks of `faults` do not have: LAYERS[code]() gives (part, its input, what came)."""

from __future__ import annotations

import numpy as np

from ..diagnose import Context, causes
from ..part import Part
from ..segment import Segment
from .run import single


def diagnosed(part, x, came):
    """The causes of one layer's deviation, of a graph without a network."""
    segment = Segment(part.name, (part,), {part.inputs[0]: x}, came)
    return causes([segment], Context((part,), (segment,)))


def layer(op, shape, out, *, stride=1, pad=(1, 1, 1, 1), scale=1.0, **options):
    """One weighed layer, its weights drawn."""
    w = (scale * np.random.default_rng(4).normal(size=shape)).astype(np.float32).astype(np.float64)
    return Part("layer", op, ("before",), out, {"w": w}, {"stride": stride, "pad": pad} | options)


def image(*shape):
    return np.random.default_rng(5).normal(size=shape).astype(np.float32)


def _lower():
    x, same = image(2, 10, 10, 8), {"stride": 2, "pad": (0, 1, 0, 1)}
    wrong = layer("depthwise", (3, 3, 8), (5, 5, 8), stride=2, pad=(1, 0, 1, 0))
    return layer("depthwise", (3, 3, 8), (5, 5, 8), **same), x, single(wrong, x)


def _multiplier():
    part, x = layer("conv", (3, 3, 1, 12), (6, 6, 12), groups=4), image(2, 6, 6, 4)
    return part, x, single(part, x)[..., np.arange(12).reshape(4, 3).T.ravel()]


def _flushed():
    part, x = layer("depthwise", (3, 3, 8), (6, 6, 8), scale=1e-39), image(2, 6, 6, 8)
    y = single(part, x)
    return part, x, np.where(np.abs(y) < 2.0**-126, np.float32(0), y)


LAYERS = {"PAD-LOWER": _lower, "MULTIPLIER-ORDER": _multiplier, "FTZ": _flushed}
