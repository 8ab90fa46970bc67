"""`refmnas read OP`: equation, oracle, NumPy reference and C template side by side."""

from __future__ import annotations

from dataclasses import asdict

from ._output import Output, add_json, bold, write_text


def add(subparsers):
    command = subparsers.add_parser(
        "read",
        help="an op's equation, oracle, NumPy reference and C, matched by equation number",
        description="The texts of one op side by side, cut from the installed sources, with a worked example "
        "computed here; without OP, the list and the reading path.",
        epilog="Example: refmnas read depthwise --html depthwise.html",
    )
    command.add_argument("op", nargs="?", metavar="OP", help="an op, layer or block: depthwise, mbconv")
    command.add_argument("--html", metavar="FILE", help="write one self-contained HTML file, four columns")
    command.add_argument("--full", action="store_true", help="whole docstrings, and every file of the C template")
    add_json(command)
    command.set_defaults(run=run)


def run(args):
    from .. import reading

    if args.op is None:
        return _list(args, reading)
    out, page = Output(args), reading.open(args.op)
    if args.html:
        from ..reading import html

        write_text(args.html, html.page(page))
        out.say(f"wrote {args.html}")
    else:
        from ..reading import terminal

        out.say(*terminal.lines(page, bold=bold, full=args.full))
    out.record(_record(page))
    return 0


def _list(args, reading):
    from ..reading.path import PATH

    out, rooms = Output(args), reading.subjects()
    out.say(bold("The reading path, from one multiply-add to MBConv"))
    out.say(*(f"  refmnas read {step.name:16} {step.why}" for step in PATH))
    rest = [name for name in rooms if name not in {step.name for step in PATH}]
    out.say("", "Besides these: " + ", ".join(rest))
    out.record({"path": [step._asdict() for step in PATH], "subjects": rooms})
    return 0


def _record(page):
    record = asdict(page)
    for row in record["rows"]:
        example = row["worked"]
        if example is not None:
            for key in ("inputs", "outputs"):
                example[key] = {name: a.tolist() for name, a in example[key].items()}
    return record
