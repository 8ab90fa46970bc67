"""A failing problem made as small as it can be while it fails in the same way.

First the case: batch, extents, channels, kernel and options, each as small as it goes, round
after round.  Then the data: elements are set to 0 as long as it still fails, in halves, then
in quarters, down to single ones.
"""

from __future__ import annotations

import time
from dataclasses import fields

import numpy as np

from .problem import KEPT

_FIRST = ("n", "h", "w", "c", "d", "k", "groups", "f", "o", "first", "second")  # the others follow
_FIXED = ("seed", "eps", "momentum", "rate", "smoothing", "kind", "kink", "mode", "places", "rounding", "scale")


def shrunk(problem, fails, seconds, of_values):
    """The smallest problem found for which `fails(problem)` still holds; its data where they matter."""
    end = time.monotonic() + seconds
    problem = _case(problem, fails, end)
    return _data(problem, fails, end) if of_values else problem


def _case(problem, fails, end):
    names = [f.name for f in fields(problem.case) if f.name not in _FIXED]
    names.sort(key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    moved = True
    while moved:
        moved = False
        for name in names:
            for value in _smaller(getattr(problem.case, name), problem.case.DOMAIN[name]):
                if time.monotonic() > end:
                    return problem
                candidate = problem.smaller(**{name: value})
                if candidate.is_valid() and fails(candidate):
                    problem, moved = candidate, True
                    break
    return problem


def _smaller(value, domain):
    """Simpler values of a field, simplest first; none below the least of its domain."""
    if isinstance(value, bool):
        return [False] if value else []
    if isinstance(value, tuple):
        flat = tuple(v for each in domain for v in each)
        least = tuple(min(flat) for _ in value)
        steps = [(*value[:k], less, *value[k + 1 :]) for k, v in enumerate(value) for less in _smaller(v, flat)]
        return [v for v in (least, *steps) if v != value]
    least = min(domain)
    found = (least, 1, value // 2, value - value // 4, value - 1)
    return list(dict.fromkeys(v for v in found if least <= v < value))


def _data(problem, fails, end):
    for name in [name for name, a in problem.ours.items() if name in KEPT and a is not None and a.dtype.kind == "f"]:
        problem = _array(problem, name, fails, end)
    return problem


def _array(problem, name, fails, end):
    """As few elements of one array as fail; none where it does not matter."""
    places = list(map(int, np.flatnonzero(problem.ours[name])))
    chunk = len(places)
    while chunk:
        at = 0
        while at < len(places):
            if time.monotonic() > end:
                return problem
            rest = places[:at] + places[at + chunk :]
            candidate = problem.keeping(name, rest)
            if fails(candidate):
                problem, places = candidate, rest
            else:
                at += chunk
        chunk //= 2
    return problem
