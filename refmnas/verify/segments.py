"""Which parts lie between captured tensors: the segments of a capture."""

from __future__ import annotations

from .claim import FLOAT32
from .segment import Segment


def segments(parts, tensors, claim=FLOAT32):
    """One `Segment` for each captured tensor, in order of computation; `tensors` hold the input too.

    A segment reaches back to the nearest captured tensors, whatever lies between.
    """
    by_name = {part.name: part for part in parts}
    found = []
    for part in parts:
        if part.name in tensors:
            between, feeds = _between(part, by_name, tensors)
            own = tuple(each for each in parts if each.name in between)
            found.append(Segment(part.name, own, {name: tensors[name] for name in feeds}, tensors[part.name], claim))
    return found


def _between(last, by_name, tensors):
    """(names of the parts down to `last`, names of the captured tensors that feed them)."""
    between, feeds, open_ = {last.name}, {}, list(last.inputs)
    while open_:
        name = open_.pop()
        if name in tensors:
            feeds[name] = None
        elif name not in between:
            between.add(name)
            open_ += by_name[name].inputs
    return between, list(feeds)


def unjudged(parts, found):
    """Names of the parts that lie in no segment."""
    seen = {part.name for segment in found for part in segment.parts}
    return [part for part in parts if part.name not in seen]
