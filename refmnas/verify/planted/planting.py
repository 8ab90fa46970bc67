"""How faults are planted in parts: arrays or options changed, or a part computed otherwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...ops import activation
from ..follow import numpy
from .choices import Change, Choice
from .run import single


def arrays(choice, change):
    """`change` gives the arrays that differ."""
    return Change(choice, lambda part: replace(part, arrays=part.arrays | change(part.arrays)))


def options(choice, change):
    return Change(choice, lambda part: replace(part, options=part.options | change(part)))


def runs(choice, run):
    """The part is computed by run(part, *inputs)."""
    return Change(choice, lambda part: replace(part, options={"run": lambda *xs, part=part: run(part, *xs)}))


def strided(part):
    return part.options.get("stride", 1) > 1


def turned(part):
    """Symmetric pads for SAME, or the other way round."""
    k = part.arrays["w"].shape[0]
    even = (k // 2,) * 4
    less = (k // 2 - 1, k // 2) * 2
    return {"pad": less if tuple(part.options["pad"]) == even else even}


def filled(mode):
    def run(part, x):
        pad = part.options["pad"]
        x = np.pad(x, ((0, 0), pad[:2], pad[2:], (0, 0)), **mode)
        return single(replace(part, options=part.options | {"pad": (0, 0, 0, 0)}), x)

    return run


def phase(part, x):
    full = numpy(part.op)(x, part.arrays["w"].astype(np.float32), None, **(part.options | {"stride": 1}))
    return np.roll(full, -1, axis=1)[:, ::2, ::2]


def batch(part, x):
    y = x.astype(np.float64)
    mean, var = y.mean(axis=(0, 1, 2)), y.var(axis=(0, 1, 2))
    return (y - mean) / np.sqrt(var + part.options["eps"]) * part.arrays["gamma"] + part.arrays["beta"]


def rounded(rounding):
    def run(part, x):
        made = replace(part, arrays=part.arrays | {"w": rounding(part.arrays["w"])})
        return single(made, rounding(x).astype(np.float32))

    return run


def corrupted(change):
    def run(part, *xs):
        y = np.array(single(part, *xs))
        change(y)
        return y

    return run


def element(y):
    y.reshape(-1)[y.size // 3] += 0.05 * np.abs(y).max()


def tile(y):
    y[-1, 1:3, 2:4, :8] = 0


def tail(y):
    y[..., -3:] = 0


def exchanged(op):
    """The last two parts of an operation that have arrays of one shape exchange them."""

    def of(parts):
        last = {}
        for part in parts:
            if part.op == op:
                last.setdefault(part.arrays["w"].shape, []).append(part)
        pair = max((found[-2:] for found in last.values() if len(found) > 1), key=lambda two: parts.index(two[1]), default=None)
        if pair is None:
            return list(parts)
        taken = {pair[0].name: pair[1].arrays, pair[1].name: pair[0].arrays}
        return [replace(p, arrays=taken[p.name]) if p.name in taken else p for p in parts]

    return of


def taps(a):
    w = a["w"].copy()
    w[0, 1], w[1, 0] = a["w"][1, 0], a["w"][0, 1]
    return {"w": w}


def redrawn(scale):
    def of(parts):
        rng = np.random.default_rng(11)
        made = []
        for part in parts:
            new = {key: a * (1 + scale * rng.normal(size=a.shape)) for key, a in part.arrays.items()}
            arrays = {k: np.abs(a) if k == "var" else a for k, a in new.items()}
            made.append(replace(part, arrays=arrays) if arrays else part)
        return made

    return of


def one_weight(a):
    w = a["w"].copy()
    w.reshape(-1)[w.size // 2] += 0.1
    return {"w": w}


def masked(part, x):
    rng = np.random.default_rng(2)
    return single(part, (x * (rng.random(x.shape) >= 0.2) / 0.8).astype(np.float32))


def gates(at=None):
    return Choice("act", at, lambda p: p.name.endswith(".se.gate"))


def squeezes(at=None):
    return Choice("act", at, lambda p: p.name.endswith(".se.act"))


def plain(kind, at=None):
    """Activations of a kind outside the squeeze path."""
    return Choice("act", at, lambda p: ".se." not in p.name and p.options["kind"] == kind)


def narrow(part, x):
    y = np.array(single(part, x))
    y[:, y.shape[1] * 3 // 4 :] = 0
    return y


def placed(parts):
    """One batch norm and its activation exchanged; each keeps the name of what it computes."""
    norms = {p.name: p for p in parts if p.op == "batchnorm" and p.name.endswith("depthwise.bn")}
    act = next((p for p in parts if p.op == "act" and p.inputs[0] in norms), None)
    if act is None:
        return list(parts)
    norm = norms[act.inputs[0]]
    first, second = replace(act, inputs=norm.inputs), replace(norm, inputs=(act.name,))
    made = []
    for p in parts:
        if p is norm:
            made += [first, second]
        elif p is not act:
            inputs = tuple(norm.name if n == act.name else n for n in p.inputs)
            made.append(p if inputs == p.inputs else replace(p, inputs=inputs))
    return made


def after_norm(kind, at):
    """An activation behind one projection's batch norm."""
    projections = Choice("batchnorm", at, lambda p: p.name.endswith("project.bn"))
    return runs(projections, lambda part, x: activation.forward(single(part, x), kind=kind))


def from_elsewhere(parts):
    """The shortcut of one sum taken from another tensor of its shape."""
    for k, add in enumerate(parts):
        names = [
            p.name for p in parts[:k] if p.shape == add.shape and p.op in ("batchnorm", "add") and p.name not in add.inputs
        ]
        if add.op == "add" and names:
            return [replace(p, inputs=(names[0], p.inputs[1])) if p is add else p for p in parts]
    return list(parts)


def biased(a):
    return {"var": a["var"] * (48 / 49)}


def transposed(a):
    return {"w": np.ascontiguousarray(a["w"].T).reshape(a["w"].shape)}
