"""`refmnas compare`: networks side by side, what they cost, how fast they run here, how right they are."""

from __future__ import annotations

import shlex
import sys

from ._model import add_sizes
from ._output import Output, Progress, add_json, bold, check_writable, complain, table, write_text


def add(subparsers):
    command = subparsers.add_parser(
        "compare",
        help="networks side by side: cost, latency here, accuracy published and measured",
        description="Parameters, multiply-adds, the plan's memory, the latency of our engine (and of peers), and the accuracy "
        "that the source of the weights states, with that source.  With --images also the accuracy of each MODEL=WEIGHTS on "
        "them.  A network that the engine does not take is compared without latency.",
        epilog="Example: refmnas compare mnasnet-a1 mobilenet-v2 efficientnet-lite0 --html compare.html",
    )
    command.add_argument(
        "models", nargs="+", metavar="MODEL", help="NAME, NAME@DIALECT or FILE.json, perhaps with =WEIGHTS behind it"
    )
    command.add_argument("--threads", type=int, default=1, metavar="N", help="threads (1)")
    add_sizes(command)
    command.add_argument("--peers", default="none", metavar="LIST", help="all, none, or ort,openvino,... (none)")
    command.add_argument("--images", metavar="DIR", help="labelled images: folders named by class index, or with --labels")
    command.add_argument("--labels", metavar="F", help="lines file,index: the index of each image's class from 0")
    command.add_argument("--html", metavar="FILE", help="write one self-contained HTML file, with accuracy over latency")
    add_json(command)
    command.set_defaults(run=run)


def run(args):
    from ..compare import table as compared
    from ..report import compare as report

    asked, images = _checked(args)
    entries = _entries(asked, images, args)
    progress = Progress(len(entries), "networks")
    record = compared.compared(
        entries,
        size=args.size,
        threads=args.threads,
        peers=_peers(args.peers),
        command=f"refmnas {shlex.join(sys.argv[1:])}" if sys.argv[1:] else "",
        tell=progress.note,
    )
    progress.end()
    out = Output(args)
    if args.html:  # the files first: a reader of a pipe may have seen enough, and a minute's work is in them
        write_text(args.html, report.page_of(record))
    out.record(record)
    out.say(*_text(record), *([f"wrote {args.html}"] if args.html else []))
    if record["is_partial"]:
        complain("compare", "interrupted; what was measured until then is kept, marked partial")
        return 130
    return 1 if any(n["latency"] and n["latency"]["is_wrong"] for n in record["networks"]) else 0


def _checked(args):
    """([(model, dialect, weights)], images): everything that can be refused is refused here, before a clock runs."""
    from ..bench import entrants
    from ..compare import labels
    from ..errors import SpecError
    from ..models import zoo
    from ._model import weighed

    if not 1 <= args.threads <= 256:
        raise SpecError(f"compare: --threads is {args.threads}, wanted 1 to 256")
    if args.size is not None and not 1 <= args.size <= 1 << 13:
        raise SpecError(f"compare: --size is {args.size}, wanted 1 to {1 << 13}")
    _peers(args.peers)
    for path in (args.html, args.json):
        if path not in (None, "-"):
            check_writable(path)
    asked = [weighed(text) for text in args.models]
    for model, dialect, _ in asked:
        zoo.find(model, 1.0 if args.width is None else args.width)
        entrants.listed([model], dialect)
        entrants.checked(model, entrants.conventions(model, dialect), args.size)
    if args.labels and not args.images:
        raise SpecError("compare: --labels without --images, wanted the folder that its files are in")
    if args.images and not any(weights for _, _, weights in asked):
        raise SpecError("compare: --images without weights, wanted at least one MODEL=WEIGHTS")
    return asked, labels.read(args.images, args.labels) if args.images else []


def _peers(text):
    from ..bench import entrants

    return entrants.chosen(text)


def _entries(asked, images, args):
    """Each network with what its weights say, and its accuracy on the images."""
    from ..bench import entrants
    from ..compare import accuracy, table
    from ..models import zoo
    from ._model import loaded

    found = []
    for model, dialect, weights in asked:
        if weights is None:
            found.append(table.Entry(model, entrants.conventions(model, dialect), args.width or 1.0))
            continue
        net = loaded(model, weights, dialect=dialect, size=args.size, width=args.width)
        width = net.spec.width / zoo.find(model).width
        progress = Progress(len(images), f"{model}: images")
        right = accuracy.measured(net, images, lambda done, p=progress: p.step())._asdict() if images else None
        progress.end()
        found.append(table.Entry(model, net.dialect.source, width, weights, net.spec, right))
    return found


def _text(record):
    from ..report import compare as report

    yield bold(report.title(record))
    yield from table(report.header(record), report.table(record))
    yield from (f"  {line}" for line in report.remarks(record))
    sources = report.sources(record)
    if sources:
        yield from ("", bold("published accuracies"), *table(report.FROM, sources))
