"""ACT-KIND, ACT-MISSING, ACT-EXTRA, ACT-PLACE, SE-GATE, SE-ACT."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...ops.activation import KINDS
from ..part import Part
from .cause import CONVENTION, FITTED, RERUN, Candidate

_EXTRA = ("relu", "relu6", "hard_swish", "swish", "sigmoid")
_GATES = ("sigmoid", "hard_sigmoid", "hard_sigmoid_slim", "hard_sigmoid_keras")
_NAMES = {"gate": "SE-GATE", "squeeze": "SE-ACT"}


def candidates(look, context):
    for part in look.part("act"):
        role = context.roles.get(part.name)
        yield from _kinds(look, part, role)
    yield from _extra(look, context)
    yield from _places(look, context)


def fits(look, context):
    """Any function of the pre-activation."""
    if look.last.op == "act" and len(look.segment.parts) == 1:
        yield from _function(look, look.last, context.roles.get(look.last.name))


def _kinds(look, part, role):
    now = part.options["kind"]
    for kind in KINDS:
        if kind in (now, "hard_sigmoid_torch"):
            continue
        code = _NAMES.get(role) or ("ACT-MISSING" if kind == "identity" else "ACT-KIND")
        told = "without it" if kind == "identity" else f"with {kind}"
        near = kind in _GATES if role == "gate" else kind not in _GATES
        yield Candidate(
            code, look.with_part(part, options={"kind": kind}), f"agrees {told} for {now}", CONVENTION if near else RERUN
        )


def _function(look, part, role):
    """Whether what came is some function of the pre-activation alone: told by elements that lie between two others."""
    x, y = np.asarray(look.segment.feeds[part.inputs[0]], np.float64).ravel(), look.came.ravel()
    if len(x) < 64 or not np.isfinite(y).all():
        return
    if len(x) > 40000:
        keep = np.sort(np.random.default_rng(0).choice(len(x), 40000, replace=False))
        x, y = x[keep], y[keep]
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    low, high = np.minimum(y[:-2:2], y[2::2][: len(y[:-2:2])]), np.maximum(y[:-2:2], y[2::2][: len(y[:-2:2])])
    middle = y[1::2][: len(low)]
    slack = 1e-6 * (np.abs(middle) + 1e-3) + 0.25 * (high - low)
    inside = (middle >= low - slack) & (middle <= high + slack)
    if inside.mean() > 0.995 and np.ptp(y) > 0:
        slope = _slope_below(x, y)
        told = f"what came is a function of the pre-activation; below 0 its slope is {slope:.4g}"
        yield Candidate(_NAMES.get(role, "ACT-KIND"), None, told, FITTED, margin=0.99)


def _slope_below(x, y):
    below = x < 0
    return float((y[below] * x[below]).sum() / max((x[below] ** 2).sum(), 1e-300)) if below.any() else 0.0


def _extra(look, context):
    """An activation behind the segment, or before what goes in."""
    if look.last.op == "act" and look.last.options["kind"] in ("relu", "relu6"):
        return
    role = context.roles.get(look.last.name)
    code = "SE-ACT" if role == "matrix" else "ACT-EXTRA"
    for kind in _EXTRA:
        made = Part(f"{look.last.name} {kind}", "act", (look.last.name,), look.last.shape, {}, {"kind": kind})
        segment = replace(look.segment, parts=(*look.segment.parts, made))
        yield Candidate(
            code, segment, f"agrees with {kind} behind it", CONVENTION if look.last.op == "add" or kind != "sigmoid" else RERUN
        )
    if look.last.op != "add":
        return
    for name in look.segment.feeds:
        for kind in ("relu", "relu6"):
            x = np.maximum(np.asarray(look.segment.feeds[name], np.float64), 0)
            feed = np.minimum(x, 6) if kind == "relu6" else x
            yield Candidate("ACT-EXTRA", look.with_feed(name, feed), f"agrees with {kind} of {name}")


def _places(look, context):
    """Two neighbours exchanged: batch norm and its activation."""
    for norm in look.part("batchnorm"):
        act = next((p for p in context.parts if p.op == "act" and norm.name in p.inputs), None)
        if act is None:
            continue
        first = replace(act, name=f"{norm.name} act", inputs=norm.inputs)
        then = replace(norm, inputs=(first.name,))
        parts = []
        for q in look.segment.parts:
            if q is norm:
                parts += [first, then]
            elif q.name == act.name:
                parts.append(replace(q, options={"kind": "identity"}))
            else:
                parts.append(q)
        yield Candidate(
            "ACT-PLACE", replace(look.segment, parts=tuple(parts)), f"agrees with {act.options['kind']} before batch norm"
        )
    if look.last.op == "act" and len(look.segment.parts) == 1:
        norm = context.by_name.get(look.last.inputs[0])
        before = context.tensors.get(norm.inputs[0]) if norm is not None and norm.op == "batchnorm" else None
        if before is not None and np.shape(before) == np.shape(look.came):
            feed = look.with_feed(look.last.inputs[0], before)
            yield Candidate("ACT-PLACE", feed, "agrees with the activation of what stands before batch norm")
