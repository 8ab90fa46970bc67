"""A worked example: one tiny case of an op, each text's result, and the bound in numbers.

On whole numbers, so that a reader can follow with a pencil and all texts must agree
to the last bit; then on real numbers, where each text's error stands beside its bound.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module

import numpy as np

# What makes a case small enough for a page; every other field has its simplest value.
SMALL = {
    "conv": {"h": 3, "w": 3, "f": 2},
    "pointwise": {"h": 1, "w": 2, "c": 3, "d": 2},
    "linear": {"n": 2, "c": 3, "d": 2},
    "depthwise": {"h": 4, "w": 4, "c": 1},
    "activation": {"c": 9, "kind": "relu6"},
    "gate": {"c": 2},
    "pool": {"w": 3},
    "average_pool": {"h": 4, "w": 5, "kernel": (2, 2), "pad": (0, 0, 0, 1), "ceil": True},
    "max_pool": {"h": 4, "w": 4, "kernel": (2, 2)},
    "resize": {"h": 2, "w": 2, "size": (2, 4)},
    "concat": {},
    "softmax": {"n": 2, "k": 4},
    "batchnorm": {"n": 2, "h": 0, "c": 2},
    "softmax_xent": {"n": 2, "k": 4, "smoothing": 0.1},
    "dropout": {"n": 2, "c": 4, "seed": 10},
    "drop_path": {"n": 3, "h": 0, "seed": 8},
}
SEED = 1  # where the table does not say; masks want both numbers in them


@dataclass(frozen=True)
class Judged:
    """One text against the oracle on real numbers."""

    text: str  # numpy, or c and its instruction set
    error: float
    bound: float  # at the element with the largest margin
    margin: float  # error / bound there


@dataclass(frozen=True)
class Worked:
    """One function on one tiny case."""

    case: str
    inputs: dict[str, np.ndarray]
    options: dict[str, object]
    outputs: dict[str, np.ndarray]  # the oracle's
    terms: str  # one output written out, where the function is linear in its weights
    agree: list[str]  # the texts that gave exactly these outputs
    differ: list[str]
    judged: list[Judged]


def worked(op, function) -> Worked | None:
    """The example of `op.function`, or None where nothing is claimed of it."""
    from .. import cases
    from ..cases import prove

    if op not in cases.CASES:
        return None
    claims = {claim.function: claim for claim in import_module(f"refmnas.cases.{op}").CLAIMS}
    claim = claims.get(f"{op}.{function}")
    if claim is None:
        return None
    case = tiny(cases.CASES[op], op)
    arrays = prove.inputs(claim, case, "integers" if claim.exact and claim.exact(case) else "reals", np.float32)
    inputs = {k: a for k, a in zip(claim.takes, arrays, strict=True) if a is not None}
    want = prove.results(prove.oracle(claim.function)(*arrays, **prove.options(claim.function, case)))
    same: list[str] = []
    other: list[str] = []
    for text, backend in texts(claim.function):
        got = prove.call(claim.function, case, arrays, backend)
        equal = all(np.array_equal(g, w.astype(g.dtype)) for g, w in zip(got, want, strict=True))
        (same if equal else other).append(text)
    judged = [judge(claim, case, text, backend) for text, backend in texts(claim.function)]
    return Worked(
        str(case), inputs, prove.options(claim.function, case), dict(zip(fields(claim), want, strict=True)),
        _terms(claim, case, inputs, want[0]), same, other, judged,
    )  # fmt: skip


def tiny(case_class, op):
    """The simplest case of an op: the first value of each field's domain."""
    first = {name: domain[0] for name, domain in case_class.DOMAIN.items()}
    return replace(case_class(seed=SEED, **first), **SMALL.get(op, {}))


def texts(function):
    """(label, backend) of every text that this installation can run beside the oracle."""
    from .. import kernels
    from ..backend import TABLE

    found = [("NumPy", "numpy")]
    if TABLE[function].c is not None:
        found.append((f"C ({kernels.isa()})", "c"))
    return found


def fields(claim):
    """The names of a function's results: y, or the fields of its NamedTuple."""
    from ..backend import TABLE

    result = TABLE[claim.function].result
    if result is None:
        return ("y",)
    prefix = {"Grads": "d", "Running": "new "}.get(result.__name__, "")
    return tuple(prefix + name for name in result._fields)


def judge(claim, case, text, backend) -> Judged:
    """The largest error / bound of one text on real numbers, and both at that element."""
    from ..cases import prove

    arrays = prove.inputs(claim, case, "reals", np.float32)
    want = prove.results(prove.oracle(claim.function)(*arrays, **prove.options(claim.function, case)))
    allowed = prove.results(claim.bound(case, np.dtype(np.float32), *arrays))
    worst = Judged(text, 0.0, 0.0, 0.0)
    for got, w, bound in zip(prove.call(claim.function, case, arrays, backend), want, allowed, strict=True):
        error = np.abs(got.astype(np.float64) - w)
        bound = np.broadcast_to(bound, error.shape)
        margin = np.divide(error, bound, out=np.where(error > 0, np.inf, 0.0), where=bound > 0)
        if margin.size and margin.max() >= worst.margin:
            at = np.unravel_index(np.argmax(margin), margin.shape)
            worst = Judged(text, float(error[at]), float(bound[at]), float(margin[at]))
    return worst


def _terms(claim, case, inputs, y):
    """One output as its sum of products, found by the oracle itself: one weight at a time, the others 0."""
    from ..cases import prove

    if not claim.function.endswith(".forward") or "w" not in inputs or not claim.exact:
        return ""
    at = tuple(extent // 2 for extent in y.shape)
    definition, x, w = prove.oracle(claim.function), inputs["x"], inputs["w"]
    products = []
    for index in np.ndindex(w.shape):
        alone = np.zeros_like(w)
        alone[index] = 1
        factor = definition(x, alone, None, **prove.options(claim.function, case))[at]
        if factor:
            products.append(f"{factor:g}*{_signed(w[index])}")
    bias = f"{inputs['b'][at[-1]]:g} + " if "b" in inputs else ""
    return f"y[{','.join(map(str, at))}] = {bias}{' + '.join(products)} = {y[at]:g}"


def _signed(number):
    return f"({number:g})" if number < 0 else f"{number:g}"
