"""Judge tensors that another implementation computed, layer by layer: a capture against a network or a graph."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec

from ..errors import SpecError
from . import claim as claims
from . import local, names, parts, segments
from .report import Report


def captured(tensors, model, *, source="auto", claim="float32", about=None):
    """The `Report` on {name: array} that were captured in another implementation of `model`.

    tensors   by the names of the implementation's modules (torchvision's, timm's, TensorFlow's or ours), in NCHW or
              NHWC, and `input`: what was fed.  Of a graph the names are its tensors'
    model     a network of `refmnas.models.build` with the weights in question, or a graph of `refmnas.io.onnx.load`
    source    whose names, where they shall not be recognised
    claim     the arithmetic that is claimed: one of `refmnas.verify.claim.CLAIMS`
    about     {what: text} that the report shall show: file names

    Raises   FormatError for an empty capture or one without a known name; DataError without a finite input;
             ShapeError, DtypeError for tensors that cannot be; SpecError for an unknown claim or source of names.
    """
    asked = claims.named(claim)
    fed, x = names.fed(tensors, asked)
    net, own, tables = _known(model, x, source, fed)
    whose, found = names.recognised(tensors, tables)
    named = names.placed(tensors, found, own, x, whose, asked)
    made = segments.segments(own, named.tensors, asked)
    layers, missing = local.judge(made, named.theirs), segments.unjudged(own, made)
    failing = [segment for segment, layer in zip(made, layers, strict=True) if layer.verdict == local.FAULT]
    causes = _causes(failing, own, made, net)
    verdict = local.overall(layers, missing)
    return Report(verdict, with_causes(layers, causes), causes, missing, named, asked.name, _of(model), about or {})


def _known(model, x, source, fed):
    """(the network or None, its parts, the tables of names)."""
    size = tuple(int(n) for n in x.shape[1:3])
    if hasattr(model, "spec"):
        own = parts.of_network(model, size)
        return model, own, names.of_network(model, own, source)
    if source != "auto":
        raise SpecError(f"verify: names {source!r} with a graph, wanted none: the names are those of its tensors")
    own = parts.of_graph(model, size)
    table = {part.name: part.name for part in own}
    return None, own, {"the graph": {key: name for key, name in table.items() if key != fed}}


def _of(model):
    """What was judged, in words."""
    if not hasattr(model, "spec"):
        return model.name
    return f"{model.spec.name} width {model.spec.width:g}, {model.dialect.source}"


def _causes(failing, own, made, net):
    """Why: `refmnas.verify.diagnose` asks each failing segment; nothing to ask where nothing failed."""
    if not failing or find_spec("refmnas.verify.diagnose") is None:
        return []
    diagnose = import_module("refmnas.verify.diagnose")
    return diagnose.causes(failing, diagnose.Context(tuple(own), tuple(made), net))


def with_causes(layers, causes):
    """Each layer with the code of the cause that names it."""
    codes = {name: cause.code for cause in reversed(causes) for name in cause.layers}
    return [replace(layer, cause=codes.get(layer.name, "")) for layer in layers]
