"""docs/dialects.md holds: every field of a dialect has a row, every row states the records, and its figure is measured."""

import ast
import re
from dataclasses import fields
from fnmatch import fnmatch
from pathlib import Path

import pytest
from dialect_proofs import PROOFS, Switch

from refmnas.models import dialect as dialects
from refmnas.models import zoo
from refmnas.models.dialect import Dialect, Preprocess

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "dialects.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([\w.]+)` \| (.*) \| (.*) \| (.*) \|$", re.M)
SWITCH = re.compile(r"^`([\w.-]+)@([\w-]+)`(?: at width ([\d.]+))?: `(.+)` → `(.+)`$")
NO_CONVENTION = ("source", "unverified", "preprocess")  # the record's own name, what was not read, and a record of its own
BY_NETWORK = "by network"


def rows():
    """field -> (who does what, the switch, the figure) of every row of the document."""
    found = {}
    for field, *cells in ROW.findall(TEXT):
        assert field not in found, f"{field} stands twice"
        found[field] = tuple(cells)
    return found


ROWS = rows()


def value(text):
    """A value as the document writes it: a word, or what Python reads."""
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text


def of_record(record, field):
    outer, _, inner = field.partition(".")
    found = getattr(record, outer)
    return getattr(found, inner) if inner else found


def test_every_convention_has_a_row_and_every_row_a_proof():
    wanted = {f.name for f in fields(Dialect)} - set(NO_CONVENTION) | {f"preprocess.{f.name}" for f in fields(Preprocess)}
    assert set(ROWS) == wanted
    assert set(PROOFS) == wanted


def claims(cell):
    """[(value, source, pattern of networks or None)] of `value`: source, source (network, network); ..."""
    found = []
    for part in cell.split("; "):
        head, colon, rest = part.partition(": ")
        assert colon, part
        assert head.startswith("`"), part
        assert head.endswith("`"), part
        for source, patterns in re.findall(r"([\w-]+)(?: \(([^)]*)\))?", rest):
            found += [(value(head.strip("`")), source, pattern) for pattern in (patterns.split(", ") if patterns else [None])]
    return found


@pytest.mark.parametrize("field", ROWS)
def test_who_does_what_is_what_the_records_say(field):
    """Every source that published a network has the value that the row claims for it; a bare source is all of its others."""
    cell = ROWS[field][0]
    found = {(s, n): of_record(dialects.of(s, n), field) for n in zoo.names() for s in zoo.get(n).sources}
    if cell == BY_NETWORK:
        assert len(set(found.values())) > 6
        return
    told = claims(cell)
    for (source, network), real in found.items():
        named = [v for v, s, pattern in told if s == source and pattern and fnmatch(network, pattern)]
        bare = [v for v, s, pattern in told if s == source and pattern is None]
        (claimed,) = {str(v): v for v in named or bare}.values()
        assert claimed == real, (source, network)
    for _, source, pattern in told:
        assert any(s == source and (pattern is None or fnmatch(n, pattern)) for s, n in found), (source, pattern)


def switch(field):
    network, source, width, before, after = SWITCH.match(ROWS[field][1]).groups()
    return Switch(field, network, source, float(width or 1), value(before), value(after))


@pytest.mark.parametrize("field", ROWS)
def test_one_field_switched_moves_what_the_row_says(field):
    s = switch(field)
    own, other = s.records()
    assert of_record(own, field) == s.before
    assert of_record(other, field) == s.after != s.before
    figure, of = PROOFS[field](s)
    assert ROWS[field][2] == f"**{figure}** {of}"


def test_the_values_switched_to_are_somebodys():
    """A row switches between two conventions that exist, but where one has no other in any record."""
    own_alone = {"conv_bias", "drop_path", "kink"}
    for field in set(ROWS) - own_alone:
        real = {of_record(dialects.of(s, n), field) for n in zoo.names() for s in zoo.get(n).sources}
        assert switch(field).after in real, field


def test_a_field_that_is_not_switched_moves_nothing():
    """The proofs themselves: the same value gives a figure of 0, or a ratio of 1."""
    for field, nothing in (("padding", "0.0e+00"), ("se_base", "+0"), ("bn_momentum", "1"), ("preprocess.mean", "0.0e+00")):
        s = switch(field)
        still = Switch(s.field, s.network, s.source, s.width, s.before, s.before)
        assert PROOFS[field](still)[0] == nothing
