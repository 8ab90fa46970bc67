"""The criteria that people compare tensors by.

allclose   |came - y| <= atol + rtol |y|, every element            (1)
cosine     <y, came> / (|y| |came|) >= C, every image              (2)
top-1      the largest logit is the same one, every image          (3)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...errors import SpecError


@dataclass(frozen=True)
class Criterion:
    """`sees(y, came)` is True where the criterion refuses what came; `of_layers`: it has a meaning for any tensor."""

    name: str
    sees: Callable
    of_layers: bool = True


def criteria(*, rtol=None, atol=None, cosine=None, top1=False):
    """The criteria asked for, as a tuple; of rtol and atol the one not given is 0.

    Raises   SpecError where none is given; for an rtol or atol that is negative or not finite, and a cosine outside [-1, 1].

    >>> [c.name for c in criteria(rtol=1e-3, cosine=0.999)]
    ['allclose(rtol 0.001, atol 0)', 'cosine >= 0.999']
    """
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value is not None and not (np.isfinite(value) and value >= 0):
            raise SpecError(f"verify: {name} is {value:g}, wanted a finite number of at least 0")
    if cosine is not None and not -1 <= cosine <= 1:
        raise SpecError(f"verify: cosine is {cosine:g}, wanted a number from -1 to 1")
    found = []
    if rtol is not None or atol is not None:
        found.append(_allclose(rtol or 0.0, atol or 0.0))
    if cosine is not None:
        found.append(Criterion(f"cosine >= {cosine:g}", lambda y, came: not least_cosine(y, came) >= cosine))
    if top1:
        found.append(Criterion("top-1", lambda y, came: not np.array_equal(y.argmax(-1), came.argmax(-1)), of_layers=False))
    if not found:
        raise SpecError("verify: no criterion, wanted at least one of rtol, atol, cosine, top1")
    return tuple(found)


def _allclose(rtol, atol):
    def sees(y, came):
        with np.errstate(invalid="ignore", over="ignore"):
            return not bool((np.abs(came - y) <= atol + rtol * np.abs(y)).all())

    return Criterion(f"allclose(rtol {rtol:g}, atol {atol:g})", sees)


def least_cosine(y, came):
    """Equation (2)'s left side, the least of all images; two tensors of zeros are alike.

    >>> least_cosine(np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[1.0, 0.0], [0.0, 1.0]]))
    1.0
    """
    y, came = (np.asarray(a, np.float64).reshape(len(a), -1) for a in (y, came))
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        norms = np.linalg.norm(y, axis=1) * np.linalg.norm(came, axis=1)
        found = np.where((y == came).all(axis=1), 1.0, (y * came).sum(axis=1) / norms)
    return float(found.min(initial=1.0))
