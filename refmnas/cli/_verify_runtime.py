"""`refmnas verify runtime`: another runtime is run on a network or a file, and judged."""

from __future__ import annotations

import shlex
from pathlib import Path

from . import _verify_common as common
from ._model import add_sizes, loaded, table_of


def add(ways):
    way = ways.add_parser(
        "runtime",
        help="a runtime that is run here, on a network or on your own file",
        description="MODEL is run twice by the runtime: with every tensor made an output, which switches fusions off, and "
        "untouched.  Where the results differ in bits, the untouched run is judged by its fused segments.  Without --weights a "
        "network has drawn ones; without --images it sees a drawn image.  The runtime computes on the CPU.",
        epilog="Example: refmnas verify runtime mobilenet-v3-large --with ort",
    )
    way.add_argument("model", metavar="MODEL", help="a name that `refmnas show` lists, FILE.json, FILE.onnx or FILE.tflite")
    way.add_argument("--with", dest="runtime", metavar="R", required=True, help="ort, openvino, litert, ncnn or torch")
    add_sizes(way)
    way.add_argument("--weights", metavar="W", help="a file of weights (drawn, as the bench has them)")
    way.add_argument("--dialect", metavar="D", help="whose conventions (the weights', else the network's first source)")
    way.add_argument("--images", nargs="+", metavar="F", help="image files, or a folder of them (a drawn image)")
    way.add_argument("--threads", type=int, default=1, metavar="N", help="threads of the runtime (1)")
    way.add_argument("--level", metavar="L", help="ort: none, basic, extended, all (all); litert: none: built-in kernels (all)")
    way.add_argument(
        "--precision", metavar="P", default="float32", help="openvino, ncnn, torch: float32, fp16, bf16; the claim with it"
    )
    way.add_argument("--channels-last", action="store_true", help="torch: channels_last")
    way.add_argument("--no-onednn", action="store_true", help="torch: without oneDNN")
    way.add_argument("--claim", metavar="C", help="arithmetic (that of --precision), as `captured` has it")
    common.add_report(way)
    way.set_defaults(run=run)


def run(args):
    from ..verify import runtime

    common.check_outputs(args)
    runtime.check_name(args.runtime)
    preprocess, files = _files(args)
    settings = runtime.Settings(args.threads, args.level, args.precision, args.channels_last, not args.no_onednn)
    subject, weights, preprocess = _subject(args, len(files) or 1, preprocess)
    opened = runtime.open_runtime(args.runtime, subject, settings)
    x, shown = _images(files, preprocess, subject)
    about = {"weights": weights, "images": shown, "command": _again(args)}
    return common.tell(args, runtime.judged(opened, x, claim=args.claim, about=about))


def _files(args):
    """(the preprocessing of a user's file, the image files): what can be refused before anything is built."""
    from ..errors import SpecError
    from ..io import image
    from ..models import dialect

    is_file = args.model.endswith(common.GRAPHS)
    given = [f"--{key}" for key in ("weights", "width") if getattr(args, key) is not None]
    if is_file and given:
        raise SpecError(f"verify: {given[0]} with {args.model}, wanted none: the file has its own")
    if is_file and args.images and args.dialect is None:
        raise SpecError(f"verify: --images with {args.model}, wanted --dialect too: it says how images are prepared")
    files = [file for path in args.images or () for file in image.find(path).files]
    return (dialect.of(args.dialect).preprocess if is_file and args.dialect else None), files


def _subject(args, batch, preprocess):
    """(the subject, what to say of its weights, the preprocessing)."""
    from ..bench import weights as bench_weights
    from ..models import build, zoo
    from ..verify import runtime

    if args.model.endswith(common.GRAPHS):
        return runtime.of_file(args.model, args.size), f"those of {Path(args.model).name}", preprocess
    if args.weights:
        net = loaded(args.model, args.weights, dialect=args.dialect, width=args.width, size=args.size)
        words = f"those of {Path(args.weights).name}"
    else:
        spec, dialect = table_of(args.model, args.dialect)
        spec = spec if args.width is None else zoo.find(args.model, args.width)
        net = bench_weights.drawn(build(spec, size=args.size, dialect=dialect))
        words = "drawn, of order 1 (refmnas.bench.weights)"
    return runtime.of_network(net, args.size, batch), words, net.dialect.preprocess


def _images(files, preprocess, subject):
    """(x, in words)."""
    import numpy as np

    from ..errors import SpecError
    from ..io import image
    from ..verify import runtime

    if not files:
        return runtime.picture(subject.size, subject.batch or 1), "drawn (refmnas.verify.runtime.picture)"
    height, width = subject.size
    if height != width:
        raise SpecError(f"verify: --images with {subject.name} of {height} x {width}, wanted a square: images are cut to one")
    x = np.concatenate([image.open(file, preprocess, height) for file in files])
    return x, ", ".join(file.name for file in files)


def _again(args):
    words = ["refmnas", "verify", "runtime", args.model, "--with", args.runtime]
    usual = {"threads": 1, "precision": "float32"}
    for key in ("weights", "dialect", "width", "size", "threads", "level", "precision", "claim"):
        value = getattr(args, key)
        if value not in (None, usual.get(key)):
            words += [f"--{key}", f"{value}"]
    words += [f"--{key.replace('_', '-')}" for key in ("channels_last", "no_onednn") if getattr(args, key)]
    return shlex.join([*words, *(["--images", *map(str, args.images)] if args.images else [])])
