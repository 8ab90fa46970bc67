"""`refmnas convert`: weights from one source's names and layouts to another's, or the whole network as a file."""

from __future__ import annotations

from pathlib import Path

from ._model import add_model, fitted, loaded
from ._output import Output, add_json

# suffix of OUT -> the options beside --model that it takes; any other suffix is a file of weights
NETWORKS = {".onnx": ("dialect", "opset", "batch"), ".tflite": ("dialect", "batch"), ".param": ("dialect",)}
WEIGHTS = ("to",)


def add(subparsers):
    command = subparsers.add_parser(
        "convert",
        help="weights to another source's names and layouts; networks to ONNX, TFLite and ncnn",
        description="The suffix of OUT chooses the format.  .safetensors, .npz, .pth: the weights, under the names "
        "and in the layouts of --to.  .onnx, and .param (for ncnn, with .bin beside it): the network, batch norm folded.",
        epilog="Example: refmnas convert mnasnet.pth out.safetensors --from torchvision --to timm --model mnasnet-b1; "
        "refmnas convert mnasnet.pth out.onnx --model mnasnet-b1 --size 192",
    )
    command.add_argument("source", metavar="IN")
    command.add_argument("target", metavar="OUT")
    command.add_argument("--from", dest="from_names", default="auto", metavar="NAMES", help="names of IN (recognised)")
    command.add_argument("--to", metavar="NAMES", help="of weights, needed: torchvision, timm, tf, refmnas...")
    add_model(command)
    command.add_argument("--dialect", metavar="D", help="of a network: whose padding and epsilon (those of IN's names)")
    command.add_argument("--opset", type=int, metavar="N", help="of .onnx: 7 to 25 (17)")
    command.add_argument("--batch", metavar="N", help="of .onnx and .tflite: images of a run; of .onnx also a name (1)")
    add_json(command)
    command.set_defaults(run=run)


def run(args):
    suffix = Path(args.target).suffix.lower()
    _check(args, suffix)
    record = _network(args, suffix) if suffix in NETWORKS else _weights(args)
    out = Output(args)
    width = f"{record['model']} width {record['width']:g}"
    if suffix in NETWORKS:
        out.say(f"{', '.join(record['files'])}: {record['steps']} steps of {width}, {record['dialect']}")
    else:
        out.say(f"{args.target}: {record['arrays']} arrays of {width}, {record['from']} -> {record['to']}")
    out.record(record)
    return 0


def _check(args, suffix):
    """No option that would be passed over, and --to where it is needed."""
    from ..errors import SpecError

    taken = NETWORKS.get(suffix, WEIGHTS)
    for option in ("to", "dialect", "opset", "batch"):
        if option not in taken and getattr(args, option) is not None:
            raise SpecError(f"convert: --{option} says nothing about {args.target}, wanted {_wanted(taken)}")
    if taken == WEIGHTS and args.to is None:
        raise SpecError(f"convert: no --to, wanted the names of {args.target}: torchvision, timm, tf, refmnas...")


def _wanted(options):
    return " or ".join(f"--{option}" for option in options)


def _weights(args):
    """Read, rename, turn, write; the record of it."""
    from .. import io
    from ..models import dialect, naming

    mapping = io.load(args.source)
    names = naming.detect(mapping) if args.from_names == "auto" else args.from_names
    spec = fitted(args.model, mapping, names, args.width)
    conventions = dialect.of(naming.convention(names, spec), spec.name)
    arrays, beside = naming.read(mapping, spec, conventions, names)
    beside = naming.renamed(beside, spec, conventions, names, args.to)
    written = naming.write(arrays, spec, conventions, args.to, beside)
    versions = naming.metadata(spec, args.to) if args.target.lower().endswith(".pth") else None
    io.save(args.target, {k: v.copy() for k, v in written.items()}, metadata=versions)
    record = {"out": args.target, "arrays": len(written), "model": spec.name, "width": spec.width}
    return record | {"from": names, "to": args.to}


def _network(args, suffix):
    """The network of the weights, as the file that a runtime reads; the record of it."""
    from ..io import ncnn, onnx, tflite
    from ..models import fold

    net = loaded(args.model, args.source, dialect=args.dialect, names=args.from_names, width=args.width, size=args.size)
    steps, files = fold.nodes(net), [args.target]
    batch = args.batch or "1"
    batch = int(batch) if batch.isdecimal() else batch
    if suffix == ".onnx":
        onnx.save(args.target, steps, batch=batch, opset=17 if args.opset is None else args.opset)
    elif suffix == ".tflite":
        tflite.save(args.target, steps, batch=batch)
    else:
        files = [str(path) for path in ncnn.save(args.target, steps)]
    record = {"files": files, "steps": len(steps), "model": net.spec.name, "width": net.spec.width}
    return record | {"dialect": net.dialect.source, "size": net.size}
