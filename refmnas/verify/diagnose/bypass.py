"""A step whose result is not used: what goes in is what stood before it.

SE-MISSING behind a scaling, RES-MISSING behind a sum, ACT-MISSING or ACT-PLACE behind an activation.
"""

from __future__ import annotations

import numpy as np

from .cause import Candidate

_CODES = {"act": ("ACT-MISSING", "ACT-PLACE"), "scale": ("SE-MISSING",), "add": ("RES-MISSING",)}


def candidates(look, context):
    for name, array in look.segment.feeds.items():
        before = context.by_name.get(name)
        if before is None or look.last.op == before.op == "add":  # there RES-PLACE says the same
            continue
        for code in _CODES.get(before.op, ()):
            for other in before.inputs:
                instead = context.tensors.get(other)
                if instead is not None and np.shape(instead) == np.shape(array):
                    yield Candidate(code, look.with_feed(name, instead), f"agrees when fed {other} for {name}")
