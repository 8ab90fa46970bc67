"""A captured tensor, and the parts between it and the captured tensors that determine it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import adjoint
from .claim import FLOAT32, Claim
from .follow import follow
from .known import Known
from .part import Part, is_gradient

# The reference itself rounds to float64: of a bound gamma_n in float32 its share is 2^-29; this covers it.
_REFERENCE = 1 + 2.0**-28


@dataclass(frozen=True, eq=False)
class Segment:
    """`parts` in order of computation; the last one's result is what came.

    feeds   {name of a part or IMAGE: array}, channels last: what the implementation fed the first parts
    came    its result, channels last
    """

    name: str
    parts: tuple[Part, ...]
    feeds: dict[str, np.ndarray]
    came: np.ndarray
    claim: Claim = FLOAT32


def followed(segment):
    """The last part's `Known`; those that nobody reads any more are let go."""
    values = {name: Known(np.asarray(a, np.float64)) for name, a in segment.feeds.items()}
    last = {name: part.name for part in segment.parts for name in part.inputs}
    with np.errstate(invalid="ignore", over="ignore"):
        for part in segment.parts:
            step = adjoint.follow if is_gradient(part) else follow
            values[part.name] = step(part, [values[name] for name in part.inputs], segment.claim)
            for name in part.inputs:
                if last[name] == part.name:
                    values.pop(name, None)
    return values[segment.parts[-1].name]


def bounded(known):
    """(y, error) of a `Known`, arrays of one shape: the reference and how far a sound result may be from it."""
    error = np.zeros(known.value.shape) if known.error is None else np.broadcast_to(known.error * _REFERENCE, known.value.shape)
    return known.value, error


def expected(segment):
    """(y, error): the float64 reference of the segment's result and a bound for each element."""
    return bounded(followed(segment))


def ratios(y, error, came):
    """|came - y| / error, elementwise: 0 where both are 0, infinite where came is not finite and y is.

    Elements that are not finite in y, or equal in both, say nothing: 0.
    """
    came = np.asarray(came, np.float64)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        off = np.abs(came - y)
        found = np.where(off == 0, 0.0, off / error)
    found = np.where(np.isfinite(came), found, np.inf)
    return np.where(np.isfinite(y), np.nan_to_num(found, nan=0.0, posinf=np.inf), 0.0)


def margin(segment):
    """The largest of `ratios`: above 1 the deviation is proven to be no rounding."""
    y, error = expected(segment)
    return float(ratios(y, error, segment.came).max(initial=0.0))
