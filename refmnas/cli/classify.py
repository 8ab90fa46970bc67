"""`refmnas classify`: images by a network with weights from a file."""

from __future__ import annotations

from ._model import add_model, loaded
from ._output import Output, Progress, add_json, bold, complain


def add(subparsers):
    command = subparsers.add_parser(
        "classify",
        help="the best classes of photographs",
        description="Classify images, or folders of them.  A broken image is named and the rest goes on; "
        "then the exit code is 2.",
        epilog="Example: refmnas classify cat.jpg --model efficientnet-lite0 --weights lite0.pth --top 3",
    )
    command.add_argument("images", nargs="+", metavar="IMAGE", help="a file or a folder")
    command.add_argument("--weights", required=True, metavar="FILE", help=".safetensors, .npz or .pth")
    command.add_argument("--dialect", metavar="D", help="tf, slim, torchvision, timm, timm-tf, keras (the weights' own)")
    command.add_argument("--names", default="auto", metavar="N", help="whose names the weights have (recognised)")
    command.add_argument("--top", type=int, default=5, metavar="K", help="classes to print (5)")
    command.add_argument("--whole", action="store_true", help="the whole short side, not the cut that the dialect names")
    add_model(command)
    add_json(command)
    command.set_defaults(run=run)


def run(args):
    from .demo import as_record, facts, guess_lines

    options = {"dialect": args.dialect, "names": args.names, "width": args.width, "size": args.size}
    net = loaded(args.model, args.weights, **options)
    out, records, last = Output(args), [], None
    for path, result in _each(args, net):
        if isinstance(result, str):
            records.append({"image": path, "error": result})
            continue
        last = result
        out.say(bold(path), *guess_lines(result))
        records.append({"image": path, **as_record(result)})
    if last is not None:
        out.say("", *facts(last, net))
    out.record(records)
    return 2 if any("error" in record for record in records) else 0


def _each(args, net):
    """(path, prediction) of every image, or (path, what is wrong with it); complaints go to standard error."""
    from .. import predict
    from ..errors import FormatError

    paths, wrong = _paths(args.images)
    for path, error in wrong.items():
        complain("classify", error)
        yield path, error
    progress = Progress(len(paths), "images")
    for path in paths:
        try:
            result = predict.classify(net, path, args.top, whole=args.whole)
        except FormatError as error:
            progress.end()
            complain("classify", str(error))
            result = str(error)
        progress.end()
        yield str(path), result
        progress.step()
    progress.end()


def _paths(given):
    """Every image of the files and folders given, and {path: why not} of those that are neither."""
    from ..errors import FormatError
    from ..io import image

    paths, wrong = [], {}
    for name in given:
        try:
            found = image.find(name)
        except FormatError as error:
            wrong[name] = str(error)
            continue
        paths.extend(found.files)
        if found.skipped:
            complain("classify", f"{name}: {found.skipped} files without an image's suffix are passed over")
    return paths, wrong
