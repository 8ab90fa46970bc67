"""`refmnas verify tolerance`: what a criterion of the user's own lets through, of faults planted in their network."""

from __future__ import annotations

import math

from . import _verify_common as common
from ._output import Output, Progress, add_json, bold, complain, table, write_text

MOST = 8  # images that are taken
DRAWN = 2  # where none are given


def add(ways):
    way = ways.add_parser(
        "tolerance",
        help="what your own tolerance would let through on your network",
        description="Every planted cause of the catalogue is tried at the first, the middle and the last layer where it can be "
        "made, and the wrong logits are compared with those of a sound run by the criterion given.  Exit 0: nothing "
        "gets through, 1: something does, 130: interrupted before either is known; the table up to there is told.",
        epilog="Example: refmnas verify tolerance --rtol 1e-3 --atol 1e-3 --model mobilenet-v3-large",
    )
    way.add_argument("--rtol", type=float, metavar="R", help="|came - y| <= A + R |y| must hold for every logit")
    way.add_argument("--atol", type=float, metavar="A", help="of the two the one not given is 0")
    way.add_argument("--cosine", type=float, metavar="C", help="the least cosine of an image's logits")
    way.add_argument("--top1", action="store_true", help="the first class of every image must be the same")
    common.add_model(way)
    way.add_argument("--images", nargs="+", metavar="IMAGE", help=f"files or a folder, the first {MOST} (drawn numbers)")
    way.add_argument("--html", metavar="FILE", help="the table as one self-contained page")
    add_json(way)
    way.set_defaults(run=run)


def run(args):
    from ..report import tolerance as words
    from ..verify.parts import of_network
    from ..verify.tolerance import criteria, tried

    given = criteria(rtol=args.rtol, atol=args.atol, cosine=args.cosine, top1=args.top1)
    common.check_outputs(args)
    net, weights = _network(args)
    x, images = _images(args, net)
    parts = of_network(net, x.shape[1])
    _check_memory(parts, len(x))
    progress = Progress(0, "planted")
    found = tried(parts, x, given, rtol=args.rtol, note=lambda k, total, told: _note(progress, k, total, told))
    progress.end()
    record = found.to_dict() | {
        "model": f"{net.spec.name} width {net.spec.width:g}, {net.dialect.source}, {x.shape[1]} x {x.shape[2]}",
        "about": {"weights": weights, "images": images},
        "reproduce": _again(args),
    }
    record["rows"] = [row | {"logits": row["logits"] if math.isfinite(row["logits"]) else None} for row in record["rows"]]
    out = Output(args)
    out.say(*lines(record))
    if args.html:
        write_text(args.html, words.whole(record))
    out.record(record)
    return found.exit_code


def lines(record):
    """The record as text; the figures that are asked for come last."""
    from ..report import tolerance as words

    yield bold(f"{record['model']}: what {', '.join(record['criteria'])} lets through")
    yield from (f"  {key}: {value}" for key, value in record["about"].items())
    yield ""
    yield from table(words.header(record), [words.cells(row, record["criteria"]) for row in record["rows"]])
    yield ""
    yield from (f"  {line}" for line in (*words.notes(record), *words.sound(record)))
    yield f"  once more: {record['reproduce']}"
    yield bold(words.last(record))


def _note(progress, k, total, told):
    progress.done, progress.total = k, total
    progress.note(told)


def _network(args):
    """(the network, whose weights it has)."""
    from ..bench.weights import drawn
    from ..errors import SpecError
    from ..models import build
    from ._model import loaded, table_of

    if args.model.endswith(common.GRAPHS):
        raise SpecError(f"verify: {args.model} is a graph, wanted a name that `refmnas show` lists, or FILE.json")
    if args.weights is not None:
        net = loaded(args.model, args.weights, dialect=args.dialect, width=args.width, size=args.size)
        return net, args.weights
    spec, dialect = table_of(args.model, args.dialect)
    net = build(spec, width=args.width or 1.0, size=args.size, dialect=dialect)
    return drawn(net), "drawn from a seed, so that every tensor is of order 1: no trained network's"


def _images(args, net):
    """(x (N, H, W, 3) float32, what it is)."""
    import numpy as np

    if args.images is None:
        x = np.random.default_rng(0).normal(size=(DRAWN, net.size, net.size, 3)).astype(np.float32)
        return x, f"{DRAWN} drawn from a unit normal"
    from ..io import image

    files = [path for name in args.images for path in image.find(name).files]
    if len(files) > MOST:
        complain("verify", f"the first {MOST} of {len(files)} images are taken")
    x = np.concatenate([image.open(path, net.dialect.preprocess, net.size) for path in files[:MOST]])
    return x, ", ".join(str(path) for path in files[:MOST])


def _check_memory(parts, count):
    """SpecError where the results of two runs do not fit into the memory that is free."""
    from ..errors import SpecError
    from ..verify.memory import available

    wanted, free = 3 * 4 * count * sum(math.prod(part.shape) for part in parts), available()
    if free is not None and wanted > free:
        came = f"wants about {wanted / 2**30:.1f} GiB, {free / 2**30:.1f} GiB are free"
        raise SpecError(f"verify: every result of the network {came}; wanted a smaller --size or fewer --images")


def _again(args):
    words = [f"--{key} {getattr(args, key):g}" for key in ("rtol", "atol", "cosine") if getattr(args, key) is not None]
    words += ["--top1"] * args.top1
    line = common.again(args).replace(" tolerance ", f" tolerance {' '.join(words)} ", 1)
    return line + (f" --images {' '.join(args.images)}" if args.images else "")
