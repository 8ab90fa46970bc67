"""The fourth property: backward is the derivative of forward, in float64.

    phi(t) = <dy, forward(a + t v)>,   D(h) = (phi(h) - phi(-h)) / (2 h)              (1)
    phi'(0) = (4 D(h / 2) - D(h)) / 3 + O(h^4) = sum of <gradient, v>                 (2)

with v a random direction in all factors at once, 0 where x is within 2 h of a kink.
forward is the oracle's.  The difference of both sides of (2) may be

    3 e / h             what forward's own rounding, e in phi, becomes in (2)
    |D(h) - D(h / 2)|   three quarters of the h^2 term, which (2) has removed: what is
                        left is smaller by another h^2
    sum bound |v|       the rounding of the gradients

Nothing else is rounded: a, h and v have few enough bits for a + h v to be exact.
"""

from __future__ import annotations

import numpy as np

from ..backend import use
from ..bounds import UNIT, allowed
from .base import values
from .prove import NOT_CLAIMED, Outcome, inner, op, options, oracle, takes

H = 2.0**-10


def by_differences(claim, case, backend):
    """Equation (2) on one case; the margin is the difference / what is allowed."""
    if claim.backward_of is None or not (claim.covers(case) and claim.has_gradient(case)):
        return NOT_CLAIMED
    arrays = case.arrays("reals", np.float64)
    arrays["dy"] = case.gradient(case.result(), "reals", np.float64)
    given = [arrays[name] for name in claim.takes]
    with use(backend):
        grads = op(claim.function)(*given, **options(claim.function, case))
    bounds = allowed(claim.function, given, options(claim.function, case))
    factors = [name for name in grads._fields if arrays[name] is not None]
    ways = {name: _direction(case, name, arrays[name], k) for k, name in enumerate(factors)}
    phi, noise = _phi(claim.backward_of, case, arrays, ways)
    wide, narrow = (phi(H) - phi(-H)) / (2 * H), (phi(H / 2) - phi(-H / 2)) / H
    off = sum(inner(getattr(grads, name), v) for name, v in ways.items()) - (4 * narrow - wide) / 3
    slack = 3 * noise / H + abs(wide - narrow)
    slack += sum(float(np.sum(b * abs(ways[n]))) for n, b in zip(grads._fields, bounds, strict=True) if n in ways)
    margin = abs(off) / slack if slack else (np.inf if off else 0.0)
    detail = "" if margin <= 1 else f"{claim.function}: off by {off:.3g}, allowed {slack:.3g} ({case})"
    return Outcome(margin <= 1, margin, detail)


def _direction(case, name, a, number):
    """v for one factor: values in [-1, 1), and 0 next to a kink."""
    v = values(a.shape, case.seed * 64 + 48 + number)
    if name == "x":
        for kink in case.kinks():
            v = np.where(np.abs(a - kink) <= 2 * H, 0.0, v)
    return v


def _phi(forward, case, arrays, ways):
    """(phi of equation (1), the error of its value)."""
    names, given = takes(forward), options(forward, case)

    def at(t):
        moved = arrays | {name: arrays[name] + t * v for name, v in ways.items()}
        y = oracle(forward)(*(moved[name] for name in names), **given)
        return y[0] if isinstance(y, tuple) else y

    def phi(t):
        return inner(arrays["dy"], at(t))

    bound = allowed(forward, [arrays[name] for name in names], given)[0]
    size = abs(arrays["dy"])
    # Twice the bound at t = 0: it grows by less than that within h; and the sum of phi itself.
    noise = float(np.sum(size * (2 * bound + size.size * UNIT[np.dtype(np.float64)] * 2 * abs(at(0.0)))))
    return phi, noise
