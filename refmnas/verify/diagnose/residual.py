"""RES-MISSING, RES-EXTRA, RES-PLACE, and drop-path: what is added to what."""

from __future__ import annotations

import numpy as np

from .cause import FITTED
from .squeeze import _told


def candidates(look, context):
    if look.last.op == "add":
        yield from _sum(look, context)
    elif look.last.op in ("batchnorm", "pointwise", "conv", "depthwise", "act"):
        yield from _extra(look, context)


def _sum(look, context):
    names = [name for name in look.last.inputs if name in look.segment.feeds]
    if len(names) < 2 or len(look.segment.parts) > 1:
        return
    arrays = [np.asarray(look.segment.feeds[name], np.float64) for name in names]
    later = max(names, key=lambda name: context.place.get(name, -1))
    for name, a in zip(names, arrays, strict=True):
        told = "the branch alone" if name == later else "the shortcut alone"
        yield _told("RES-MISSING", look, a, f"agrees with {told}, {name}")
        yield _told("RES-EXTRA", look, look.y + a, f"agrees with {name} added twice")
        yield _told("RES-PLACE", look, look.y - 2 * a, f"agrees with {name} subtracted")
        for other, b in _alike(context, a.shape, names, look):
            yield _told("RES-PLACE", look, look.y - a + b, f"agrees with {other} in the place of {name}")
    yield from _dropped(look, arrays, names, later)


def _dropped(look, arrays, names, later):
    """The branch of an image 0, or divided by what is kept: drop-path."""
    k = names.index(later)
    branch, rest = arrays[k], look.y - arrays[k]
    inner = (branch * branch).reshape(len(branch), -1).sum(axis=1)
    factors = ((look.came - rest) * branch).reshape(len(branch), -1).sum(axis=1) / np.where(inner > 0, inner, 1)
    kept = factors[np.abs(factors) > 1e-3]
    if len(kept) == len(factors) and np.allclose(factors, 1, rtol=1e-4):
        return
    if len(kept) == 0 or np.ptp(kept) > 1e-4 * kept.max() or kept.min() < 1 - 1e-4:
        return
    value = np.where(np.abs(factors) > 1e-3, kept.mean(), 0.0).reshape(-1, *[1] * (branch.ndim - 1))
    yield _told(
        "DROP-ACTIVE",
        look,
        rest + branch * value,
        f"agrees with the branch times {np.round(value.ravel(), 4).tolist()} by image",
        FITTED,
    )


def _extra(look, context):
    """An earlier tensor of the same shape added to what is no sum."""
    for name, a in _alike(context, look.came.shape, [], look):
        yield _told("RES-EXTRA", look, look.y + a, f"agrees with {name} added")


def _alike(context, shape, without, look):
    """Earlier captured tensors of that shape, nearest first."""
    place = context.place.get(look.last.name, len(context.parts))
    found = [
        (name, a)
        for name, a in context.tensors.items()
        if np.shape(a) == shape and name not in without and name != look.last.name and context.place.get(name, place) < place
    ]
    for name, a in sorted(found, key=lambda pair: -context.place.get(pair[0], 0))[:12]:
        yield name, np.asarray(a, np.float64)
