"""Faults that are planted in parts: one or several for each code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ...ops import activation
from ..diagnose.precision import half, nearest, truncated
from ..follow import numpy
from .run import single



@dataclass(frozen=True)
class Fault:
    """`plant(parts)` gives the parts that the implementation runs; `image(x)` what it is fed."""

    code: str
    told: str
    plant: Callable = list
    image: Callable = np.asarray


def pick(parts, op, at=0, wanted=lambda part: True):
    """The names of the parts of an operation; `at` chooses one, None all."""
    found = [part.name for part in parts if part.op == op and wanted(part)]
    if not found:
        return []
    return found if at is None else [found[at % len(found)]]


def _changed(names, change):
    def of(parts):
        chosen = names(parts)
        return [change(part) if part.name in chosen else part for part in parts]

    return of


def _one(op, at=0, wanted=lambda part: True):
    return lambda parts: pick(parts, op, at, wanted)


def arrays(choice, change):
    """`change` gives the arrays that differ."""
    return _changed(choice, lambda part: replace(part, arrays=part.arrays | change(part.arrays)))


def options(choice, change):
    return _changed(choice, lambda part: replace(part, options=part.options | change(part)))


def runs(choice, run):
    """The part is computed by run(part, *inputs)."""
    return _changed(choice, lambda part: replace(part, options={"run": lambda *xs, part=part: run(part, *xs)}))


def strided(part):
    return part.options.get("stride", 1) > 1


def _turned(part):
    """Symmetric pads for SAME, or the other way round."""
    k = part.arrays["w"].shape[0]
    even = (k // 2,) * 4
    less = (k // 2 - 1, k // 2) * 2
    return {"pad": less if tuple(part.options["pad"]) == even else even}


def _filled(mode):
    def run(part, x):
        pad = part.options["pad"]
        x = np.pad(x, ((0, 0), pad[:2], pad[2:], (0, 0)), **mode)
        return single(replace(part, options=part.options | {"pad": (0, 0, 0, 0)}), x)

    return run


def _phase(part, x):
    full = numpy(part.op)(x, part.arrays["w"].astype(np.float32), None, **(part.options | {"stride": 1}))
    return np.roll(full, -1, axis=1)[:, ::2, ::2]


def _batch(part, x):
    y = x.astype(np.float64)
    mean, var = y.mean(axis=(0, 1, 2)), y.var(axis=(0, 1, 2))
    return (y - mean) / np.sqrt(var + part.options["eps"]) * part.arrays["gamma"] + part.arrays["beta"]


def rounded(rounding):
    def run(part, x):
        made = replace(part, arrays=part.arrays | {"w": rounding(part.arrays["w"])})
        return single(made, rounding(x).astype(np.float32))

    return run


def _corrupted(change):
    def run(part, *xs):
        y = np.array(single(part, *xs))
        change(y)
        return y

    return run


def _element(y):
    y.reshape(-1)[y.size // 3] += 0.05 * np.abs(y).max()


def _tile(y):
    y[1, 1:3, 2:4, :8] = 0


def _tail(y):
    y[..., -3:] = 0


def _exchanged(a, b):
    """Two parts exchange their arrays."""

    def of(parts):
        first, second = (next(p for p in parts if p.name == name) for name in (a(parts)[0], b(parts)[0]))
        return [
            replace(p, arrays=second.arrays if p is first else first.arrays if p is second else p.arrays) for p in parts
        ]

    return of


def _taps(a):
    w = a["w"].copy()
    w[0, 1], w[1, 0] = a["w"][1, 0], a["w"][0, 1]
    return {"w": w}


def _redrawn(scale):
    def of(parts):
        rng = np.random.default_rng(11)
        made = []
        for part in parts:
            new = {key: a * (1 + scale * rng.normal(size=a.shape)) for key, a in part.arrays.items()}
            made.append(replace(part, arrays={k: np.abs(a) if k == "var" else a for k, a in new.items()}))
        return made

    return of


def _one_weight(a):
    w = a["w"].copy()
    w.reshape(-1)[w.size // 2] += 0.1
    return {"w": w}


def _masked(part, x):
    rng = np.random.default_rng(2)
    return single(part, (x * (rng.random(x.shape) >= 0.2) / 0.8).astype(np.float32))


def _gates(parts):
    return [p.name for p in parts if p.op == "act" and p.name.endswith(".se.gate")]


def _squeezes(parts):
    return [p.name for p in parts if p.op == "act" and p.name.endswith(".se.act")]


def _plain(kind):
    return lambda parts: [p.name for p in parts if p.op == "act" and ".se." not in p.name and p.options["kind"] == kind]


def _narrow(part, x):
    y = np.array(single(part, x))
    y[:, y.shape[1] * 3 // 4 :] = 0
    return y


def _placed(parts):
    """One batch norm and its activation exchanged; each keeps the name of what it computes."""
    norm = next(p for p in parts if p.op == "batchnorm" and p.name.endswith("depthwise.bn"))
    act = next(p for p in parts if norm.name in p.inputs)
    first, second = replace(act, inputs=norm.inputs), replace(norm, inputs=(act.name,))
    made = []
    for p in parts:
        if p is norm:
            made += [first, second]
        elif p is not act:
            made.append(replace(p, inputs=tuple(norm.name if n == act.name else n for n in p.inputs)))
    return made


def _after_norm(kind, at):
    """An activation behind one projection's batch norm."""
    projections = _one("batchnorm", at, lambda p: p.name.endswith("project.bn"))
    return runs(projections, lambda part, x: activation.forward(single(part, x), kind=kind))


def _from_elsewhere(parts):
    """The shortcut of one sum taken from another tensor of its shape."""
    for k, add in enumerate(parts):
        names = [p.name for p in parts[:k] if p.shape == add.shape and p.op in ("batchnorm", "add") and p.name not in add.inputs]
        if add.op == "add" and names:
            return [replace(p, inputs=(names[0], p.inputs[1])) if p is add else p for p in parts]
    return list(parts)


def _biased(a):
    return {"var": a["var"] * (48 / 49)}


def _flushed(part, x):
    y = single(part, np.where(np.abs(x) < 2.0**-126, 0, x))
    return np.where(np.abs(y) < 2.0**-126, 0, y)


def _transposed(a):
    return {"w": np.ascontiguousarray(a["w"].T).reshape(a["w"].shape)}


_DEPTHWISE = _one("depthwise", 3, lambda p: not strided(p))
_STRIDED = _one("depthwise", None, strided)
_MEAN = _one("pool", 2)


def _pooled(change):
    return runs(_MEAN, lambda part, x: change(x.astype(np.float64)))


FAULTS = (
    Fault("PAD-SAME", "the other rule in all strided layers", options(_STRIDED, _turned)),
    Fault("PAD-SAME", "the other rule in one strided layer", options(_one("depthwise", 1, strided), _turned)),
    Fault("PAD-VALUE", "one border filled with the edge", runs(_DEPTHWISE, _filled({"mode": "edge"}))),
    Fault("PAD-VALUE", "one border of 0.25", runs(_DEPTHWISE, _filled({"constant_values": 0.25}))),
    Fault("PAD", "one layer padded (2, 0, 2, 0) times its own", options(_DEPTHWISE, lambda p: {"pad": (2 * p.options["pad"][0], 0) * 2})),
    Fault("STRIDE-PHASE", "one strided layer sampled from row 1", runs(_one("depthwise", 0, strided), _phase)),
    Fault("DILATION", "dilation 2 in one layer", options(_DEPTHWISE, lambda p: {"dilation": 2, "pad": tuple(2 * v for v in p.options["pad"])})),
    Fault("BN-EPS", "eps 1e-5 in all", options(_one("batchnorm", None), lambda p: {"eps": 1e-5})),
    Fault("BN-EPS", "eps 2e-3 in one", options(_one("batchnorm", 5), lambda p: {"eps": 2e-3})),
    Fault("BN-STATS", "batch statistics in one", runs(_one("batchnorm", 4), _batch)),
    Fault("BN-VAR", "biased variance in all", arrays(_one("batchnorm", None), _biased)),
    Fault("BN-VAR", "standard deviation for variance in one", arrays(_one("batchnorm", 6), lambda a: {"var": np.sqrt(a["var"])})),
    Fault("BN-BETA", "no beta in one", arrays(_one("batchnorm", 7), lambda a: {"beta": 0 * a["beta"]})),
    Fault("BN-FOLD", "no running mean in one", arrays(_one("batchnorm", 8), lambda a: {"mean": 0 * a["mean"]})),
    Fault("BIAS-MISSING", "no bias in the last layer", arrays(_one("linear", -1), lambda a: {"b": 0 * a["b"]})),
    Fault("SE-WIDTH", "three quarters of one squeeze's width", runs(lambda parts: _squeezes(parts)[2:3], _narrow)),
    Fault("SE-GATE", "sigmoid for the gate", options(_gates, lambda p: {"kind": "sigmoid"})),
    Fault("SE-GATE", "Keras' gate in one", options(lambda parts: _gates(parts)[1:2], lambda p: {"kind": "hard_sigmoid_keras"})),
    Fault("SE-ACT", "swish in the squeeze", options(_squeezes, lambda p: {"kind": "swish"})),
    Fault("SE-SQUEEZE", "maximum for mean in one", _pooled(lambda x: x.max(axis=(1, 2)))),
    Fault("SE-MISSING", "no scaling in one block", runs(_one("scale", 1), lambda part, x, g: x)),
    Fault("ACT-KIND", "swish for hard-swish", options(_plain("hard_swish"), lambda p: {"kind": "swish"})),
    Fault("ACT-KIND", "ReLU for hard-swish in one", options(lambda parts: _plain("hard_swish")(parts)[3:4], lambda p: {"kind": "relu"})),
    Fault("ACT-KIND", "leaky ReLU in one", runs(lambda parts: _plain("relu")(parts)[2:3], lambda part, x: np.where(x > 0, x, 0.01 * x))),
    Fault("ACT-MISSING", "no activation in one place", options(_one("act", 0), lambda p: {"kind": "identity"})),
    Fault("ACT-EXTRA", "ReLU behind one projection", _after_norm("relu", 2)),
    Fault("ACT-PLACE", "one activation before its batch norm", _placed),
    Fault("LAYOUT-WEIGHT", "taps transposed in all", arrays(_one("depthwise", None), lambda a: {"w": a["w"].swapaxes(0, 1)})),
    Fault("LAYOUT-WEIGHT", "one dense matrix read in the other order", arrays(_one("linear", 2), _transposed)),
    Fault("LAYOUT-DATA", "one layer fed rows for columns", runs(_DEPTHWISE, lambda part, x: single(part, x.swapaxes(1, 2)))),
    Fault("RES-MISSING", "all sums left out", runs(_one("add", None), lambda part, a, b: b)),
    Fault("RES-EXTRA", "one shortcut added twice", runs(_one("add", 1), lambda part, a, b: a + a + b)),
    Fault("RES-PLACE", "one shortcut from another tensor", _from_elsewhere),
    Fault("PRE-SCALE", "another mean and standard deviation", image=lambda x: (x - np.array([0.1, 0.2, 0.3])) / np.array([0.9, 1.1, 1.2])),
    Fault("PRE-CHANNELS", "BGR", image=lambda x: x[..., ::-1]),
    Fault("PRE-CHANNELS", "mirrored", image=lambda x: x[:, :, ::-1]),
    Fault("PRE-RESIZE", "smoothed by another kernel", image=lambda x: 0.8 * x + 0.1 * (np.roll(x, 1, 1) + np.roll(x, 1, 2))),
    Fault("PREC-FP16", "fp16 operands in one layer", runs(_one("pointwise", 3), rounded(half))),
    Fault("PREC-FP16", "one result stored in fp16", runs(_one("pointwise", 2), lambda part, x: half(single(part, x)))),
    Fault("PREC-BF16", "bf16 operands in all 1x1", runs(_one("pointwise", None), rounded(lambda a: nearest(a, 7)))),
    Fault("PREC-TF32", "TF32 operands, cut, in one layer", runs(_one("pointwise", 4), rounded(lambda a: truncated(a, 10)))),
    Fault("POOL", "a mean over H W + 1", _pooled(lambda x: x.sum(axis=(1, 2)) / (x.shape[1] * x.shape[2] + 1))),
    Fault("DROP-ACTIVE", "dropout of 0.2 before the last layer", runs(_one("linear", -2), _masked)),
    Fault("CLASS-SHIFT", "classes shifted by one", runs(_one("linear", -1), lambda part, x: np.roll(single(part, x), 1, axis=1))),
    Fault("WEIGHT-SWAP", "two depthwise layers exchanged", _exchanged(_one("depthwise", -1), _one("depthwise", -2))),
    Fault("WEIGHT-SWAP", "two taps exchanged in one", arrays(_DEPTHWISE, _taps)),
    Fault("WEIGHT-STALE", "one weight changed", arrays(_one("pointwise", 2), _one_weight)),
    Fault("WEIGHT-STALE", "another file", _redrawn(1.0)),
    Fault("EMA-RAW", "weights of another step", _redrawn(0.01)),
    Fault("TILE", "one element", runs(_one("pointwise", 2), _corrupted(_element))),
    Fault("TILE", "a tile left out", runs(_one("pointwise", 1), _corrupted(_tile))),
    Fault("TAIL", "the last three channels left out", runs(_one("pointwise", 5), _corrupted(_tail))),
    Fault("UNKNOWN", "noise in one layer", runs(_one("pointwise", 3), _corrupted(lambda y: y.__iadd__(np.random.default_rng(1).normal(size=y.shape))))),
)  # fmt: skip
