"""SE-MISSING, SE-SQUEEZE, SE-WIDTH, POOL: the squeeze path and means."""

from __future__ import annotations

import numpy as np

from ..segment import expected, ratios
from .cause import FITTED, RERUN, Candidate


def candidates(look, context):
    for part in look.part("scale"):
        yield from _scale(look, part)
    for part in look.part("pool"):
        if part.inputs[0] in look.segment.feeds:
            yield from _mean(look, part, context)
    if look.last.name in context.roles or any(p.name in context.roles for p in look.segment.parts):
        yield from _width(look, context)


def fits(look, context):
    """A mean by another factor."""
    for part in look.part("pool"):
        if part.inputs[0] in look.segment.feeds and np.ndim(look.segment.feeds[part.inputs[0]]) == 4:
            yield from _factor(look, part.inputs[0], np.asarray(look.segment.feeds[part.inputs[0]], np.float64))
    if look.part("linear") and not look.part("pool"):
        yield from _counted(look, context)


def _scale(look, part):
    x = look.segment.feeds.get(part.inputs[0])
    if x is not None and part is look.last and np.shape(x) == look.came.shape:
        yield _told("SE-MISSING", look, np.asarray(x, np.float64), "agrees with the tensor before the scaling")
        g = look.segment.feeds.get(part.inputs[1])
        if g is not None:
            wide = np.asarray(g, np.float64)[:, None, None, :] if np.ndim(x) == 4 else g
            yield Candidate(
                "SE-GATE", look.with_feed(part.inputs[1], np.asarray(g, np.float64) ** 2), "agrees with the gate applied twice"
            )
            yield _told("RES-EXTRA", look, np.asarray(x, np.float64) * (1 + wide), "agrees with the unscaled tensor added")


def _told(code, look, y, evidence, tier=RERUN):
    """A candidate that is a value and no segment: within the bound of the layer, which covers one rounding."""
    margin = float(ratios(y, look.error + 2.0**-22 * np.abs(y), look.came).max(initial=0.0))
    return Candidate(code, None, evidence, tier, margin=margin)


def _mean(look, part, context):
    """Another statistic in the place of the mean over a channel's pixels: written into what goes in."""
    name = part.inputs[0]
    x = np.asarray(look.segment.feeds[name], np.float64)
    if x.ndim != 4:
        return
    code = "SE-SQUEEZE" if part.name in context.roles else "POOL"
    count = x.shape[1] * x.shape[2]
    others = (
        (x.max(axis=(1, 2), keepdims=True), "the maximum"),
        (x.mean(axis=(0, 1, 2), keepdims=True), "the mean over the batch, too"),
        (x.mean(axis=(1, 2, 3), keepdims=True), "the mean over the channels, too"),
        (x[:, :1, :1], "the first pixel"),
        (x[:, x.shape[1] // 2 : x.shape[1] // 2 + 1, x.shape[2] // 2 : x.shape[2] // 2 + 1], "the pixel in the middle"),
    )
    for value, told in others:
        yield Candidate(code, look.with_feed(name, np.broadcast_to(value, x.shape)), f"agrees with {told}")
    for factor, told in (
        (count, "the sum"),
        (count / (count + 1), "a count of H W + 1"),
        (count / (count - 1) if count > 1 else 2, "a count of H W - 1"),
    ):
        yield Candidate("POOL", look.with_feed(name, x * factor), f"agrees with {told}")
    for other, array in context.tensors.items():
        same = np.shape(array) == x.shape and other != name
        if same and abs(context.place.get(other, -9) - context.place.get(name, -99)) <= 3:
            yield Candidate(code, look.with_feed(name, array), f"agrees with the mean of {other}")


def _counted(look, context):
    """A dense layer behind a mean: its input by one factor."""
    part = look.part("linear")[0]
    name = part.inputs[0]
    if name in look.segment.feeds:
        before = context.by_name.get(name)
        if before is not None and before.op in ("pool", "average_pool"):
            yield from _factor(look, name, np.asarray(look.segment.feeds[name], np.float64))


def _factor(look, name, x):
    """The one factor of what goes in that the worst element asks for; the layer must be affine in it."""
    try:
        at0, at1 = (expected(look.with_feed(name, x * k))[0] for k in (0.0, 1.0))
    except ValueError:
        return
    slope = at1 - at0
    half = np.abs(slope.ravel()[::2])
    if half.size == 0 or half.max() == 0:
        return
    where = int(np.argmax(half)) * 2
    factor = float((look.came.ravel()[where] - at0.ravel()[where]) / slope.ravel()[where])
    if np.isfinite(factor) and abs(factor - 1) > 1e-6:
        told = float(f"{factor:.6g}")
        for value in dict.fromkeys((told, factor)):
            yield Candidate(
                "POOL", look.with_feed(name, x * value), f"agrees with a mean that is {value:.8g} times as large", FITTED
            )


def _width(look, context):
    """Only the first channels of the squeezed ones take part."""
    for part in look.part("linear", "pointwise"):
        if context.roles.get(part.name) != "matrix" or "w" not in part.arrays:
            continue
        w = part.arrays["w"]
        if part.inputs[0] in look.segment.feeds and len(w) < w.shape[-1]:  # the second matrix
            for kept in range(1, len(w)):
                cut = np.where(np.arange(len(w))[:, None] < kept, w, 0)
                yield Candidate(
                    "SE-WIDTH", look.with_part(part, arrays={"w": cut}), f"agrees with {kept} of {len(w)} squeezed channels"
                )
    role = context.roles.get(look.last.name)
    if role == "squeeze" or (role == "matrix" and look.last.shape[-1] < 512):
        used = np.flatnonzero(np.abs(look.came).reshape(-1, look.came.shape[-1]).max(axis=0) > 0)
        kept = int(used[-1]) + 1 if len(used) else 0
        if 0 < kept < look.came.shape[-1]:
            zero = np.where(np.arange(look.came.shape[-1]) < kept, look.y, 0)
            yield _told("SE-WIDTH", look, zero, f"agrees with {kept} of {look.came.shape[-1]} squeezed channels")
