"""GRAD-SE-PATH, RES-MISSING, GRAD-SUM: a gradient that comes back on several ways."""

from __future__ import annotations

from dataclasses import replace

from ..cause import CONVENTION, Candidate

_CODES = {"pool.dx": "GRAD-SE-PATH", "scale.dx": "GRAD-SE-PATH"}


def candidates(look):
    total = look.last
    if total.op != "add":
        return
    ops = {part.name: part.op for part in look.segment.parts}
    squeezed = any(op in _CODES for op in ops.values())
    for name in total.inputs:
        rest, way = tuple(each for each in total.inputs if each != name), name.partition(" from ")[2] or name
        code = "GRAD-SE-PATH" if squeezed else "RES-MISSING"
        yield Candidate(code, _with(look, rest), f"agrees without what comes back from {way}", CONVENTION)
        yield Candidate("GRAD-SUM", _with(look, (*total.inputs, name)), f"agrees with what {way} sends back twice", CONVENTION)


def _with(look, inputs):
    """The sum of these ways alone, and of the other parts those that they need."""
    last = replace(look.last, inputs=inputs)
    by_name = {part.name: part for part in look.segment.parts}
    used, open_ = set(inputs), list(inputs)
    while open_:
        part = by_name.get(open_.pop())
        for name in part.inputs if part is not None else ():
            if name not in used:
                used.add(name)
                open_.append(name)
    parts = (*(part for part in look.segment.parts[:-1] if part.name in used), last)
    return replace(look.segment, parts=parts, feeds={k: a for k, a in look.segment.feeds.items() if k in used})
