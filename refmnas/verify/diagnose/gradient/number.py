"""GRAD-MISSING, GRAD-SUM, POOL, PREC-*: one factor, or another arithmetic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..cause import CONVENTION, RERUN, Candidate
from ..precision import ROUNDINGS, outputs, stored_type


def candidates(look):
    if look.bad.any() and not np.any(look.came):
        yield Candidate("GRAD-MISSING", None, "all of it is 0", CONVENTION, margin=0.0)
        return
    yield from _factors(look)
    yield from outputs(look, stored_type(look))
    yield from _operands(look)


def _factors(look):
    """A count for a mean, a mean for a sum, a sum twice."""
    counts = {2: "twice", 3: "three times", 0.5: "half"}
    for a in look.segment.feeds.values():
        pixels = a.size // a.shape[-1]
        for n, what in ((len(a), "the images"), (pixels, "all pixels"), (pixels // max(len(a), 1), "the pixels of an image")):
            if n > 1:
                counts |= {float(n): f"{n} times ({what})", 1.0 / n: f"1 / {n} of it ({what})"}
    for factor, told in counts.items():
        yield Candidate("GRAD-SUM", replace(look.segment, came=look.came / factor), f"it is {told} too large or small", RERUN)
    for part in look.part("pool.dx"):
        yield Candidate("POOL", look.with_part(part, options={"undivided": True}), "agrees undivided by the pixels", CONVENTION)


def _operands(look):
    if len(look.segment.parts) > 1:
        return
    part = look.last
    for code, told, rounding in ROUNDINGS:
        feeds = {name: rounding(a) for name, a in look.segment.feeds.items()}
        arrays = {key: rounding(a) for key, a in part.arrays.items() if key == "w"}
        changed = replace(look.with_part(part, arrays=arrays), feeds=feeds)
        yield Candidate(code, changed, f"agrees with operands {told}", RERUN)
