"""Networks as JSON documents around the original's block strings (`block_text`).

A document is what `format` gives, and JSON holds it:

    {"name": "mine", "stem": {"kernel": 3, "stride": 2, "channels": 16},
     "blocks": ["r1_k3_s11_e1_i16_o8_noskip", "r2_k5_s22_e6_i8_o24_se0.25"],
     "head": {"channels": 640, "classes": 10, "dropout": 0.2}}

Further keys, all optional, are the fields of NetSpec (`merge` and the head's `levels` are
lists); `unscaled` and `undeepened` list the rows that follow neither the width nor the depth
multiplier, `joined` those that are one stage with the row before; rows are counted from 0.
A network of cells has `normal` and `reduction` in the place of `blocks`: `cell_text`.
"""

from __future__ import annotations

import difflib
import json
from dataclasses import MISSING, fields
from pathlib import Path

from ..errors import FormatError, SpecError
from . import cell_text
from .block_text import format_block, parse_block
from .cell_spec import CellSpec
from .spec import Head, NetSpec, Stage, Stem

__all__ = ["MOST_BYTES", "format", "format_block", "from_json", "parse", "parse_block", "to_json"]

MOST_BYTES = 1 << 20  # of a JSON document
MOST_ROWS = 1000

_PLAIN = ("name", "source", "size", "activation", "drop_path", "depth", "width", "sources", "merge")
_ROWS = {"unscaled": ("scales", True), "undeepened": ("deepens", True), "joined": ("joins", False)}
_KEYS = ("name", "stem", "blocks", "head", *_PLAIN[1:], *_ROWS)


def format(spec):
    """The document of a network: plain values, every one of them JSON's."""
    if isinstance(spec, CellSpec):
        return cell_text.format(spec, _changed)
    defaults = {f.name: f.default for f in fields(NetSpec)}
    c_in, rows = spec.stem.channels, []
    for stage in spec.stages:
        rows.append(format_block(stage, c_in))
        c_in = stage.channels
    document = {"name": spec.name, "source": spec.source, "stem": _changed(spec.stem), "blocks": rows}
    document["head"] = _changed(spec.head)
    document |= {k: _listed(getattr(spec, k)) for k in _PLAIN[2:] if getattr(spec, k) != defaults[k]}
    for key, (field, usual) in _ROWS.items():
        if numbers := [i for i, stage in enumerate(spec.stages) if getattr(stage, field) != usual]:
            document[key] = numbers
    return document


def _changed(record):
    """The fields of a stem or head that are not at their default."""
    return {
        f.name: _listed(getattr(record, f.name))
        for f in fields(record)
        if f.default is MISSING or getattr(record, f.name) != f.default
    }


def _listed(value):
    """JSON has lists for tuples."""
    return list(value) if isinstance(value, tuple) else value


def parse(document):
    """The network of a document, inverse of `format`.

    Raises   SpecError naming the row, the token or the key, what came and what was wanted.

    >>> from refmnas.models import zoo
    >>> parse(format(zoo.get("mnasnet-a1"))) == zoo.get("mnasnet-a1")
    True
    """
    if not isinstance(document, dict):
        raise SpecError(f"network: {type(document).__name__}, wanted an object with name, stem, blocks and head")
    if "normal" in document or "reduction" in document:
        return cell_text.parse(document, _known, _record, _texts)
    _known("network", document, _KEYS, needed=("name", "stem", "blocks", "head"))
    stem = _record("stem", Stem, document["stem"])
    plain = {key: document[key] for key in _PLAIN if key in document}
    plain["sources"] = tuple(_texts("sources", document.get("sources", [])))
    plain["merge"] = _tuple(document.get("merge", ()))
    plain.setdefault("source", "")
    if not isinstance(plain["source"], str):
        raise SpecError(f"network: source is {plain['source']!r}, wanted a text")
    stages = tuple(_stages(document, stem.channels))
    return NetSpec(stem=stem, stages=stages, head=_record("head", Head, document["head"]), **plain)


def _stages(document, c_in):
    rows = document["blocks"]
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_ROWS:
        raise SpecError(f"network: blocks is {_short(rows)}, wanted a list of 1 to {MOST_ROWS} block strings")
    listed = {key: _numbers(key, document.get(key, []), len(rows)) for key in _ROWS}
    for number, row in enumerate(rows):
        stage = parse_block(row, c_in, f"row {number + 1} of {len(rows)}", is_first=number == 0)
        c_in = stage.channels
        options = {f.name: getattr(stage, f.name) for f in fields(stage)}
        flags = {field: (number not in listed[key]) == usual for key, (field, usual) in _ROWS.items()}
        yield Stage(**options | flags)


def _record(where, kind, given):
    if not isinstance(given, dict):
        raise SpecError(f"{where}: {_short(given)}, wanted an object")
    needed = [f.name for f in fields(kind) if f.default is MISSING]
    _known(where, given, [f.name for f in fields(kind)], needed)
    return kind(**{key: _tuple(value) for key, value in given.items()})


def _tuple(value):
    return tuple(value) if isinstance(value, list) else value


def _known(where, given, keys, needed):
    """Every key known, every needed one there."""
    for key in given:
        if key not in keys:
            near = difflib.get_close_matches(str(key), keys, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SpecError(f"{where}: unknown key {key!r}, wanted one of {', '.join(keys)}{hint}")
    for key in needed:
        if key not in given:
            raise SpecError(f"{where}: no key {key!r}, wanted {', '.join(needed)}")


def _texts(key, given):
    if not isinstance(given, list) or not all(isinstance(text, str) for text in given):
        raise SpecError(f"network: {key} is {_short(given)}, wanted a list of texts")
    return given


def _numbers(key, given, count):
    fits = isinstance(given, list) and all(type(n) is int and 0 <= n < count for n in given)
    if not fits:
        raise SpecError(f"network: {key} is {_short(given)}, wanted a list of row numbers from 0 to {count - 1}")
    return frozenset(given)


def _short(value, most=60):
    text = repr(value)
    return text if len(text) <= most else text[: most - 3] + "..."


# -- JSON --------------------------------------------------------------------------------


def from_json(source):
    """The network of a JSON file, or of a document that is read already.

    Raises   FormatError for a file that is not there, no JSON, or above MOST_BYTES;
             SpecError, naming the file, as `parse` does.
    """
    if isinstance(source, dict):
        return parse(source)
    path = Path(source)
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read: {error.strerror}") from error
    if len(raw) > MOST_BYTES:
        raise FormatError(f"{path}: more than {MOST_BYTES} bytes, wanted a network's table")
    try:
        document = json.loads(raw.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: no JSON text: {error}") from None
    try:
        return parse(document)
    except SpecError as error:
        raise SpecError(f"{path}: {error}") from None


def to_json(spec):
    """The text of a file that `from_json` reads, one row a line."""
    return json.dumps(format(spec), indent=2) + "\n"


def _once(pairs):
    """An object whose keys come once each."""
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        double = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"key {double!r} comes twice")
    return found


def _no_constant(name):
    raise ValueError(f"{name} is no number of JSON")
