"""Faults that are planted in parts: one or several for each code."""

from __future__ import annotations

import numpy as np

from ..diagnose.precision import half, nearest, truncated
from .choices import Choice, Fault
from .planting import (
    after_norm,
    arrays,
    batch,
    biased,
    corrupted,
    element,
    exchanged,
    filled,
    from_elsewhere,
    gates,
    masked,
    narrow,
    one_weight,
    options,
    phase,
    placed,
    plain,
    redrawn,
    rounded,
    runs,
    squeezes,
    strided,
    tail,
    taps,
    tile,
    transposed,
    turned,
)
from .run import single

_DEPTHWISE = Choice("depthwise", 3, lambda p: not strided(p))
_STRIDED = Choice("depthwise", None, strided)
_LAST = Choice("linear", -1, lambda p: ".se." not in p.name)
_MEAN = Choice("pool", 2, lambda p: ".se." in p.name)


def _pooled(change):
    return runs(_MEAN, lambda part, x: change(x.astype(np.float64)))


FAULTS = (
    Fault("PAD-SAME", "the other rule in all strided layers", options(_STRIDED, turned)),
    Fault("PAD-SAME", "the other rule in one strided layer", options(Choice("depthwise", 1, strided), turned)),
    Fault("PAD-VALUE", "one border filled with the edge", runs(_DEPTHWISE, filled({"mode": "edge"}))),
    Fault("PAD-VALUE", "one border of 0.25", runs(_DEPTHWISE, filled({"constant_values": 0.25}))),
    Fault(
        "PAD",
        "one layer padded (2, 0, 2, 0) times its own",
        options(_DEPTHWISE, lambda p: {"pad": (2 * p.options["pad"][0], 0) * 2}),
    ),
    Fault("STRIDE-PHASE", "one strided layer sampled from row 1", runs(Choice("depthwise", 0, strided), phase)),
    Fault(
        "DILATION",
        "dilation 2 in one layer",
        options(_DEPTHWISE, lambda p: {"dilation": 2, "pad": tuple(2 * v for v in p.options["pad"])}),
    ),
    Fault("BN-EPS", "eps 1e-5 in all", options(Choice("batchnorm", None), lambda p: {"eps": 1e-5})),
    Fault("BN-EPS", "eps 2e-3 in one", options(Choice("batchnorm", 5), lambda p: {"eps": 2e-3})),
    Fault("BN-STATS", "batch statistics in one", runs(Choice("batchnorm", 4), batch)),
    Fault("BN-VAR", "biased variance in all", arrays(Choice("batchnorm", None), biased)),
    Fault(
        "BN-VAR", "standard deviation for variance in one", arrays(Choice("batchnorm", 6), lambda a: {"var": np.sqrt(a["var"])})
    ),
    Fault("BN-BETA", "no beta in one", arrays(Choice("batchnorm", 7), lambda a: {"beta": 0 * a["beta"]})),
    Fault("BN-FOLD", "no running mean in one", arrays(Choice("batchnorm", 8), lambda a: {"mean": 0 * a["mean"]})),
    Fault("BIAS-MISSING", "no bias in the last layer", arrays(_LAST, lambda a: {"b": 0 * a["b"]})),
    Fault("SE-WIDTH", "three quarters of one squeeze's width", runs(squeezes(2), narrow)),
    Fault("SE-GATE", "sigmoid for the gate", options(gates(), lambda p: {"kind": "sigmoid"})),
    Fault("SE-GATE", "Keras' gate in one", options(gates(1), lambda p: {"kind": "hard_sigmoid_keras"})),
    Fault("SE-ACT", "swish in the squeeze", options(squeezes(), lambda p: {"kind": "swish"})),
    Fault("SE-SQUEEZE", "maximum for mean in one", _pooled(lambda x: x.max(axis=(1, 2)))),
    Fault("SE-MISSING", "no scaling in one block", runs(Choice("scale", 1), lambda part, x, g: x)),
    Fault("ACT-KIND", "swish for hard-swish", options(plain("hard_swish"), lambda p: {"kind": "swish"})),
    Fault(
        "ACT-KIND",
        "ReLU for hard-swish in one",
        options(plain("hard_swish", 3), lambda p: {"kind": "relu"}),
    ),
    Fault(
        "ACT-KIND",
        "leaky ReLU in one",
        runs(plain("relu", 2), lambda part, x: np.where(x > 0, x, 0.01 * x)),
    ),
    Fault("ACT-MISSING", "no activation in one place", options(Choice("act", 0), lambda p: {"kind": "identity"})),
    Fault("ACT-EXTRA", "ReLU behind one projection", after_norm("relu", 2)),
    Fault("ACT-PLACE", "one activation before its batch norm", placed),
    Fault("LAYOUT-WEIGHT", "taps transposed in all", arrays(Choice("depthwise", None), lambda a: {"w": a["w"].swapaxes(0, 1)})),
    Fault("LAYOUT-WEIGHT", "one dense matrix read in the other order", arrays(Choice("linear", 2), transposed)),
    Fault("LAYOUT-DATA", "one layer fed rows for columns", runs(_DEPTHWISE, lambda part, x: single(part, x.swapaxes(1, 2)))),
    Fault("RES-MISSING", "all sums left out", runs(Choice("add", None), lambda part, a, b: b)),
    Fault("RES-EXTRA", "one shortcut added twice", runs(Choice("add", 1), lambda part, a, b: a + a + b)),
    Fault("RES-PLACE", "one shortcut from another tensor", from_elsewhere),
    Fault(
        "PRE-SCALE",
        "another mean and standard deviation",
        image=lambda x: (x - np.array([0.1, 0.2, 0.3])) / np.array([0.9, 1.1, 1.2]),
    ),
    Fault("PRE-CHANNELS", "BGR", image=lambda x: x[..., ::-1]),
    Fault("PRE-CHANNELS", "mirrored", image=lambda x: x[:, :, ::-1]),
    Fault("PRE-RESIZE", "smoothed by another kernel", image=lambda x: 0.8 * x + 0.1 * (np.roll(x, 1, 1) + np.roll(x, 1, 2))),
    Fault("PREC-FP16", "fp16 operands in one layer", runs(Choice("pointwise", 3), rounded(half))),
    Fault("PREC-FP16", "one result stored in fp16", runs(Choice("pointwise", 2), lambda part, x: half(single(part, x)))),
    Fault("PREC-BF16", "one result stored in bf16", runs(Choice("depthwise", 3), lambda part, x: nearest(single(part, x), 7))),
    Fault("PREC-BF16", "bf16 operands in all 1x1", runs(Choice("pointwise", None), rounded(lambda a: nearest(a, 7)))),
    Fault("PREC-TF32", "TF32 operands, cut, in one layer", runs(Choice("pointwise", 4), rounded(lambda a: truncated(a, 10)))),
    Fault("POOL", "a mean over H W + 1", _pooled(lambda x: x.sum(axis=(1, 2)) / (x.shape[1] * x.shape[2] + 1))),
    Fault("DROP-ACTIVE", "dropout of 0.2 before the last layer", runs(Choice("linear", -2, _LAST.wanted), masked)),
    Fault("CLASS-SHIFT", "classes shifted by one", runs(_LAST, lambda part, x: np.roll(single(part, x), 1, axis=1))),
    Fault("WEIGHT-SWAP", "two depthwise layers exchanged", exchanged("depthwise")),
    Fault("WEIGHT-SWAP", "two taps exchanged in one", arrays(_DEPTHWISE, taps)),
    Fault("WEIGHT-STALE", "one weight changed", arrays(Choice("pointwise", 2), one_weight)),
    Fault("WEIGHT-STALE", "another file", redrawn(1.0)),
    Fault("EMA-RAW", "weights of another step", redrawn(0.01)),
    Fault("TILE", "one element", runs(Choice("pointwise", 2), corrupted(element))),
    Fault("TILE", "a tile left out", runs(Choice("pointwise", 1), corrupted(tile))),
    Fault("TAIL", "the last three channels left out", runs(Choice("pointwise", 5), corrupted(tail))),
    Fault(
        "UNKNOWN",
        "noise in one layer",
        runs(Choice("pointwise", 3), corrupted(lambda y: y.__iadd__(np.random.default_rng(1).normal(size=y.shape)))),
    ),
)
