"""`refmnas verify captured`: tensors that were captured in another implementation."""

from __future__ import annotations

from . import _verify_common as common


def add(ways):
    way = ways.add_parser(
        "captured",
        help="tensors that were captured in another implementation",
        description="RUN.npz or .safetensors: tensors by the names of the framework's modules (torchvision's, timm's, "
        "TensorFlow's; NCHW or NHWC), and `input`, what was fed.  refmnas.verify.capture writes it from a PyTorch module.",
        epilog="Example: refmnas verify captured run.npz --model mnasnet-b1 --weights mnasnet.pth --html report.html",
    )
    way.add_argument("run_file", metavar="RUN")
    common.add_model(way)
    common.add_claim(way)
    way.add_argument("--names", metavar="N", default="auto", help="whose names the tensors have (recognised)")
    common.add_report(way)
    way.set_defaults(run=run)


def run(args):
    from .. import io
    from ..verify import captured

    common.check_outputs(args)
    model = common.model(args)
    about = {"run": args.run_file, "weights": args.weights or "", "command": common.again(args, args.run_file)}
    return common.tell(args, captured(io.load(args.run_file), model, source=args.names, claim=args.claim, about=about))
