"""One problem put to a kernel: the contract, then the values, as a Failure or as a margin."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .contract import Form
from .problem import margins, names_of_results

# What is wrong with the values; all else is what is wrong with the call.
VALUES = ("WRONG-VALUES", "NOT-FINITE")


class Failure(NamedTuple):
    """`code` and words; for wrong values the worst element, in the kernel's own layout."""

    code: str
    words: str
    also: tuple[str, ...] = ()
    result: str = ""
    at: tuple[int, ...] = ()
    came: float = 0.0
    want: float = 0.0
    bound: float = 0.0
    margin: float = 0.0
    bad: int = 0
    size: int = 0
    wrong: object = None  # {result: (what came, mask of the wrong elements)}


class Judged(NamedTuple):
    """What came of one problem."""

    failure: Failure | None
    margin: float
    declined: str = ""
    absent: tuple[str, ...] = ()  # results that the kernel does not compute


def judge(problem, runner, takes_out=False, is_repeatable=True, want=None):
    """Run it and compare; `want` is the answer where it is known already."""
    answers, bounds = problem.want if want is None else want
    names = names_of_results(problem.function)
    form = Form(names, tuple(a.shape for a in answers), takes_out, is_repeatable)
    seen = runner.seen(list(problem.arrays.values()), problem.options, form)
    if seen.declined:
        return Judged(None, 0.0, declined=seen.declined)
    also = tuple(code for code, _ in seen.faults[1:])
    if seen.results is None:
        code, words = seen.faults[0]
        return Judged(Failure(code, words, also), np.inf)
    absent = tuple(name for name, a in zip(names, seen.results, strict=True) if a is None)
    values, margin = _values(problem, names, seen.results, answers, bounds)
    if seen.faults:
        code, words = seen.faults[0]
        more = also + ((values.code,) if values else ())
        return Judged(Failure(code, words, more), margin, absent=absent)
    return Judged(values, margin, absent=absent)


def _values(problem, names, results, answers, bounds):
    """(Failure or None, the largest margin)."""
    worst, largest, wrong = None, 0.0, {}
    for name, got, want, bound in zip(names, results, answers, bounds, strict=True):
        if got is None or got.size == 0:
            continue
        margin = margins(got, want, bound)
        at = np.unravel_index(int(np.argmax(margin)), margin.shape)
        if margin[at] > 1:
            wrong[name] = (got, margin > 1)
        if margin[at] > largest or worst is None:
            largest = max(largest, float(margin[at]))
            worst = name, tuple(map(int, at)), got, want, np.broadcast_to(bound, want.shape), margin
    if worst is None or largest <= 1:
        return None, largest
    name, at, got, want, bound, margin = worst
    code = "NOT-FINITE" if not np.isfinite(got[at]) else "WRONG-VALUES"
    bad = int(np.count_nonzero(margin > 1))
    words = f"{name}{list(at)} is {got[at]:.9g}, wanted {want[at]:.9g} +- {bound[at]:.3g}; {bad} of {got.size} elements wrong"
    return Failure(code, words, (), name, at, float(got[at]), float(want[at]), float(bound[at]), largest, bad, got.size,
                   wrong), largest  # fmt: skip
