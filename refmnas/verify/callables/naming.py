"""What a wrong answer looks like: causes that are re-run by the reference, then signatures of place.

A cause is named where the changed problem's answer explains every wrong result to within the
float32 bound; the place of the wrong elements is described in any case.
"""

from __future__ import annotations

import numpy as np

from ...cases import prove
from .problem import float64, margins, names_of_results, reference

_LEAST_NORMAL = 2.0**-126


def name(problem, failure):
    """(code, words) that explain the failure best; ("", "") where nothing does."""
    try:
        return _rerun(problem, failure) or _rounded(problem, failure) or _placed(failure)
    except Exception:  # a guess that cannot be computed explains nothing
        return "", ""


def _rerun(problem, failure):
    for code, words, arrays, options in _causes(problem):
        try:
            want = prove.results(reference(problem.function)(*arrays, **options))
        except Exception:  # the changed problem may have no result
            continue
        bounds = problem.bounds(arrays, options, want, reference(problem.function))
        if _explains(problem, failure, want, problem.turned_back(bounds)):
            return code, words
    return None


def _explains(problem, failure, want, bounds):
    """Whether every result that is wrong is the changed answer, in all of its elements, to within the bound."""
    pairs = zip(problem.turned_back(want), bounds, strict=True)
    known = dict(zip(names_of_results(problem.function), pairs, strict=True))
    for result, (got, _) in failure.wrong.items():
        answer, bound = known[result]
        if answer.shape != got.shape:
            return False
        if np.any(margins(got, answer, bound) > 1):
            return False
    return True


def _causes(problem):
    """(code, words, arrays, options) of what is often done instead."""
    given = {key: float64(a) for key, a in problem.ours.items()}
    options = problem.options
    flushed = {key: _flush(a) for key, a in given.items()}
    yield "FTZ", "denormal inputs are taken for 0", list(flushed.values()), options
    for code, words, turn in _OPERANDS:
        yield code, words, [turn(a) if a is not None and a.dtype.kind == "f" else a for a in given.values()], options
    for code, words, change in _changed_options(problem, options):
        yield code, words, list(given.values()), options | change
    w = given.get("w")
    if given.get("b") is not None and "b" in problem.claim.takes and problem.case.OP != "concat":
        yield "BIAS-MISSING", "the bias is not added", [None if k == "b" else a for k, a in given.items()], options
    if w is not None and w.ndim >= 3:
        for words, turned in (("rows and columns turned by half a turn", w[::-1, ::-1]), ("rows and columns exchanged",
                              np.swapaxes(w, 0, 1))):  # fmt: skip
            if turned.shape == w.shape:
                yield "LAYOUT-WEIGHT", words, [turned if k == "w" else a for k, a in given.items()], options


def _changed_options(problem, options):
    if options.get("dilation", 1) != 1:
        yield "DILATION", "as if dilation were 1", {"dilation": 1}
    if "pad" in options:
        top, bottom, left, right = options["pad"]
        for words, pad in (("top and bottom, left and right exchanged", (bottom, top, right, left)),
                           ("rows' and columns' exchanged", (left, right, top, bottom)),
                           ("top and bottom exchanged", (bottom, top, left, right)),
                           ("left and right exchanged", (top, bottom, right, left))):  # fmt: skip
            if pad != options["pad"]:
                yield "PAD", f"the pads {words}", {"pad": pad}
    if "kink" in options:
        yield "KINK", "the other rule at the kinks", {"kink": "tf" if options["kink"] == "torch" else "torch"}
    for eps in (1e-3, 1e-5, 0.0):
        if options.get("eps", eps) != eps:
            yield "BN-EPS", f"as if eps were {eps:g}", {"eps": eps}
    if "unbiased" in options:
        yield "BN-VAR", "the other of the biased and the unbiased variance", {"unbiased": not options["unbiased"]}
    if "momentum" in options:
        yield "BN-STATS", "momentum in the other sense", {"momentum": 1 - options["momentum"]}
    if "count_pad" in options:
        yield "POOL", "the other rule of counting the padding", {"count_pad": not options["count_pad"]}
    if options.get("smoothing"):
        yield "SMOOTHING", "as if smoothing were 0", {"smoothing": 0.0}


def _flush(a):
    return np.where(np.abs(a) < _LEAST_NORMAL, 0.0, a) if a is not None and a.dtype.kind == "f" else a


def _to_bits(a, bits, towards_zero=False):
    """Rounded to `bits` significant bits."""
    fraction, exponent = np.frexp(a)
    scaled = fraction * 2.0**bits
    return np.ldexp(np.trunc(scaled) if towards_zero else np.rint(scaled), exponent - bits)


def _to_fp16(a):
    with np.errstate(all="ignore"):
        return a.astype(np.float16).astype(np.float64)


_OPERANDS = (
    ("PREC-FP16", "operands rounded to float16", _to_fp16),
    ("PREC-BF16", "operands rounded to bfloat16", lambda a: _to_bits(a, 8)),
    ("PREC-TF32", "operands rounded to TF32", lambda a: _to_bits(a, 11)),
    ("PREC-TF32", "operands cut to TF32", lambda a: _to_bits(a, 11, towards_zero=True)),
)


# code, name, rounding, unit roundoff over float32's
_RESULTS = (("PREC-FP16", "float16", _to_fp16, 2.0**13), ("PREC-BF16", "bfloat16", _OPERANDS[1][2], 2.0**16))


def _rounded(problem, failure):
    """Results that are float16's or bfloat16's own values, and off by what its sums may be off."""
    # Whole numbers are values of float16 in any case: they say nothing here.
    formats = () if problem.data == "integers" else _RESULTS
    for code, words, turn, wider in formats:
        wrong = failure.wrong.values()
        all_of_them = all(np.array_equal(turn(got.astype(np.float64))[mask], got[mask]) for got, mask in wrong)
        if all_of_them and _is_within(problem, failure, wider):
            return code, f"sums or results in {words}: every wrong element is one of its values"
    zeros = all(np.all(got[mask] == 0) for got, mask in failure.wrong.values())
    small = all(np.all(np.abs(dict(zip(names_of_results(problem.function), problem.want[0], strict=True))[result][mask])
                       < _LEAST_NORMAL) for result, (_, mask) in failure.wrong.items())  # fmt: skip
    return ("FTZ", "denormal results are 0") if zeros and small else None


def _is_within(problem, failure, wider):
    """Whether all is within the bound of a format whose unit roundoff is `wider` times float32's."""
    known = dict(zip(names_of_results(problem.function), zip(*problem.real_want, strict=True), strict=True))
    return all(np.all(margins(got, *known[result])[mask] <= wider) for result, (got, mask) in failure.wrong.items())


def _placed(failure):
    """Signatures of place: the tail of the lanes, a few elements."""
    _, mask = failure.wrong[failure.result]
    for axis in reversed(range(mask.ndim)):
        bad = np.flatnonzero(mask.any(axis=tuple(k for k in range(mask.ndim) if k != axis)))
        size = mask.shape[axis]
        for lanes in (32, 16, 8, 4):
            if size % lanes and size > lanes and np.array_equal(bad, np.arange(size - size % lanes, size)):
                return "TAIL", f"only the last {size % lanes} of {size} along axis {axis}, behind whole blocks of {lanes}"
    if failure.bad * 4 <= failure.size:
        return "TILE", "a part of the elements only"
    return "", ""


def where(failure):
    """Along which axes the wrong elements are less than all."""
    _, mask = failure.wrong[failure.result]
    words = []
    for axis in range(mask.ndim):
        bad = np.flatnonzero(mask.any(axis=tuple(k for k in range(mask.ndim) if k != axis)))
        if len(bad) < mask.shape[axis]:
            words.append(f"axis {axis}: {_ranges(bad)} of {mask.shape[axis]}")
    return "; ".join(words) or "everywhere"


def _ranges(places):
    """1, 2, 3, 7 as "1-3, 7", at most six parts."""
    parts, first = [], int(places[0])
    for here, following in zip(places, [*places[1:], None], strict=True):
        if following is None or following != here + 1:
            parts.append(f"{first}" if first == here else f"{first}-{here}")
            first = int(following) if following is not None else 0
    return ", ".join(parts[:6]) + (", ..." if len(parts) > 6 else "")

