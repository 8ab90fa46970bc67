"""Two networks side by side: their tables' true numbers and their dialects, field by field.

Blocks are laid beside one another by their place, (stage, number within it), cells by their
name; where only one of the two has a block at a place, the other's side is None.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any, NamedTuple

from . import cells, cost, plan
from .cell_spec import CellSpec

BLOCK = ("kind", "kernel", "stride", "c_in", "mid", "c_out", "squeeze", "expands", "has_skip", "act", "groups", "size_in")
SPEC = ("name", "source", "size", "width", "depth", "activation", "drop_path")
STEM, HEAD = ("kernel", "stride"), ("classes", "dropout", "pool")
CELL = ("kind", "filters", "now", "before", "sums", "output")  # of one cell
CELLS = ("filters", "repeats", "rules", "skips", "auxiliary")  # of a network of them


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
    return [Line(field, left.get(field, "-"), right.get(field, "-")) for field in left | right]


def _network(spec, dialect):
    is_cells = isinstance(spec, CellSpec)
    totals = cost.totals(cost.of(spec, dialect))
    found = {field: getattr(spec, field, 1.0) for field in SPEC}  # cells have no depth multiplier
    found |= {f"stem.{field}": getattr(spec.stem, field) for field in STEM}
    found |= {"stem.channels": plan.stem_channels(spec, dialect)}
    found |= {"head.channels": plan.head_channels(spec, dialect) if spec.head.channels else 0}
    found |= {"head.hidden": 0 if is_cells else plan.hidden_channels(spec, dialect)}
    found |= {f"head.{field}": getattr(spec.head, field) for field in HEAD}
    found |= {"merge": spec.merge, "blocks": len(_rows(spec, dialect))}
    return found | ({field: getattr(spec, field) for field in CELLS} if is_cells else {}) | totals._asdict()


def _rows(spec, dialect):
    """{place: the fields of its block or cell}."""
    if not isinstance(spec, CellSpec):
        return {row.prefix: {field: getattr(row, field) for field in BLOCK} for row in plan.blocks(spec, dialect)}
    found = {}
    for row in cells.rows(spec):
        kind = "reduction" if row.genotype.stride == 2 else "normal"
        sums = tuple(" ".join(map(str, one)) for one in row.genotype.sums)
        values = (kind, row.filters, row.now, row.before or row.now, sums, row.genotype.output)
        found[row.name] = dict(zip(CELL, values, strict=True))
    return found


def blocks(a, b):
    """A Place for every block or cell of the two."""
    left, right = _rows(*a), _rows(*b)
    orders = [{place: number for number, place in enumerate(rows)} for rows in (left, right)]
    places = sorted(left.keys() | right.keys(), key=lambda place: _order(place, orders))
    return [_place(place, left.get(place), right.get(place)) for place in places]


def _order(place, orders):
    """Blocks by their numbers, behind them cells as the first network that has one has it."""
    if place.startswith("stages."):
        return (0, *map(int, place.split(".")[1:]))
    return 1, min(order[place] for order in orders if place in order), place


def _place(place, a, b):
    if a is None or b is None:
        return Place(place, a, b, ("block",))
    return Place(place, a, b, tuple(field for field in a if a[field] != b[field]))


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
