"""Faults of layers that MobileNetV3-Small does not have, and of other sizes: a tolerance is tried on them, too."""

from __future__ import annotations

import numpy as np

from ...ops import activation
from ..diagnose.precision import half, nearest
from .choices import Choice, Fault
from .planting import after_norm, arrays, options, plain, rounded, runs, single, strided, turned


def _kind(kind):
    return lambda part: {"kind": kind}


def _swish(part):
    return part.op == "act" and part.options["kind"] == "swish" and ".se." not in part.name


MORE = (
    Fault("PAD-SAME", "the other rule in one strided convolution", options(Choice("conv", 0, strided), turned)),
    Fault("BN-EPS", "eps 1e-3 in all", options(Choice("batchnorm", None), lambda p: {"eps": 1e-3})),
    Fault("BN-BETA", "no gamma in one", arrays(Choice("batchnorm", 7), lambda a: {"gamma": np.ones_like(a["gamma"])})),
    Fault("ACT-KIND", "ReLU for ReLU6", options(plain("relu6"), _kind("relu"))),
    Fault("ACT-KIND", "ReLU6 for ReLU in one", options(plain("relu", 0), _kind("relu6"))),
    Fault("ACT-KIND", "hard-swish for swish", options(Choice("act", None, _swish), _kind("hard_swish"))),
    Fault("ACT-KIND", "hard-swish for swish in one", options(Choice("act", 0, _swish), _kind("hard_swish"))),
    Fault("ACT-EXTRA", "ReLU6 behind one projection", after_norm("relu6", 0)),
    Fault(
        "ACT-EXTRA",
        "ReLU behind one sum",
        runs(Choice("add", 0), lambda part, *xs: activation.forward(single(part, *xs), kind="relu")),
    ),
    Fault("RES-MISSING", "one sum left out", runs(Choice("add", 0), lambda part, *xs: xs[-1])),
    Fault("PREC-FP16", "fp16 operands in one depthwise", runs(Choice("depthwise", 0), rounded(half))),
    Fault("PREC-BF16", "bf16 operands in one depthwise", runs(Choice("depthwise", 0), rounded(lambda a: nearest(a, 7)))),
    Fault("PREC-FP16", "weights of one layer stored in fp16", arrays(Choice("pointwise", 0), lambda a: {"w": half(a["w"])})),
)
