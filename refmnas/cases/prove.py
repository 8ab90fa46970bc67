"""What is claimed of a function, and the proof of it on one case.

    exact     on integers every text gives the oracle's values, to the last bit
    bound     on reals |got - oracle| <= bound, the bound derived, not tuned
    adjoint   <dy, A x> = <A' dy, x> for each factor that forward is linear in

Tests, selftest and the kits all walk these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import NamedTuple

import numpy as np

from ..backend import use


@dataclass(frozen=True)
class Claim:
    """What holds of one function of an op."""

    function: str  # "depthwise.backward"
    takes: tuple[str, ...]  # its arrays, by name; "dy" is drawn with forward's output shape
    bound: Callable  # (case, dtype, *arrays) -> allowed error of each result
    exact: bool = False  # integers in, the oracle's own bits out
    adjoint_of: str | None = None  # the forward function that this is the backward of
    linear_in: tuple[str, ...] = ()  # the factors that forward is linear in, one by one


class Outcome(NamedTuple):
    """One property on one case."""

    holds: bool
    margin: float  # largest error / bound; 0 or inf for the properties without a bound
    detail: str


def op(name):
    """The public function `depthwise.forward` of refmnas.ops."""
    module, function = name.split(".")
    return getattr(import_module(f"refmnas.ops.{module}"), function)


def oracle(name):
    """Its definition, in float64."""
    module, function = name.split(".")
    return getattr(import_module(f"refmnas.oracle.{module}"), function)


def inputs(claim, case, data, dtype):
    """The arrays that the claim's function takes."""
    arrays = case.arrays(data, dtype)
    if "dy" in claim.takes:
        forward = claim.adjoint_of
        y = oracle(forward)(*arrays.values(), **case.options())
        arrays["dy"] = case.gradient(y.shape, data, dtype)
    return [arrays[name] for name in claim.takes]


def results(y):
    """A result, or each of several, as a list."""
    return list(y) if isinstance(y, tuple) else [y]


def call(name, case, arrays, backend):
    """The function's results on `backend`, as a list."""
    with use(backend):
        return results(op(name)(*arrays, **case.options()))


def exactly(claim, case, backend, dtype=np.float32):
    """On integers: the oracle's values, the sign of zero aside."""
    arrays = inputs(claim, case, "integers", dtype)
    want = results(oracle(claim.function)(*arrays, **case.options()))
    got = call(claim.function, case, arrays, backend)
    for k, (g, w) in enumerate(zip(got, want, strict=True)):
        if g.shape != w.shape or not np.array_equal(g, w):
            return Outcome(False, np.inf, f"result {k} of {claim.function} differs from the oracle ({case})")
    return Outcome(True, 0.0, "")


def within_bound(claim, case, backend, dtype=np.float32, data="reals"):
    """On reals: within the derived bound; the margin is the largest error / bound."""
    arrays = inputs(claim, case, data, dtype)
    want = results(oracle(claim.function)(*arrays, **case.options()))
    allowed = results(claim.bound(case, np.dtype(dtype), *arrays))
    got = call(claim.function, case, arrays, backend)
    worst = 0.0
    for g, w, b in zip(got, want, allowed, strict=True):
        worst = max(worst, largest_margin(g, w, b))
    return Outcome(worst <= 1, worst, "" if worst <= 1 else f"{claim.function}: margin {worst:.3g} > 1 ({case})")


def largest_margin(got, want, bound):
    """max |got - want| / bound; infinite where shapes differ, a value is NaN, or an error meets bound 0."""
    if got.shape != want.shape:
        return np.inf
    error = np.abs(got.astype(np.float64) - want)
    if not np.all(np.isfinite(error)):
        return np.inf
    bound = np.broadcast_to(bound, error.shape)
    if np.any(error[bound == 0]):
        return np.inf
    inside = bound > 0
    return float(np.max(error[inside] / bound[inside], initial=0.0))


def adjointly(claim, case, backend, dtype=np.float32):
    """On integers: <dy, forward> = <gradient, factor> for each linear factor, exactly (without bias)."""
    arrays = case.arrays("integers", dtype) | {"b": None}
    names = [name for name in case.shapes()]
    y = call(claim.adjoint_of, case, [arrays[n] for n in names], backend)[0]
    arrays["dy"] = case.gradient(y.shape, "integers", dtype)
    with use(backend):
        grads = op(claim.function)(*(arrays[n] for n in claim.takes), **case.options())
    total = inner(arrays["dy"], y)
    for name in claim.linear_in:
        if inner(getattr(grads, name), arrays[name]) != total:
            return Outcome(False, np.inf, f"{claim.function}: <d{name}, {name}> != <dy, y> ({case})")
    return Outcome(True, 0.0, "")


def inner(a, b):
    """Sum of products in float64: in float32 it would leave the exact range."""
    return float(np.sum(a.astype(np.float64) * b.astype(np.float64)))
