"""Networks as text: the original's block strings, and a JSON document around them.

    r3_k5_s22_e3_i24_o40_se0.25_noskip

    r repeats, k kernel, s stride (down and across, one digit each), e expansion, i input
    channels, o output channels, se squeeze ratio (absent: none), noskip: no identity

is the notation of tensorflow/tpu mnasnet_models.py (MnasNetDecoder), which takes the
tokens in any order, ignores those it does not know and keeps the last of a doubled one.
Here they are read strictly, in any order, and written in the order above.  i must be
the width that the row before gives; in the first row another one is kept as
`declared_in`, as the original's mnasnet-small has it.

Beyond the original, in timm's words: nre, nr6, nsw, nhs, an activation that is not the
network's; in front of a row dsa, MobileNetV1's block, and ir, an mbconv block that
expands by 1.  Our own: res, RegNet's bottleneck, with g, the channels of a group.

A document is what `format` gives, and JSON holds it:

    {"name": "mine", "stem": {"kernel": 3, "stride": 2, "channels": 16},
     "blocks": ["r1_k3_s11_e1_i16_o8_noskip", "r2_k5_s22_e6_i8_o24_se0.25"],
     "head": {"channels": 640, "classes": 10, "dropout": 0.2}}

Further keys, all optional, are the fields of NetSpec (`merge` and the head's `levels` are
lists); `unscaled` and `undeepened` list
the rows that follow neither the width nor the depth multiplier, `joined` those that are
one stage with the row before; rows are counted from 0.  A network of cells has `normal`
and `reduction` in the place of `blocks`: `cell_text`.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import MISSING, fields
from pathlib import Path

from ..errors import FormatError, SpecError
from . import cell_text
from .cell_spec import CellSpec
from .spec import Head, NetSpec, Stage, Stem

ORDER = ("r", "k", "s", "e", "i", "o", "se", "noskip")
NEEDED = ORDER[:6]
BLOCKS = {"ir": "mbconv", "dsa": "separable", "res": "bottleneck"}
ACTS = {"nre": "relu", "nr6": "relu6", "nsw": "swish", "nhs": "hard_swish"}
MOST_BYTES = 1 << 20  # of a JSON document
MOST_ROWS = 1000
MOST_DIGITS = 6

_NUMBER = re.compile(r"[1-9][0-9]*")
_RATIO = re.compile(r"0\.[0-9]*[1-9]|1(\.0)?|[1-9](\.[0-9]+)?e-[0-9]{1,3}")
_EXPANSION = re.compile(r"[1-9][0-9]{0,5}(\.[0-9]{1,20})?")
_TOKEN = re.compile(r"([a-z]*)(.*)", re.DOTALL)
_MEANS = {
    "r": "repeats", "k": "kernel", "s": "stride, two digits", "e": "expansion", "i": "input channels",
    "o": "output channels", "se": "squeeze ratio", "g": "channels of a group",
}  # fmt: skip


_WORDS = (*ORDER, "g", *ACTS, *BLOCKS)


# -- one block string ------------------------------------------------------------------


def parse_block(row, c_in, where="block string", *, is_first=False):
    """The Stage of one string; `c_in` is the width that reaches it.

    Raises   SpecError naming `where`, the token, and what was wanted.

    >>> parse_block("r3_k5_s22_e3_i24_o40_se0.25", 24).channels
    40
    """
    tokens = _tokens(row, where)
    down, across = tokens["s"]
    if down != across:
        raise SpecError(f"{where}: token s{tokens['s']} has strides {down} and {across}, wanted equal ones, 11 or 22")
    declared = int(tokens["i"])
    if declared != c_in and not is_first:
        raise SpecError(f"{where}: token i{declared} does not fit the row before, which gives {c_in}; wanted i{c_in}")
    expand = float(tokens["e"]) if "." in tokens["e"] else int(tokens["e"])
    block = BLOCKS.get(tokens.get("block"), "sep" if expand == 1 else "mbconv")
    try:
        return Stage(
            block, int(tokens["r"]), int(tokens["k"]), int(down), expand, int(tokens["o"]),
            se=float(tokens.get("se", 0)), skip="noskip" not in tokens and block != "separable",
            declared_in=None if declared == c_in else declared, act=ACTS.get(tokens.get("act"), ""),
            group=int(tokens.get("g", 0)),
        )  # fmt: skip
    except SpecError as error:
        raise SpecError(f"{where}: {error} (in {row!r})") from None


def _tokens(row, where):
    """{key: text of its value}, each key once, none unknown, none missing."""
    if not isinstance(row, str):
        raise SpecError(f"{where}: {row!r}, wanted a text like r3_k5_s22_e3_i24_o40")
    found = {}
    for token in row.split("_"):
        key, value = _token(token, where)
        if key in found:
            raise SpecError(f"{where}: token {token!r} comes a second time, wanted each once")
        found[key] = value
    missing = [key for key in NEEDED if key not in found]
    if missing:
        named = ", ".join(f"{key} ({_MEANS[key]})" for key in missing)
        raise SpecError(f"{where}: {row!r} has no token {named}; wanted r, k, s, e, i and o")
    return found


def _token(token, where):
    if token == "noskip" or token in BLOCKS or token in ACTS:
        return {**dict.fromkeys(BLOCKS, "block"), **dict.fromkeys(ACTS, "act")}.get(token, token), token
    key, value = _TOKEN.fullmatch(token).groups()
    if key not in _MEANS:
        near = difflib.get_close_matches(token, _WORDS, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise SpecError(f"{where}: unknown token {token!r}, wanted one of {', '.join(_WORDS)}{hint}")
    if key == "se":
        if not _RATIO.fullmatch(value):
            raise SpecError(f"{where}: token {token!r}, wanted se and a ratio above 0 and at most 1, as se0.25")
    elif key == "s":
        if not re.fullmatch("[12]{2}", value):
            raise SpecError(f"{where}: token {token!r}, wanted s and two digits of 1 or 2, as s22")
    elif key == "e" and _EXPANSION.fullmatch(value):
        pass
    elif not _NUMBER.fullmatch(value) or len(value) > MOST_DIGITS:
        wanted = f"wanted {key} ({_MEANS[key]}) and a whole number of 1 to {MOST_DIGITS} digits, not 0 in front"
        raise SpecError(f"{where}: token {token!r}, {wanted}")
    return key, value


def format_block(stage, c_in):
    """The string of one Stage, inverse of `parse_block`."""
    declared = c_in if stage.declared_in is None else stage.declared_in
    plain = "sep" if stage.expand == 1 else "mbconv"
    parts = [word for word, block in BLOCKS.items() if block == stage.block != plain]
    parts += [f"r{stage.repeats}", f"k{stage.kernel}", f"s{stage.stride}{stage.stride}", f"e{stage.expand}"]
    parts += [f"i{declared}", f"o{stage.channels}"]
    parts += [f"g{stage.group}"] if stage.group else []
    parts += [f"se{float(stage.se)!r}"] if stage.se else []
    parts += [word for word, act in ACTS.items() if act == stage.act]
    return "_".join(parts + (["noskip"] if not stage.skip and stage.block != "separable" else []))


# -- a whole network -------------------------------------------------------------------


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
