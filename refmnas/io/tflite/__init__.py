"""TFLite files, without TensorFlow and the flatbuffers package.

    load(path)              a file of floats as a `Graph` that runs in NumPy
    recognise(graph)        which of our networks it is: refmnas.recognise, which knows models too
    save(path, steps)       write the steps of a network
    encode(steps)           the same as bytes, for a runtime that takes them

`steps` are those of `refmnas.models.fold.nodes(net, size)`: batch norm is folded.
"""

from __future__ import annotations

from ... import __version__
from ...errors import FormatError, SpecError
from .. import _steps
from .._replace import replacing
from . import build, schema
from .graph import Graph
from .read import load
from .write import LOGITS, Writer

__all__ = ["LOGITS", "Graph", "encode", "load", "save"]


def __getattr__(name):
    """`recognise` stands right of io and models, which do not know one another; it is found here as well."""
    if name == "recognise":
        import refmnas

        return refmnas.recognise
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def save(path, steps, *, batch=1, outputs=()):
    """Write a TFLite model, whole or not at all; the same steps give the same bytes.

    steps       of `refmnas.models.fold.nodes(net, size)`; anything with those fields
    batch       images of a run
    outputs     names of steps whose results are outputs beside the logits, or "all"

    Shapes   input (N, H, W, 3), logits (N, classes), other outputs (N, H, W, C), after a pool
             (N, 1, 1, C).
    Units    none.
    Dtypes   float32.
    Raises   SpecError for a batch, step or output that cannot be; DtypeError for weights that
             are not float32; FormatError beyond 2 GiB, or where the file cannot be written.

    >>> from refmnas.models import build, fold
    >>> net = build("mnasnet-a1", width=0.35)
    >>> encode(fold.nodes(net, 64))[4:8]
    b'TFL3'
    """
    pieces = _pieces(str(path), steps, batch, outputs)
    try:
        with replacing(path) as file:
            file.writelines(pieces)
    except OSError as error:
        raise FormatError(f"{path}: cannot be written: {error.strerror}") from error


def encode(steps, *, batch=1, outputs=()):
    """The bytes that `save` would write."""
    return _pieces("tflite.encode", steps, batch, outputs).encoded()


def _pieces(where, steps, batch, outputs):
    if not isinstance(batch, int) or isinstance(batch, bool) or not 1 <= batch < 2**31:
        raise SpecError(f"{where}: batch is {batch!r}, wanted a number from 1 on")
    steps, image = _steps.checked(where, steps, (LOGITS,), _steps.CELLS)
    names = [step.name for step in steps]
    shown = names if outputs == "all" else list(outputs)
    unknown = [name for name in shown if name not in names]
    if unknown:
        raise SpecError(f"{where}: no step {unknown[0]!r} for outputs, wanted one of {', '.join(names[:3])}, ...")
    model = Writer(steps, image, batch, f"refmnas {__version__}").model(set(shown))
    pieces = build.Pieces(model, schema.IDENTIFIER)
    if pieces.size > build.LONGEST:
        raise FormatError(f"{where}: the model has {pieces.size} bytes, wanted at most {build.LONGEST}: what offsets reach")
    return pieces
