"""Judge the gradients that another implementation computed, each from the incoming gradient that it had itself."""

from __future__ import annotations

import numpy as np

from ..errors import DataError, RefmnasError, SpecError
from ..models import naming
from . import adjoint, local, names, parts, segments
from . import claim as claims
from .adjoint import MARK
from .compared import with_causes
from .diagnose import Context, causes, gradient
from .part import IMAGE
from .report import Report
from .segment import Segment, margin

MODES = ("auto", "train", "eval")
_ASKED = 5  # batch norms whose results tell the mode


def gradients(tensors, model, *, mode="auto", source="auto", claim="float32", about=None):
    """The `Report` on the gradients among {name: array} of another implementation of `model`.

    tensors   as `captured` takes them, and gradients under `<name>.grad`: of a module's result by the module's name, of
              a parameter by the parameter's, of the input by `input.grad`.  That of the network's result is where
              the backward pass begins, and is not judged
    model     a network of `refmnas.models.build` with the weights that the run began with
    mode      "train": batch norm took the statistics of the batch; "eval": the running ones; "auto": told by its results
    claim     float32 alone

    Raises   as `captured`; DataError where there is no gradient of the result, or the mode cannot be told; SpecError for a
             graph, an unknown mode, and a claim other than float32.
    """
    asked = claims.named(claim)
    if not asked.is_float32:
        raise SpecError(f"verify gradients: claim is {asked.name}, wanted float32")
    if mode not in MODES:
        raise SpecError(f"verify gradients: mode is {mode!r}, wanted one of {', '.join(MODES)}")
    if not hasattr(model, "spec"):
        raise SpecError("verify gradients: the model is a graph, wanted a network by its name")
    _, x = names.fed(tensors, asked)
    own = parts.of_network(model, tuple(int(n) for n in x.shape[1:3]))
    whose, found = _recognised(tensors, model, own, source)
    forward = {key: ours for key, ours in found.items() if key in tensors}
    backward = {f"{key}{MARK}": ours for key, ours in found.items() if f"{key}{MARK}" in tensors}
    plain = names.placed(tensors, forward, own, x, whose, asked)
    back = names.placed(tensors, backward, own, x, whose, asked)
    came = {f"{name}{MARK}": a for name, a in back.tensors.items() if name != IMAGE}
    if f"{own[-1].name}{MARK}" not in came:
        raise DataError(f"verify gradients: no gradient of the result, wanted output{MARK} beside the others")
    came |= _of_parameters(tensors, backward, model, whose) | _of_input(tensors, x)
    training = _is_training(own, plain.tensors) if mode == "auto" else mode == "train"
    ran, made = adjoint.of(own, tuple(x.shape[1:]), len(x), training)
    made = [_with_kink(part, model.dialect.kink) for part in made]
    cut = segments.segments([*ran, *made], plain.tensors | came)
    mine = {part.name for part in made}
    judged = [segment for segment in cut if segment.name in mine]
    theirs = {f"{ours}{MARK}": f"{key}" for key, ours in backward.items()} | {f"{IMAGE}{MARK}": f"input{MARK}"}
    layers, missing = local.judge(judged, theirs), segments.unjudged(made, judged)
    failing = [segment for segment, layer in zip(judged, layers, strict=True) if layer.verdict == local.FAULT]
    why = causes(failing, Context((*ran, *made), tuple(judged), model), gradient.explained) if failing else []
    layers = with_causes(layers, why)
    told = {"mode": "training" if training else "evaluation"} | (about or {})
    known = names.Named(whose, plain.layout, plain.tensors, theirs, _unknown(tensors, forward, backward))
    of = f"{model.spec.name} width {model.spec.width:g}, {model.dialect.source}, gradients"
    return Report(local.overall(layers, missing), layers, why, missing, known, asked.name, of, told)


def _recognised(tensors, net, own, source):
    """(source, {their name without the mark: our part or parameter})."""
    tables = names.of_network(net, own, source)
    for name in tables:
        try:
            tables[name] = tables[name] | naming.table(net.spec, net.dialect, name)
        except RefmnasError:
            continue
    return names.recognised({key.removesuffix(MARK): None for key in tensors}, tables)


def _of_parameters(tensors, backward, net, source):
    """{our parameter's gradient: array in our layout}."""
    wanted = naming.inventory.of(net.spec, net.dialect)
    found = {}
    for key, ours in backward.items():
        if ours in wanted:
            a = np.asarray(tensors[key])
            found[f"{ours}{MARK}"] = np.ascontiguousarray(naming.turning.inward(a, key, wanted[ours], source))
    return found


def _of_input(tensors, x):
    a = next((np.asarray(tensors[key + MARK]) for key in names.INPUT if key + MARK in tensors), None)
    if a is None:
        return {}
    a = a if a.shape == x.shape else a.transpose(0, 2, 3, 1) if a.ndim == 4 else a
    if a.shape != x.shape:
        raise DataError(f"verify gradients: input{MARK} has shape {a.shape}, wanted that of the input")
    return {f"{IMAGE}{MARK}": np.ascontiguousarray(a)}


def _is_training(own, tensors):
    """By the batch norms whose input and result came: which statistics they took."""
    norms = [p for p in own if p.op == "batchnorm" and p.name in tensors and p.inputs[0] in tensors][:_ASKED]
    votes = 0
    for part in norms:
        feeds, came = {part.inputs[0]: tensors[part.inputs[0]]}, tensors[part.name]
        forms = adjoint.of([part], part.shape, len(came), True)[0]
        votes += (
            1 if margin(Segment("train", tuple(forms), feeds, came)) < margin(Segment("eval", (part,), feeds, came)) else -1
        )
    if not votes:
        raise DataError("verify gradients: no batch norm's input and result came to tell the mode by, wanted --train or --eval")
    return votes > 0


def _with_kink(part, kink):
    if part.op == "act.dx":
        part.options["kink"] = kink
    return part


def _unknown(tensors, forward, backward):
    return tuple(sorted(set(tensors) - set(forward) - set(backward) - set(names.INPUT) - {k + MARK for k in names.INPUT}))
