"""Every property that is claimed of an op, on drawn cases, until one fails.

    first_failure(op, backend)   what failed, or None

`remembered()` keeps the oracles' answers while only other texts change: they are
the same for every fault, and take nearly all of the time.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial, wraps
from importlib import import_module
from typing import NamedTuple

import numpy as np

from refmnas.cases import CLAIMS, OPS, draw, prove
from refmnas.cases.gradient import by_differences

SEEDS = range(48)  # cases of each op; the small ones find most faults within the first few
MORE_SEEDS = range(48, 320)  # for what those do not find


class Failure(NamedTuple):
    """A property that does not hold."""

    property: str
    detail: str
    is_crash: bool  # an exception and not a wrong value


def properties(claim, backend):
    """(name, case -> Outcome) of everything claimed of one function."""
    both = (np.float32,) if backend == "c" else (np.float32, np.float64)
    for dtype in both:
        yield "exact", partial(prove.exactly, claim, backend=backend, dtype=dtype)
        yield "bound", partial(prove.within_bound, claim, backend=backend, dtype=dtype)
    yield "bound, hard data", partial(prove.within_bound, claim, backend=backend, data="hard")
    yield "adjoint", partial(prove.adjointly, claim, backend=backend)
    if backend != "c":
        yield "gradient", partial(by_differences, claim, backend=backend)


def cases(op, seeds=SEEDS):
    """The cases of `op`, small ones first."""
    return sorted((draw(op, seed) for seed in seeds), key=lambda case: case.macs())


def first_failure(op, backend, function=None, seeds=SEEDS):
    """The first property that does not hold: a Failure; None where all hold.

    `function` ("depthwise.backward") limits it to what is claimed of that one.
    An exception counts: a valid case must be answered.
    """
    wanted = [c for c in CLAIMS[op] if function in (None, c.function)]
    for case in cases(op, seeds):
        for claim in wanted:
            for name, holds in properties(claim, backend):
                try:
                    outcome = holds(case)
                except Exception as error:
                    return Failure(name, f"{type(error).__name__}: {error} ({case})", True)
                if not outcome.holds:
                    return Failure(name, outcome.detail, False)
    return None


@contextmanager
def remembered():
    """The oracles answer each question once, and from memory after that."""
    kept = {}
    for op in OPS:
        module = import_module(f"refmnas.oracle.{op}")
        for name, function in list(vars(module).items()):
            if callable(function) and not name.startswith("_") and function.__module__ == module.__name__:
                kept[module, name] = function
                setattr(module, name, _remembering(function))
    try:
        yield
    finally:
        for (module, name), function in kept.items():
            setattr(module, name, function)


def _remembering(function):
    answers = {}

    @wraps(function)
    def ask(*arrays, **options):
        key = (*map(_key, arrays), *((k, _key(v)) for k, v in sorted(options.items())))
        if key not in answers:
            answers[key] = function(*arrays, **options)
        return answers[key]

    return ask


def _key(value):
    if isinstance(value, np.ndarray):
        return value.shape, value.dtype.str, value.tobytes()
    return value
