"""The networks, as the tables of their papers and of the code that published them."""

from __future__ import annotations

import difflib
from dataclasses import replace

from ...errors import SpecError
from .. import text
from ..cell_spec import CellSpec
from ..spec import NetSpec
from . import efficientnet, enas, fbnet, mnasnet, mobilenet, nasnet, regnet

_FAMILIES = (mnasnet, mobilenet, efficientnet, fbnet, regnet, nasnet, enas)
SPECS: dict[str, NetSpec | CellSpec] = {spec.name: spec for family in _FAMILIES for spec in family.SPECS}


def names():
    """The names of all networks."""
    return list(SPECS)


def published(source):
    """The names of those that a source published."""
    return [name for name, spec in SPECS.items() if source in spec.sources]


def get(name, width=1.0):
    """The table of a network, its own width multiplied by `width`; SpecError with the nearest name."""
    if name not in SPECS:
        near = difflib.get_close_matches(str(name), SPECS, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise SpecError(f"network: no {name!r}; {hint}There are {', '.join(SPECS)}")
    return scaled(SPECS[name], width)


def find(network, width=1.0):
    """The table of a name, of a document or a file FILE.json (refmnas.models.text), or a table itself; at that width."""
    if isinstance(network, NetSpec | CellSpec):
        return scaled(network, width)
    if isinstance(network, dict) or str(network).endswith(".json"):
        return scaled(text.from_json(network), width)
    return get(network, width)


def scaled(spec, width):
    """`spec` at another width multiplier."""
    if not isinstance(width, int | float) or isinstance(width, bool) or not 0 < width <= 16:
        raise SpecError(f"network: width is {width!r}, wanted a number above 0 and at most 16")
    return spec if width == 1 else replace(spec, width=spec.width * width)
