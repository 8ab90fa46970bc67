"""`refmnas compile-report`: the plan of a network, step by step, and where its memory goes."""

from __future__ import annotations

from ._output import Output, add_json, bold, check_writable, table, write_text


def add(subparsers):
    command = subparsers.add_parser(
        "compile-report",
        help="the engine's plan of a network: fused steps, memory",
        description="What `refmnas.compile` makes of a network: its fused steps with their work, and the memory between them.",
        epilog="Example: refmnas compile-report mnasnet-a1 --threads 2 --html plan.html",
    )
    command.add_argument("model", metavar="M", help="a name that `refmnas show` lists, or FILE.json")
    command.add_argument("--size", type=int, metavar="N", help="side of the square image in pixels (the table's own)")
    command.add_argument("--batch", type=int, default=1, metavar="N", help="images of a run (1)")
    command.add_argument("--threads", type=int, default=1, metavar="N", help="threads (1)")
    command.add_argument("--dialect", metavar="D", help="whose conventions (torchvision, timm, else the table's first)")
    command.add_argument("--html", metavar="FILE", help="write one self-contained HTML file, with the memory as a picture")
    add_json(command)
    command.set_defaults(run=run)


def run(args):
    from ..bench import entrants
    from ..engine.describe import describe
    from ..models import build
    from ..report import plan

    for path in (args.html, args.json):
        if path not in (None, "-"):
            check_writable(path)
    net = build(args.model, dialect=entrants.conventions(args.model, args.dialect))
    record = describe(net, batch=args.batch, size=args.size, threads=args.threads)
    out = Output(args)
    out.say(bold(plan.title(record)), *table(plan.HEADER, plan.steps(record)))
    out.say(*(f"  {name}: {value}" for name, value in plan.facts(record)))
    if args.html:
        write_text(args.html, plan.plan(record))
        out.say(f"wrote {args.html}")
    out.record(record)
    return 0
