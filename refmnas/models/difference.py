"""Two networks side by side: their tables' true numbers and their dialects, field by field.

Blocks are laid beside one another by their place, (stage, number within it); where only
one of the two has a block at a place, the other's side is None.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, NamedTuple

from . import cost, plan

BLOCK = ("kind", "kernel", "stride", "c_in", "mid", "c_out", "squeeze", "expands", "has_skip", "act", "groups", "size_in")
SPEC = ("name", "source", "size", "width", "depth", "activation", "drop_path")
STEM, HEAD = ("kernel", "stride"), ("classes", "dropout")


class Line(NamedTuple):
    """One field of both."""

    field: str
    a: Any
    b: Any

    @property
    def differs(self):
        return self.a != self.b


class Place(NamedTuple):
    """One place of the two lists of blocks: each side's fields, or None; and the names of those that differ."""

    place: str
    a: dict | None
    b: dict | None
    differs: tuple[str, ...]


def network(a, b):
    """Lines of the tables outside their blocks, and of the totals; a and b are (spec, dialect)."""
    left, right = _network(*a), _network(*b)
    return [Line(field, left[field], right[field]) for field in left]


def _network(spec, dialect):
    totals = cost.totals(cost.of(spec, dialect))
    found = {field: getattr(spec, field) for field in SPEC}
    found |= {f"stem.{field}": getattr(spec.stem, field) for field in STEM}
    found |= {"stem.channels": plan.stem_channels(spec, dialect)}
    convolves = bool(spec.head.channels)
    found |= {"head.channels": plan.head_channels(spec, dialect) if convolves else 0}
    found |= {"head.hidden": plan.hidden_channels(spec, dialect)}
    found |= {f"head.{field}": getattr(spec.head, field) for field in HEAD}
    return found | {"blocks": len(plan.blocks(spec, dialect)), **totals._asdict()}


def blocks(a, b):
    """A Place for every block of the two."""
    left, right = ({row.prefix: row for row in plan.blocks(*side)} for side in (a, b))
    places = sorted(left.keys() | right.keys(), key=lambda place: tuple(map(int, place.split(".")[1:])))
    return [_place(place, left.get(place), right.get(place)) for place in places]


def _place(place, a, b):
    one, other = (None if row is None else {field: getattr(row, field) for field in BLOCK} for row in (a, b))
    if one is None or other is None:
        return Place(place, one, other, ("block",))
    return Place(place, one, other, tuple(field for field in BLOCK if one[field] != other[field]))


def dialects(a, b):
    """A Line for every field of the two records, those of the preprocessing among them.

    >>> from refmnas.models import dialect
    >>> found = dialects(dialect.of("timm", "efficientnet-b0"), dialect.of("timm-tf", "efficientnet-b0"))
    >>> [line.field for line in found if line.differs]
    ['source', 'padding', 'bn_eps']
    """
    found = []
    for field in fields(a):
        left, right = getattr(a, field.name), getattr(b, field.name)
        if field.name == "preprocess":
            inner = fields(left)
            found += [Line(f"preprocess.{f.name}", getattr(left, f.name), getattr(right, f.name)) for f in inner]
        else:
            found.append(Line(field.name, left, right))
    return found
