"""`refmnas verify`: is another implementation right, and if not, in which layer and why."""

from __future__ import annotations

import shlex

from ._model import add_sizes, loaded
from ._output import Output, add_json, check_writable, write_text

GRAPHS = (".onnx", ".tflite")


def add(subparsers):
    command = subparsers.add_parser(
        "verify",
        help="judge another implementation layer by layer",
        description="Every layer of another implementation is fed what that implementation itself fed it, and compared with "
        "the float64 reference under a bound that no sound run exceeds.  Exit 0: within rounding, 1: a fault, "
        "3: inconclusive.  Every way takes --json and --html.",
        epilog="Example: refmnas verify captured run.npz --model mobilenet-v3-large --weights v3.pth",
    )
    ways = command.add_subparsers(dest="way", metavar="WAY", required=True)
    _captured(ways)


def _captured(ways):
    way = ways.add_parser(
        "captured",
        help="tensors that were captured in another implementation",
        description="RUN.npz or .safetensors: tensors by the names of the framework's modules (torchvision's, timm's, "
        "TensorFlow's; NCHW or NHWC), and `input`, what was fed.  refmnas.verify.capture writes it from a PyTorch module.",
        epilog="Example: refmnas verify captured run.npz --model mnasnet-b1 --weights mnasnet.pth --html report.html",
    )
    way.add_argument("run_file", metavar="RUN")
    way.add_argument(
        "--model", metavar="M", required=True, help="a name that `refmnas show` lists, FILE.json, FILE.onnx or .tflite"
    )
    add_sizes(way)
    way.add_argument("--weights", metavar="W", help="the weights that the implementation had (with a name or FILE.json)")
    way.add_argument("--dialect", metavar="D", help="whose conventions it claims (those of the weights' names)")
    way.add_argument(
        "--claim", metavar="C", default="float32", help="arithmetic: float32, tf32, fp16, bf16, fp16-sums, bf16-sums"
    )
    way.add_argument("--names", metavar="N", default="auto", help="whose names the tensors have (recognised)")
    way.add_argument("--all", action="store_true", help="a line for every layer")
    way.add_argument("--html", metavar="FILE", help="the report as one self-contained page")
    add_json(way)
    way.set_defaults(run=run)


def run(args):
    from .. import io
    from ..report import verify as html
    from ..verify import captured
    from ._verify_text import lines

    for path in (args.html, args.json):
        if path not in (None, "-"):
            check_writable(path)
    model = _model(args)
    about = {"run": args.run_file, "weights": args.weights or "", "command": _again(args)}
    report = captured(io.load(args.run_file), model, source=args.names, claim=args.claim, about=about)
    record = report.to_dict()
    out = Output(args)
    out.say(*lines(record, args.all))
    if args.html:
        write_text(args.html, html.whole(record))
    out.record(record)
    return report.exit_code


def _model(args):
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


def _again(args):
    """The command as a line."""
    words = ["refmnas", "verify", "captured", args.run_file, "--model", args.model]
    for key in ("weights", "dialect", "width", "size"):
        if getattr(args, key) is not None:
            words += [f"--{key}", f"{getattr(args, key)}"]
    for key, usual in (("claim", "float32"), ("names", "auto")):
        words += [f"--{key}", getattr(args, key)] if getattr(args, key) != usual else []
    return shlex.join(words)
