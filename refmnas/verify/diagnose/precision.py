"""PREC-FP16, PREC-BF16, PREC-TF32, FTZ: operands and results in another arithmetic, really rounded."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..part import WEIGHED
from ..segment import ratios
from .cause import RERUN, Candidate

_BITS = {"PREC-TF32": 10, "PREC-BF16": 7}


def nearest(a, bits):
    """float32 values rounded to `bits` behind the point, half to even."""
    raw = np.asarray(a, np.float32).view(np.uint32).astype(np.uint64)
    drop = 23 - bits
    raw = raw + (1 << (drop - 1)) - 1 + ((raw >> drop) & 1)
    return ((raw >> drop) << drop).astype(np.uint32).view(np.float32).astype(np.float64)


def truncated(a, bits):
    raw = np.asarray(a, np.float32).view(np.uint32)
    return (raw & np.uint32(0xFFFFFFFF << (23 - bits) & 0xFFFFFFFF)).view(np.float32).astype(np.float64)


def half(a):
    with np.errstate(over="ignore"):
        return np.asarray(a, np.float32).astype(np.float16).astype(np.float64)


ROUNDINGS = (
    ("PREC-FP16", "rounded to fp16", half),
    ("PREC-TF32", "rounded to TF32", lambda a: nearest(a, 10)),
    ("PREC-TF32", "cut to TF32", lambda a: truncated(a, 10)),
    ("PREC-BF16", "rounded to bf16", lambda a: nearest(a, 7)),
    ("PREC-BF16", "cut to bf16", lambda a: truncated(a, 7)),
)
_STORED = {"PREC-FP16": (half, 2.0**-11, 2.0**-25), "PREC-BF16": (lambda a: nearest(a, 7), 2.0**-8, 2.0**-134)}


def candidates(look, context):
    stored = stored_type(look)
    yield from outputs(look, stored)
    for part in look.part(*WEIGHED, "batchnorm", "add", "scale", "pool", "act"):
        yield from _operands(look, part, stored)
    yield from _flushed(look)


def stored_type(look):
    """{code: (unit, least)} of the narrow types that all of the result is of: what is of bfloat16 may be of fp16, too."""
    return {
        code: (unit, least)
        for code, (rounding, unit, least) in _STORED.items()
        if np.any(look.came) and np.array_equal(rounding(look.came), look.came)
    }


def outputs(look, stored):
    if look.last.op == "act" and look.last.options["kind"] in ("relu", "relu6"):
        return
    for code, (unit, least) in stored.items():
        error = look.error + unit * (np.abs(look.y) + look.error) + least
        margin = float(ratios(look.y, error, look.came).max(initial=0.0))
        yield Candidate(code, None, "every value of the result is one of that type, within its rounding", RERUN, margin=margin)


def _operands(look, part, stored):
    """Products of rounded factors, added in float32; the result stored in the narrow type where it is one."""
    feeds = [name for name in part.inputs if name in look.segment.feeds]
    for code, told, rounding in ROUNDINGS:
        arrays = {key: rounding(a) for key, a in part.arrays.items() if key == "w" or (key != "b" and part.op == "batchnorm")}
        changed = look.with_part(part, arrays=arrays)
        rounded = {name: rounding(look.segment.feeds[name]) for name in feeds}
        both = replace(changed, feeds=changed.feeds | rounded)
        forms = [(both, "operands")] if feeds else []
        if arrays:
            forms.append((changed, "weights"))
        if feeds and arrays:
            forms.append((replace(look.segment, feeds=look.segment.feeds | rounded), "inputs"))
        if "b" in part.arrays and arrays and feeds:
            bias = look.with_part(part, arrays=arrays | {"b": rounding(part.arrays["b"])})
            forms.append((replace(bias, feeds=bias.feeds | rounded), "operands and bias"))
        for segment, what in forms:
            yield Candidate(code, segment, f"agrees with {what} {told}")
            if code in stored:
                yield _stored(look, segment, code, f"agrees with {what} and result {told}", *stored[code])


def _stored(look, segment, code, told, unit, least):
    from ..segment import expected

    y, error = expected(segment)
    margin = float(ratios(y, error + unit * (np.abs(y) + error) + least, look.came).max(initial=0.0))
    return Candidate(code, None, told, RERUN, margin=margin)


def _tiny(a):
    a = np.asarray(a, np.float64)
    return np.where(np.abs(a) < 2.0**-126, 0.0, a)


def _flushed(look):
    """Denormal operands, results, or both taken for zero."""
    smallest = min((np.abs(a[a != 0]).min(initial=1.0) for a in _all(look)), default=1.0)
    if smallest >= 2.0**-126 and np.abs(look.y[look.y != 0]).min(initial=1.0) >= 2.0**-126:
        return
    parts = tuple(replace(q, arrays={key: _tiny(a) for key, a in q.arrays.items()}) for q in look.segment.parts)
    feeds = {name: _tiny(a) for name, a in look.segment.feeds.items()}
    segment = replace(look.segment, parts=parts, feeds=feeds)
    yield Candidate("FTZ", segment, "agrees with denormal operands taken for 0")
    from ..segment import expected

    for made, told in ((segment, "operands and results"), (look.segment, "results")):
        y, error = expected(made)
        small = np.abs(y) <= 2.0**-126 + error
        error = np.where(small, error + np.abs(y), error)
        margin = float(ratios(y, error, look.came).max(initial=0.0))
        zeros = np.all(look.came[look.bad] == 0) or made is segment
        if zeros:
            yield Candidate("FTZ", None, f"agrees with denormal {told} taken for 0", RERUN, margin=margin)


def _all(look):
    yield from (np.asarray(a) for a in look.segment.feeds.values())
    for part in look.segment.parts:
        yield from part.arrays.values()
