"""`refmnas convert`: weights from one source's names and layouts to another's."""

from __future__ import annotations

from ._model import add_model, fitted
from ._output import Output, add_json


def add(subparsers):
    command = subparsers.add_parser(
        "convert",
        help="weights between torchvision, timm, TensorFlow and our own names",
        description="Turn the names and layouts of a file of weights.  The suffix of OUT chooses the format: "
        ".safetensors, .npz or .pth.",
        epilog="Example: refmnas convert mnasnet.pth out.safetensors --from torchvision --to timm --model mnasnet-b1",
    )
    command.add_argument("source", metavar="IN")
    command.add_argument("target", metavar="OUT")
    command.add_argument("--from", dest="from_names", default="auto", metavar="NAMES", help="names of IN (recognised)")
    command.add_argument("--to", dest="to_names", required=True, metavar="NAMES", help="torchvision, timm, tf, refmnas...")
    add_model(command)
    add_json(command)
    command.set_defaults(run=run)


def run(args):
    from .. import io
    from ..models import dialect, naming

    mapping = io.load(args.source)
    names = naming.detect(mapping) if args.from_names == "auto" else args.from_names
    spec = fitted(args.model, mapping, names, args.width)
    conventions = dialect.of(naming.convention(names, spec), spec.name)
    arrays, beside = naming.read(mapping, spec, conventions, names)
    beside = naming.renamed(beside, spec, conventions, names, args.to_names)
    written = naming.write(arrays, spec, conventions, args.to_names, beside)
    versions = naming.metadata(spec, args.to_names) if args.target.lower().endswith(".pth") else None
    io.save(args.target, {k: v.copy() for k, v in written.items()}, metadata=versions)
    text = f"{args.target}: {len(written)} arrays of {spec.name} width {spec.width:g}, {names} -> {args.to_names}"
    out = Output(args)
    out.say(text)
    record = {"out": args.target, "arrays": len(written), "model": spec.name, "width": spec.width}
    out.record(record | {"from": names, "to": args.to_names})
    return 0
