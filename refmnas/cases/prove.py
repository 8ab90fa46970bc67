"""What is claimed of a function, and the proof of it on one case.

    exact     on integers every text gives the oracle's values, to the last bit
    bound     on reals |got - oracle| <= bound, the bound derived, not tuned
    adjoint   <dy, A x> = <A' dy, x> for each factor that forward is linear in
    gradient  backward is the derivative of the oracle's forward (gradient.py)

Tests, selftest and the kits all walk these.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import NamedTuple

import numpy as np

from .. import kernels
from ..backend import C_DTYPES, TABLE, use
from ..bounds import allowed


def always(case):
    """Of every case."""
    return True


@dataclass(frozen=True)
class Claim:
    """What holds of one function of an op."""

    function: str  # "depthwise.backward"
    covers: Callable = always  # the cases that have a result at all
    exact: Callable | None = None  # the cases where integers in give the oracle's own bits
    backward_of: str | None = None  # the forward function that this is the backward of
    linear_in: tuple[str, ...] = ()  # the factors that forward is linear in, one by one
    has_gradient: Callable = always  # the cases where forward has a result to differentiate

    @property
    def takes(self):
        """Its arrays, by name and in order."""
        return takes(self.function)

    def bound(self, case, dtype, *arrays):
        """The allowed error of each result (refmnas.bounds)."""
        return allowed(self.function, arrays, options(self.function, case), dtype)


class Outcome(NamedTuple):
    """One property on one case."""

    holds: bool
    margin: float  # largest error / bound; 0 or inf for the properties without a bound
    detail: str


NOT_CLAIMED = Outcome(True, 0.0, "not claimed of this case")


def op(name):
    """The public function `depthwise.forward` of refmnas.ops."""
    module, function = name.split(".")
    return getattr(import_module(f"refmnas.ops.{module}"), function)


def oracle(name):
    """Its definition, in float64."""
    module, function = name.split(".")
    return getattr(import_module(f"refmnas.oracle.{module}"), function)


def implementations(name, dtype=np.float32):
    """(backend, instruction set or None) of every text of the function but the oracle, as built here."""
    yield "numpy", None
    if TABLE[name].c is not None and np.dtype(dtype) in C_DTYPES:
        for isa in kernels.isas():
            yield "c", isa


def on(isa):
    """Context: this instruction set; None leaves all as it is."""
    return nullcontext() if isa is None else kernels.select_isa(isa)


@lru_cache(maxsize=64)
def _names(name):
    """(arrays, options) that the function takes, by name."""
    parameters = inspect.signature(op(name)).parameters.values()
    keyword = inspect.Parameter.KEYWORD_ONLY
    return [p.name for p in parameters if p.kind is not keyword], [p.name for p in parameters if p.kind is keyword]


def takes(name):
    """The arrays that the function takes, by name and in order."""
    return tuple(_names(name)[0])


def takes_options(name):
    """The keyword options that the function takes, by name."""
    return tuple(_names(name)[1])


def options(name, case):
    """Those of the case's options that the function takes."""
    return {key: value for key, value in case.options().items() if key in _names(name)[1]}


def inputs(claim, case, data, dtype):
    """The arrays that the claim's function takes."""
    arrays = case.arrays(data, dtype)
    if "dy" in claim.takes:
        arrays["dy"] = case.gradient(case.result(), data, dtype)
    return [arrays[name] for name in claim.takes]


def results(y):
    """A result, or each of several, as a list."""
    return list(y) if isinstance(y, tuple) else [y]


def call(name, case, arrays, backend):
    """The function's results on `backend`, as a list."""
    with use(backend):
        return results(op(name)(*arrays, **options(name, case)))


@lru_cache(maxsize=16)
def _defined(claim, case, data, dtype, definition):
    """(arrays, the oracle's answers), kept while one case is run on every implementation."""
    arrays = inputs(claim, case, data, dtype)
    for a in arrays:
        if a is not None:
            a.flags.writeable = False
    return arrays, results(definition(*arrays, **options(claim.function, case)))


@lru_cache(maxsize=16)
def _allowed(claim, case, data, dtype, definition):
    arrays, _ = _defined(claim, case, data, dtype, definition)
    return claim.bound(case, dtype, *arrays)


def exactly(claim, case, backend, dtype=np.float32):
    """On integers: the oracle's values, the sign of zero aside."""
    if claim.exact is None or not (claim.covers(case) and claim.exact(case)):
        return NOT_CLAIMED
    arrays, want = _defined(claim, case, "integers", np.dtype(dtype), oracle(claim.function))
    got = call(claim.function, case, arrays, backend)
    for k, (g, w) in enumerate(zip(got, want, strict=True)):
        if g.dtype != dtype or not np.array_equal(g, w):
            return Outcome(False, np.inf, f"result {k} of {claim.function} differs from the oracle ({case})")
    return Outcome(True, 0.0, "")


def within_bound(claim, case, backend, dtype=np.float32, data="reals"):
    """On reals: within the derived bound; the margin is the largest error / bound."""
    if not claim.covers(case):
        return NOT_CLAIMED
    known = claim, case, data, np.dtype(dtype), oracle(claim.function)
    arrays, want = _defined(*known)
    got = call(claim.function, case, arrays, backend)
    worst = 0.0
    for g, w, b in zip(got, want, _allowed(*known), strict=True):
        worst = max(worst, largest_margin(g, w, b) if g.dtype == dtype else np.inf)
    return Outcome(worst <= 1, worst, "" if worst <= 1 else f"{claim.function}: margin {worst:.3g} > 1 ({case})")


def largest_margin(got, want, bound):
    """max |got - want| / bound; infinite where shapes differ, a value is NaN, or an error meets bound 0."""
    if got.shape != want.shape:
        return np.inf
    error = np.abs(got.astype(np.float64) - want)
    if not np.all(np.isfinite(error)):
        return np.inf
    bound = np.broadcast_to(bound, error.shape)
    if np.any(np.isnan(bound)) or np.any(error[bound == 0]):
        return np.inf
    inside = bound > 0
    return float(np.max(error[inside] / bound[inside], initial=0.0))


def adjointly(claim, case, backend, dtype=np.float32):
    """On integers: <dy, forward> = <gradient, factor> for each linear factor, exactly (without bias)."""
    if not claim.linear_in or not (claim.covers(case) and claim.exact(case)):
        return NOT_CLAIMED
    arrays = case.arrays("integers", dtype) | {"b": None}
    arrays["dy"] = case.gradient(case.result(), "integers", dtype)
    y = call(claim.backward_of, case, [arrays[n] for n in takes(claim.backward_of)], backend)[0]
    with use(backend):
        grads = op(claim.function)(*(arrays[n] for n in claim.takes), **options(claim.function, case))
    total = inner(arrays["dy"], y)
    for name in claim.linear_in:
        if inner(getattr(grads, name), arrays[name]) != total:
            return Outcome(False, np.inf, f"{claim.function}: <d{name}, {name}> != <dy, y> ({case})")
    return Outcome(True, 0.0, "")


def inner(a, b):
    """Sum of products in float64: in float32 it would leave the exact range."""
    return float(np.sum(a.astype(np.float64) * b.astype(np.float64)))
