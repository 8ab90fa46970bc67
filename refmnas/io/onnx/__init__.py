"""ONNX files, without the onnx and protobuf packages.

    load(path)              a file as a `Graph` that runs in NumPy
    recognise(graph)        which of our networks it is: refmnas.recognise, which knows models too
    save(path, steps)       write the steps of a network
    encode(steps)           the same as bytes, for a runtime that takes them

`steps` are those of `refmnas.models.fold.nodes(net, size)`: batch norm is folded, so the
file holds convolutions, activations and nothing to be removed first.
"""

from __future__ import annotations

from ...errors import FormatError, SpecError
from .. import _steps
from .._replace import replacing
from . import form, wire
from .graph import Graph
from .read import load
from .write import LOGITS, Writer

__all__ = ["LOGITS", "OPSETS", "Graph", "encode", "load", "save", "wire"]

OPSETS = form.OPSETS


def __getattr__(name):
    """`recognise` stands right of io and models, which do not know one another; it is found here as well."""
    if name == "recognise":
        import refmnas

        return refmnas.recognise
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def save(path, steps, *, batch=1, opset=17, outputs=()):
    """Write an ONNX model, whole or not at all; the same steps give the same bytes.

    steps       of `refmnas.models.fold.nodes(net, size)`; anything with those fields
    batch       a number of images, or a text ("N") where any number is taken
    opset       7 to 25; the IR version is the oldest that has it
    outputs     names of steps whose results are outputs beside the logits, or "all"

    Shapes   input (N, 3, H, W), logits (N, classes), other outputs (N, C, H, W), after a
             pool (N, C, 1, 1); weights are turned to OIHW.
    Units    none.
    Dtypes   float32.
    Raises   SpecError for a batch, opset, step or output that cannot be; DtypeError for
             weights that are not float32; FormatError beyond protobuf's 2 GiB, or where
             the file cannot be written.

    >>> from refmnas.models import build, fold
    >>> net = build("mnasnet-a1", width=0.35)
    >>> len(encode(fold.nodes(net, 64))) > 4 * 1000 * 1280
    True
    """
    message = _message(str(path), steps, batch, opset, outputs)
    try:
        with replacing(path) as file:
            file.writelines(message.pieces())
    except OSError as error:
        raise FormatError(f"{path}: cannot be written: {error.strerror}") from error


def encode(steps, *, batch=1, opset=17, outputs=()):
    """The bytes that `save` would write."""
    return _message("onnx.encode", steps, batch, opset, outputs).encoded()


def _message(where, steps, batch, opset, outputs):
    if not isinstance(opset, int) or isinstance(opset, bool) or opset not in OPSETS:
        raise SpecError(f"{where}: opset is {opset!r}, wanted {OPSETS[0]} to {OPSETS[-1]}")
    if not _is_extent(batch):
        raise SpecError(f"{where}: batch is {batch!r}, wanted a number from 1 on, or a name such as 'N'")
    steps, image = _steps.checked(where, steps, (LOGITS,), _steps.CELLS)
    names = [step.name for step in steps]
    shown = names if outputs == "all" else list(outputs)
    unknown = [name for name in shown if name not in names]
    if unknown:
        raise SpecError(f"{where}: no step {unknown[0]!r} for outputs, wanted one of {', '.join(names[:3])}, ...")
    message = form.model(Writer(steps, image, opset).graph(batch, set(shown)), opset)
    if message.size > wire.LONGEST:
        raise FormatError(f"{where}: the model has {message.size} bytes, wanted at most {wire.LONGEST}: protobuf's limit")
    return message


def _is_extent(batch):
    if isinstance(batch, str):
        return batch.isidentifier()
    return isinstance(batch, int) and not isinstance(batch, bool) and 1 <= batch < 2**31
