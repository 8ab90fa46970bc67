"""Networks of cells as documents: `text` for what they have in common with any network.

    {"name": "mine", "stem": {"kernel": 3, "stride": 1, "channels": 48}, "filters": 16, "repeats": 2,
     "normal": {"sums": ["sep3 0 none 1", "avg3 0 sep5 2"]},
     "reduction": {"sums": ["max3 0 sep3 1"], "output": [2]},
     "head": {"channels": 0, "classes": 10, "dropout": 0.0}}

A sum is an operation and the number of the state that it reads, twice; `output`, where it
is given, are the numbers of the states that are put together.  Further keys are the fields
of CellSpec.
"""

from __future__ import annotations

import re
from dataclasses import MISSING, fields

from ..blocks.genotype import MOST_ROWS, Genotype
from ..errors import SpecError
from .cell_spec import CellSpec
from .spec import Head, Stem

_SUM = re.compile(r"([a-z]+\d?) (\d{1,3}) ([a-z]+\d?) (\d{1,3})")
_FIELDS = {f.name: f.default for f in fields(CellSpec)}
_NEEDED = [name for name, default in _FIELDS.items() if default is MISSING and name != "source"]
_RECORDS = ("stem", "normal", "reduction", "head")


def format(spec, changed):
    """The document of a CellSpec; `changed` gives the fields of a record that are not at their default."""
    document = {}
    for name, default in _FIELDS.items():
        value = getattr(spec, name)
        if isinstance(value, Genotype):
            document[name] = _cell(value)
        elif name in _RECORDS:
            document[name] = changed(value)
        elif default is MISSING or value != default:
            document[name] = list(value) if isinstance(value, tuple) else value
    return document


def _cell(genotype):
    found = {"sums": [" ".join(map(str, row)) for row in genotype.sums]}
    return found if genotype.output == genotype.unread else found | {"output": list(genotype.output)}


def parse(document, known, record, texts):
    """The CellSpec of a document; the readers of keys, records and texts are those of `text`."""
    known("network", document, list(_FIELDS), _NEEDED)
    plain = {key: tuple(v) if isinstance(v, list) else v for key, v in document.items() if key not in _RECORDS}
    plain["sources"] = tuple(texts("sources", document.get("sources", [])))
    if not isinstance(plain.setdefault("source", ""), str):
        raise SpecError(f"network: source is {plain['source']!r}, wanted a text")
    cells = {key: _genotype(key, document[key], known, stride) for key, stride in (("normal", 1), ("reduction", 2))}
    return CellSpec(stem=record("stem", Stem, document["stem"]), head=record("head", Head, document["head"]), **plain, **cells)


def _genotype(where, given, known, stride):
    if not isinstance(given, dict):
        raise SpecError(f"{where}: {given!r:.60}, wanted an object with sums")
    known(where, given, ("sums", "output"), ("sums",))
    rows, output = given["sums"], given.get("output")
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_ROWS:
        raise SpecError(f"{where}: sums is {rows!r:.60}, wanted a list of 1 to {MOST_ROWS} texts like 'sep3 0 none 1'")
    sums = []
    for number, row in enumerate(rows, 1):
        match = _SUM.fullmatch(row) if isinstance(row, str) else None
        if match is None:
            raise SpecError(f"{where}: row {number} of {len(rows)}: {row!r:.60}, wanted a text like 'sep3 0 none 1'")
        sums.append((match[1], int(match[2]), match[3], int(match[4])))
    try:
        return Genotype(tuple(sums), tuple(output) if isinstance(output, list) else output, stride)
    except SpecError as error:
        raise SpecError(f"{where}: {error}") from None
