"""All families of causes on one failing segment, cheapest first."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from ...errors import RefmnasError
from . import activation, bypass, dropout, image, layout, norm, precision, residual, squeeze, weights, window
from .cause import CONVENTION, FITTED, Candidate
from .look import Look
from .structure import signature

FAMILIES = (image, activation, bypass, norm, squeeze, residual, window, precision, layout, weights, dropout)
_CONVENTIONS = (activation, norm)  # families with cheap conventions


def explained(segment, context, first=(), *, only_fits=False) -> list[Candidate]:
    """The candidates that bring the margin to at most 1, best first; never empty: at least a signature.

    `first`: codes that explained other layers of the run.  Where one of them explains this layer by a re-run,
    nothing else is tried: a fault of a whole family is found once.
    `only_fits`: conventions and fits alone, for a run where layer after layer was not explained by any re-run.
    """
    look = Look(segment)
    look.is_network = context.net is not None
    found = list(_known(look, context, first)) or list(_all(look, context, only_fits))
    if not found:
        return [signature(look)]
    best: dict[str, Candidate] = {}
    for candidate in found:
        if candidate.code not in best or candidate.tier < best[candidate.code].tier:
            best[candidate.code] = candidate
    return sorted(best.values(), key=lambda c: c.tier)


def _known(look, context, first):
    """The candidates of codes that are known already, re-runs alone."""
    if not first:
        return
    for candidate in _candidates(look, context):
        if candidate.code in first and candidate.tier < FITTED and _explains(look, candidate):
            yield candidate
            return


def _all(look, context, only_fits) -> Iterator[Candidate]:
    """Family by family; a convention that explains ends it; fitted causes only where nothing else explains."""
    found = False
    for family in _CONVENTIONS if only_fits else FAMILIES:
        best = FITTED
        for candidate in _guarded(family.candidates, look, context):
            if (candidate.tier == CONVENTION or not only_fits) and _explains(look, candidate):
                best, found = min(best, candidate.tier), True
                yield candidate
        if best == CONVENTION:
            return
    for family in () if found else FAMILIES:
        if hasattr(family, "fits"):
            yield from (c for c in _guarded(family.fits, look, context) if _explains(look, c))


def _candidates(look, context):
    return chain.from_iterable(_guarded(family.candidates, look, context) for family in FAMILIES)


def _guarded(make, look, context):
    """A family's candidates, as far as they can be made."""
    try:
        yield from make(look, context)
    except (RefmnasError, np.linalg.LinAlgError):
        return


def _explains(look, candidate):
    """Whether a candidate mends what failed: the margin, or where no element is bad the statistical tests."""
    is_statistical = not look.bad.any()
    if candidate.margin is not None:
        return candidate.margin <= 1 and not is_statistical
    try:
        found = look.quick(candidate.segment) <= 1 and look.full(candidate.segment) <= 1
        return found and (not is_statistical or look.passes(candidate.segment))
    except RefmnasError:
        return False
