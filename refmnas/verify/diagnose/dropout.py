"""DROP-ACTIVE before a dense layer: a mask of zeros and 1 / (1 - p) on its input, solved for on all outputs.

    came - b = (m x / (1 - p)) w,   m in {0, 1}                                      (1)

has more unknowns than outputs, but they are bounded: the point of the box [0, 1] that fulfils (1) is
unique long before there are as many equations as unknowns, and it is found by projections in turn.

Source: Donoho and Tanner 2010, Counting the faces of randomly-projected hypercubes, for the uniqueness.
"""

from __future__ import annotations

import numpy as np

from .cause import FITTED, Candidate

_RATES = (0.2, 0.5, 0.1, 0.3, 0.4, 0.25)
_ROUNDS = 300


def candidates(look, context):
    """None: all is solved for."""
    return iter(())


def fits(look, context):
    for part in look.part("linear"):
        name = part.inputs[0]
        if part is not look.last or name not in look.segment.feeds:
            continue
        x = np.asarray(look.segment.feeds[name], np.float64)
        few = part.arrays["w"].shape[1] < 0.4 * part.arrays["w"].shape[0]  # too few equations for one answer
        if x.ndim != 2 or few or part.name in context.roles or look.bad.mean() < 0.2:
            continue
        first = _Row(part, x[0], look.came[0])
        rate = next((r for r in _RATES if first.mask(r) is not None), None)
        mask = None if rate is None else _mask(part, x, look.came, rate)
        if mask is not None:
            told = f"agrees with {1 - mask.mean():.0%} of its input 0 and the rest times {1 / (1 - rate):.4g}"
            yield Candidate("DROP-ACTIVE", look.with_feed(name, x * mask / (1 - rate)), told, FITTED)


def _mask(part, x, came, rate):
    """Zeros and ones, or None where the box does not reach what came."""
    found = [_Row(part, row, y).mask(rate) for row, y in zip(x, came, strict=True)]
    if any(m is None for m in found) or np.min(found) == 1:
        return None
    return np.array(found)


class _Row:
    """Equation (1) for one image; entries that are 0 themselves are left out."""

    def __init__(self, part, row, came):
        self.used = np.abs(row) > 1e-7 * np.abs(row).max()
        self.a = (row[self.used, None] * part.arrays["w"][self.used]).T  # (D, used)
        self.inverse = np.linalg.pinv(self.a, rcond=1e-10)
        self.wanted = came - part.arrays.get("b", 0.0)

    def mask(self, rate):
        u = _boxed(self.a, self.inverse, self.wanted * (1 - rate))
        if u is None:
            return None
        found = np.ones(self.used.shape)
        found[self.used] = u
        return found


def _boxed(a, inverse, wanted):
    """u in {0, 1} with a u = wanted, by projections (Douglas and Rachford's) on the plane and the box."""
    z = np.full(a.shape[1], 0.5)
    scale = np.abs(wanted).max()
    for step in range(_ROUNDS):
        u = np.clip(z, 0, 1)
        if step % 20 == 0:
            sharp = (u > 0.5).astype(float)
            if np.abs(a @ sharp - wanted).max() < 1e-4 * scale:
                return sharp
        mirrored = 2 * u - z
        z = z + (mirrored + inverse @ (wanted - a @ mirrored)) - u
    return None
