"""TILE, TAIL, UNKNOWN: by where the bad elements lie, when no re-run explains them."""

from __future__ import annotations

import numpy as np

from .cause import SIGNATURE, Candidate

_LANES = 16


def signature(look):
    """The one candidate that is always told."""
    bad, share = look.bad, float(look.bad.mean())
    if not bad.any():
        told = "no cause that was tried explains it; no element is beyond its bound, a statistical test alone refuses them"
        return Candidate("UNKNOWN", None, told, SIGNATURE, margin=1.0)
    told = _suffix(bad)
    if told is not None:
        return Candidate("TAIL", None, f"only {told} are wrong", SIGNATURE, margin=1.0)
    if share < 0.25 or _block(bad):
        return Candidate(
            "TILE", None, f"{int(bad.sum())} of {bad.size} elements are wrong, {_where(bad)}", SIGNATURE, margin=1.0
        )
    return Candidate(
        "UNKNOWN", None, f"no cause that was tried explains it; {share:.1%} of the elements are wrong", SIGNATURE, margin=1.0
    )


def _suffix(bad):
    """The last few channels, columns or rows, most of them wrong, and nothing else."""
    names = {3: "channels", 2: "columns", 1: "rows"} if bad.ndim == 4 else {1: "channels"}
    for axis, name in names.items():
        rest = tuple(k for k in range(bad.ndim) if k != axis)
        wrong = bad.mean(axis=rest)
        which = np.flatnonzero(wrong > 0)
        count = len(wrong) - which[0] if len(which) else 0
        if 0 < count < min(_LANES, len(wrong)) and count == len(which) and wrong[which].min() > 0.3 and bad.sum() > count:
            return f"the last {count} {name}"
    return None


def _block(bad):
    """Whether the bad elements fill a box that is smaller than the array."""
    where = np.nonzero(bad)
    extents = [int(w.max() - w.min()) + 1 for w in where]
    box = int(np.prod(extents))
    return box < 0.7 * bad.size and bad.sum() > 0.5 * box


def _where(bad):
    return ", ".join(f"{w.min()}..{w.max()}" for w in np.nonzero(bad))
