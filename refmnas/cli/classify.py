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
    from .. import predict
    from ..errors import FormatError
    from ..io import image
    from .demo import as_record, guess_lines

    options = {"dialect": args.dialect, "names": args.names, "width": args.width, "size": args.size}
    net = loaded(args.model, args.weights, **options)
    paths = [path for given in args.images for path in image.find(given).files]
    out, progress, records, broken = Output(args), Progress(len(paths), "images"), [], 0
    for path in paths:
        try:
            result = predict.classify(net, path, args.top, whole=args.whole)
        except FormatError as error:
            broken += 1
            complain("classify", str(error))
            records.append({"image": str(path), "error": str(error)})
            continue
        out.say(bold(str(path)), *guess_lines(result))
        records.append({"image": str(path), **as_record(result)})
        progress.step()
    progress.end()
    if len(records) > broken:
        out.say("", f"ran: {result.rows}", f"preprocessing: {result.preprocess}")
    out.record(records)
    return 2 if broken else 0
