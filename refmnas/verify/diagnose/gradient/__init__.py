"""Why a gradient deviates: every candidate cause is re-run by the reference on the failing segment alone.

explained(segment, context, first, only_fits)   as `diagnose.search.explained`, which it stands for
"""

from __future__ import annotations

from itertools import chain

import numpy as np

from ....errors import RefmnasError
from ..look import Look
from ..structure import signature
from . import act, norm, number, way, window

FAMILIES = (act, norm, way, window, number)


def explained(segment, context, _first=(), *, only_fits=False):
    """The candidates that bring the margin to at most 1, best first; never empty: at least a signature."""
    look, best = Look(segment), {}
    for candidate in chain.from_iterable(_guarded(family.candidates, look) for family in FAMILIES):
        if candidate.code not in best and not only_fits and _explains(look, candidate):
            best[candidate.code] = candidate
    return sorted(best.values(), key=lambda c: c.tier) or [signature(look)]


def _guarded(make, look):
    try:
        yield from make(look)
    except (RefmnasError, np.linalg.LinAlgError):
        return


def _explains(look, candidate):
    is_statistical = not look.bad.any()
    if candidate.margin is not None:  # that all results are of a narrow type is proof enough
        return candidate.margin <= 1 and (not is_statistical or candidate.code.startswith("PREC"))
    try:
        return look.full(candidate.segment) <= 1 and (not is_statistical or look.passes(candidate.segment))
    except (RefmnasError, ValueError):
        return False
