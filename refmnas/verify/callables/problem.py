"""One problem for a kernel: a case, its data, a layout; and the answer with its bound.

The search judges by the NumPy reference in float64, which is fast; its own rounding is
added to the bound.  What is accused is proved by the oracle (`proved`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ... import layout as layouts
from ...backend import TABLE
from ...bounds import allowed
from ...cases import CLAIMS, prove
from . import data as kinds_of_data

KEPT = ("x", "dy", "w", "b", "g", "a")  # the arrays whose elements may be set to 0


def claim_of(function):
    """What is claimed of a function."""
    op = function.partition(".")[0]
    return next(claim for claim in CLAIMS[op] if claim.function == function)


def names_of_results(function):
    """("y",), or ("dx", "dw", "db"), or batch norm's own names."""
    fields = TABLE[function].result._fields if TABLE[function].result else ("y",)
    return tuple(f"d{name}" for name in fields) if "backward" in function else tuple(fields)


def float64(a):
    """Reals in float64, everything else as it is."""
    return a.astype(np.float64) if a is not None and a.dtype.kind == "f" else a


def reference(function):
    """The NumPy reference, as a function of arrays and options, whatever backend is in use."""

    def run(*arrays, **options):
        with prove.use("numpy"):
            return prove.op(function)(*arrays, **options)

    return run


@dataclass(frozen=True)
class Problem:
    """`keep`: array -> flat places (NHWC) of the elements that are not set to 0; arrays not named keep all."""

    function: str
    case: object
    data: str
    layout: str = "NHWC"
    keep: tuple[tuple[str, tuple[int, ...]], ...] = ()

    @property
    def claim(self):
        return claim_of(self.function)

    def smaller(self, **fields):
        """The same with other fields of the case."""
        return replace(self, case=replace(self.case, **fields))

    def keeping(self, name, places):
        """The same with only these elements of one array."""
        return replace(self, keep=tuple(sorted((dict(self.keep) | {name: tuple(places)}).items())))

    def is_valid(self):
        """Whether there is a result, of images where the layout is not our own."""
        case = self.case
        if not (case.is_valid() and self.claim.covers(case) and self.data in kinds_of_data.kinds(self.claim, case)):
            return False
        if self.layout == "NHWC":
            return True
        shapes = {**case.shapes(), "dy": case.result()}
        turns = zip(self.claim.takes, TABLE[self.function].turns, strict=True)
        return all(len(shapes[name]) == 4 for name, kind in turns if kind == layouts.IMAGE)

    @property
    def options(self):
        """The keyword options of the call."""
        return prove.options(self.function, self.case)

    @cached_property
    def ours(self):
        """{name: array}, NHWC."""
        given = kinds_of_data.arrays(self.claim, self.case, self.data)
        for name, places in self.keep:
            kept = np.zeros_like(given[name])
            kept.flat[list(places)] = given[name].flat[list(places)]
            given[name] = kept
        return given

    @cached_property
    def arrays(self):
        """{name: array} in the layout of the kernel, contiguous there."""
        return dict(zip(self.ours, self.turned(self.ours.values(), TABLE[self.function].turns), strict=True))

    def turned(self, arrays, kinds):
        """Arrays of ours in the kernel's layout."""
        if self.layout == "NHWC":
            return list(arrays)
        return [None if a is None else np.ascontiguousarray(layouts.from_nhwc(kind, a))
                for a, kind in zip(arrays, kinds, strict=True)]  # fmt: skip

    def turned_back(self, results):
        """Results of ours in the kernel's layout."""
        gives = TABLE[self.function].gives
        return self.turned(results, gives if isinstance(gives, tuple) else (gives,) * len(results))

    @property
    def is_exact(self):
        """Whether every order of summation gives the same bits."""
        return self.data == "integers" and self.claim.exact is not None and bool(self.claim.exact(self.case))

    @cached_property
    def want(self):
        """([answer], [bound]) in float64 and in the kernel's layout, by the reference."""
        return self._want(reference(self.function))

    def proved(self):
        """The same by the oracle's scalar loops."""
        return self._want(prove.oracle(self.function))

    def _want(self, definition):
        given = [float64(a) for a in self.ours.values()]
        want = prove.results(definition(*given, **self.options))
        return self.turned_back(want), self.turned_back(self.bounds(given, self.options, want, definition))

    def bounds(self, given, options, want, definition):
        """float32's bound of each result, and float64's on top of it: the reference rounds too."""
        return [np.zeros(w.shape) for w in want] if self.is_exact else self._bounds(given, options, want, definition)

    @cached_property
    def real_want(self):
        """`want`, with the bound of reals where the problem is one of whole numbers."""
        given, want = [float64(a) for a in self.ours.values()], self._reference_answers
        return self.turned_back(want), self.turned_back(self._bounds(given, self.options, want, reference(self.function)))

    @property
    def _reference_answers(self):
        given = [float64(a) for a in self.ours.values()]
        return prove.results(reference(self.function)(*given, **self.options))

    def _bounds(self, given, options, want, definition):
        definition = _remembering(definition)
        with np.errstate(all="ignore"):
            sums = [allowed(self.function, given, options, dtype, definition) for dtype in (np.float32, np.float64)]
            return [np.broadcast_to(single + double, w.shape) for single, double, w in zip(*sums, want, strict=True)]


def _remembering(definition):
    """The same function, computed once where it is asked for the same values again."""
    known = {}

    def run(*arrays, **options):
        key = tuple(None if a is None else a.tobytes() for a in arrays)
        if key not in known:
            known[key] = definition(*arrays, **options)
        return known[key]

    return run


def margins(got, want, bound):
    """|got - want| / bound per element; infinite where got is not finite, or an error meets the bound 0."""
    with np.errstate(all="ignore"):
        error = np.abs(got.astype(np.float64) - want)
        margin = np.where(error == 0, 0.0, error / bound)
    return np.where(np.isnan(error) | np.isnan(margin) | ~np.isfinite(got), np.inf, margin)
