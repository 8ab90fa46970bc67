"""KINK, ACT-KIND, ACT-MISSING, SE-GATE, SE-ACT: the slope of an activation."""

from __future__ import annotations

import numpy as np

from ....layers.gradcheck import KINKS
from ....ops.activation import KINDS
from ..cause import CONVENTION, RERUN, Candidate


def candidates(look):
    for part in look.part("act.dx"):
        yield from _kink(look, part)
        squeezed = ".se." in part.name
        code = ("SE-GATE" if ".se.expand" in part.name else "SE-ACT") if squeezed else "ACT-KIND"
        for kind in KINDS:
            if kind not in (part.options["kind"], "hard_sigmoid_torch"):
                named = "ACT-MISSING" if kind == "identity" and not squeezed else code
                told = f"agrees with the slope of {kind} for that of {part.options['kind']}"
                yield Candidate(named, look.with_part(part, options={"kind": kind}), told, RERUN)


def _kink(look, part):
    """All that is wrong lies exactly at a kink."""
    x = look.segment.feeds.get(part.inputs[1])
    if x is None or len(look.segment.parts) > 1 or not look.bad.any():
        return
    at = [k for k in KINKS.get(part.options["kind"], ()) if np.any((x == k) & look.bad)]
    if at and np.all(np.isin(x[look.bad], at)):
        told = f"wrong at {int(look.bad.sum())} elements alone, all of them exactly at {', '.join(f'{k:g}' for k in at)}"
        yield Candidate("KINK", None, told, CONVENTION, margin=0.0)
