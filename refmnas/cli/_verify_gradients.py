"""`refmnas verify gradients`: parameter and activation gradients of another implementation."""

from __future__ import annotations

from . import _verify_common as common


def add(ways):
    way = ways.add_parser(
        "gradients",
        help="gradients of another implementation, of parameters and of activations",
        description="RUN.npz or .safetensors: tensors as `captured` takes them, and gradients under NAME.grad: of a module's "
        "result, of a parameter, of the input and the output.  refmnas.verify.capture_gradients writes it from a PyTorch "
        "module.  The claim is float32.",
        epilog="Example: refmnas verify gradients run.npz --model mobilenet-v2 --weights v2.pth --train",
    )
    way.add_argument("run_file", metavar="RUN")
    common.add_model(way)
    common.add_claim(way)
    way.add_argument("--names", metavar="N", default="auto", help="whose names the tensors have (recognised)")
    mode = way.add_mutually_exclusive_group()
    mode.add_argument(
        "--train", dest="mode", action="store_const", const="train", help="batch norm took the batch's statistics"
    )
    mode.add_argument("--eval", dest="mode", action="store_const", const="eval", help="it took the running ones")
    common.add_report(way)
    way.set_defaults(run=run, mode="auto")


def run(args):
    from .. import io
    from ..verify import gradients

    common.check_outputs(args)
    model = common.model(args)
    command = common.again(args, args.run_file) + ("" if args.mode == "auto" else f" --{args.mode}")
    about = {"run": args.run_file, "weights": args.weights or "", "command": command}
    found = gradients(io.load(args.run_file), model, mode=args.mode, source=args.names, claim=args.claim, about=about)
    return common.tell(args, found)
