"""GRAD-FLIP, LAYOUT-WEIGHT, STRIDE-PHASE, PAD, DILATION: where a convolution's gradient reads and writes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..cause import CONVENTION, RERUN, Candidate

_TURNS = (
    ("GRAD-FLIP", "the taps flipped", lambda w: w[::-1, ::-1]),
    ("GRAD-FLIP", "the rows of taps flipped", lambda w: w[::-1]),
    ("GRAD-FLIP", "the columns of taps flipped", lambda w: w[:, ::-1]),
    ("LAYOUT-WEIGHT", "the taps transposed", lambda w: np.swapaxes(w, 0, 1)),
)


def candidates(look):
    for part in look.part("conv.dx", "depthwise.dx", "conv.dw", "depthwise.dw"):
        for code, told, turn in _TURNS:
            if turn(part.arrays["w"]).shape != part.arrays["w"].shape:
                continue
            if part.op.endswith("dx"):
                yield Candidate(code, look.with_part(part, arrays={"w": turn(part.arrays["w"])}), f"agrees with {told}", RERUN)
            elif part is look.last:
                yield Candidate(code, replace(look.segment, came=turn(look.segment.came)), f"agrees with {told}", RERUN)
        yield from _shifted(look, part)
    for part in look.part("pointwise.dx", "linear.dx"):
        if part.arrays["w"].shape[0] == part.arrays["w"].shape[1]:
            yield Candidate(
                "LAYOUT-WEIGHT", look.with_part(part, arrays={"w": part.arrays["w"].T}), "agrees with w transposed", RERUN
            )
    if look.last.op in ("pointwise.dw", "linear.dw") and look.segment.came.shape[0] == look.segment.came.shape[1]:
        yield Candidate("LAYOUT-WEIGHT", replace(look.segment, came=look.segment.came.T), "agrees transposed", RERUN)


def _shifted(look, part):
    top, bottom, left, right = part.options["pad"]
    code = "STRIDE-PHASE" if part.options["stride"] > 1 else "PAD"
    for r, s in ((1, 1), (-1, -1), (1, 0), (-1, 0), (0, 1), (0, -1)):
        pad = (top + r, bottom - r, left + s, right - s)
        if min(pad) >= 0:
            yield Candidate(code, look.with_part(part, options={"pad": pad}), f"agrees with the pads {pad}", RERUN)
    now, (Kh, Kw) = part.options.get("dilation", 1), part.arrays["w"].shape[:2]
    for other in {1, 2} - {now}:
        dh, dw = (other - now) * (Kh - 1), (other - now) * (Kw - 1)
        pad = (top + dh // 2, bottom + dh - dh // 2, left + dw // 2, right + dw - dw // 2)
        if min(pad) >= 0:
            options = {"pad": pad, "dilation": other}
            yield Candidate("DILATION", look.with_part(part, options=options), f"agrees with dilation {other}", CONVENTION)
