"""What the ways of `refmnas verify` share: the model, the claim, and how a report is told."""

from __future__ import annotations

import shlex

from ._model import add_sizes, loaded
from ._output import Output, add_json, check_writable, write_text

GRAPHS = (".onnx", ".tflite")
USUAL = {"claim": "float32", "names": "auto"}  # what `again` leaves out


def add_model(way):
    """The options that say which network, with which weights."""
    way.add_argument(
        "--model", metavar="M", required=True, help="a name that `refmnas show` lists, FILE.json, FILE.onnx or .tflite"
    )
    add_sizes(way)
    way.add_argument("--weights", metavar="W", help="the weights that the implementation had (with a name or FILE.json)")
    way.add_argument("--dialect", metavar="D", help="whose conventions it claims (those of the weights' names)")


def add_claim(way):
    way.add_argument(
        "--claim", metavar="C", default=USUAL["claim"], help="arithmetic: float32, tf32, fp16, bf16, fp16-sums, bf16-sums"
    )


def add_report(way):
    """Where the report goes."""
    way.add_argument("--all", action="store_true", help="a line for every layer")
    way.add_argument("--html", metavar="FILE", help="the report as one self-contained page")
    add_json(way)


def check_outputs(args):
    """OSError where --html or --json cannot be written."""
    for path in (args.html, args.json):
        if path not in (None, "-"):
            check_writable(path)


def model(args):
    """The graph of a file, or the network with its weights."""
    from ..errors import SpecError
    from ..io import onnx, tflite

    if args.model.endswith(GRAPHS):
        given = [f"--{key}" for key in ("weights", "dialect", "width") if getattr(args, key) is not None]
        if given:
            raise SpecError(f"verify: {given[0]} with {args.model}, wanted none: the file has its own")
        return (onnx if args.model.endswith(".onnx") else tflite).load(args.model)
    if args.weights is None:
        raise SpecError(f"verify: no --weights with {args.model}, wanted the file of those that the implementation had")
    return loaded(args.model, args.weights, dialect=args.dialect, width=args.width, size=args.size)


def tell(args, report):
    """Text, page and JSON of a report; its exit code."""
    from ..report import verify as html
    from ._verify_text import lines

    record = report.to_dict()
    out = Output(args)
    out.say(*lines(record, args.all))
    if args.html:
        write_text(args.html, html.whole(record))
    out.record(record)
    return report.exit_code


def again(args, *given):
    """The command as a line; `given` stands before the options."""
    words = ["refmnas", "verify", args.way, *given, "--model", args.model]
    for key in ("weights", "dialect", "width", "size", *USUAL):
        value = getattr(args, key, None)
        if value not in (None, USUAL.get(key)):
            words += [f"--{key}", f"{value}"]
    return shlex.join(words)
