"""`refmnas diff`: two networks' tables and dialects side by side, what differs marked."""

from __future__ import annotations

from ._output import Output, add_json, bold, table

MARK = "*"


def add(subparsers):
    command = subparsers.add_parser(
        "diff",
        help="two networks' tables and conventions side by side",
        description="The tables of two networks block by block, and the fields of their dialects, side by side; what differs "
        "is marked *.  The same network in two dialects shows what two public implementations disagree on.",
        epilog="Example: refmnas diff mnasnet-b1@tf mnasnet-b1@torchvision --changed",
    )
    command.add_argument("a", metavar="A", help="a name that `refmnas show` lists, NAME@DIALECT, or FILE.json")
    command.add_argument("b", metavar="B", help="the other one")
    command.add_argument("--dialect-a", metavar="D", help="A's conventions (those of its NAME@DIALECT, else the table's first)")
    command.add_argument("--dialect-b", metavar="D", help="B's")
    command.add_argument("--changed", action="store_true", help="only what differs")
    add_json(command)
    command.set_defaults(run=run)


def run(args):
    from ..models import difference
    from ._model import table_of

    a, b = table_of(args.a, args.dialect_a), table_of(args.b, args.dialect_b)
    network, dialect = difference.network(a, b), difference.dialects(a[1], b[1])
    blocks = difference.blocks(a, b)
    out = Output(args)
    out.say(*(f"{title}: {spec.source}" for title, (spec, _) in zip(_titles(a, b), (a, b), strict=True)), "")
    out.say(*_text(network, blocks, dialect, _titles(a, b), args.changed))
    out.record(_record(a, b, network, blocks, dialect))
    return 0


def _titles(a, b):
    """A column's heading of each."""
    return [f"{spec.name}@{dialect.source}" for spec, dialect in (a, b)]


def _text(network, blocks, dialect, titles, is_short):
    parts = (
        ("network", ("", "field", *titles), [_line(line) for line in network if line.field != "source"]),
        ("blocks", ("", "block", *titles), [_place(place) for place in blocks]),
        ("dialect", ("", "field", *titles), [_line(line) for line in dialect]),
    )
    for name, header, rows in parts:
        changed = sum(bool(row[0]) for row in rows)
        yield bold(f"{name}: {changed} of {len(rows)} differ")
        shown = [row for row in rows if row[0] or not is_short]
        if shown:
            yield from table(header, shown)
        yield ""
    yield "  k: kernel; s: stride; se: channels of the squeeze; g: groups; + x: the block's input is added"


def _line(line):
    return MARK * line.differs, line.field, _word(line.a), _word(line.b)


def _word(value):
    if isinstance(value, tuple):
        return ", ".join(map(_word, value)) or "none"
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "the table's"}[value]
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)


def _place(place):
    return MARK * bool(place.differs), place.place, _block(place.a), _block(place.b)


def _block(b):
    """A block in one line.

    >>> b = {"kind": "mbconv", "kernel": 5, "stride": 2, "c_in": 24, "mid": 72, "c_out": 40, "squeeze": 6, "expands": True}
    >>> _block(b | {"has_skip": False, "act": "relu", "groups": 0, "size_in": (56, 56)})
    'mbconv k5 s2 24 > 72 > 40 se 6 relu at 56 x 56'
    """
    if b is None:
        return "-"
    if "filters" in b:
        return f"{b['kind']} {b['filters']} of {b['now']}, {b['before']}"
    widths = f"{b['c_in']} > {b['mid']} > {b['c_out']}" if b["expands"] else f"{b['c_in']} > {b['c_out']}"
    more = (f" g {b['groups']}" if b["groups"] else "") + (f" se {b['squeeze']}" if b["squeeze"] else "")
    size = " x ".join(map(str, b["size_in"]))
    return f"{b['kind']} k{b['kernel']} s{b['stride']} {widths}{more} {b['act']} at {size}{' + x' * b['has_skip']}"


def _record(a, b, network, blocks, dialect):
    def lines(found):
        return [line._asdict() | {"differs": line.differs} for line in found]

    return {
        "a": {"network": a[0].name, "dialect": a[1].source},
        "b": {"network": b[0].name, "dialect": b[1].source},
        "network": lines(network),
        "blocks": [place._asdict() for place in blocks],
        "dialect": lines(dialect),
    }
