"""Parts of a graph against the steps of a network: the same operators, connections and numbers.

Networks are tried whose weights have the same shapes, whatever their order; then every step of
`refmnas.models.fold` must find its part.  A connection decides: a step reads what the parts
of earlier steps gave.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from .. import layout
from ..errors import RefmnasError
from ..models import build, dialect, fold, naming, plan, zoo
from ..models.cell_spec import CellSpec
from ..models.naming import fit, inventory
from .parts import NORM

_OPS = {"pointwise": "matrix", "linear": "matrix"}
_EITHER_ORDER = ("add", "scale")


class Candidate(NamedTuple):
    """A network as `build` takes it."""

    name: str
    width: float
    source: str
    size: int
    classes: int


def candidates(found):
    """(Candidate, weights) of every network that the parts are."""
    weighed = [part for part in found.parts if part.w is not None]
    last = found.parts[-1]
    if not weighed or last.op != "matrix" or weighed[0].op != "conv":
        return
    shapes = Counter(_longer(part.w.shape) for part in weighed)
    for candidate in _by_shapes(weighed[0].w.shape[-1], shapes, last.w.shape[1], found):
        weights = _matched(found, candidate)
        if weights is not None:
            yield candidate, weights


def _longer(shape):
    """The axes longer than 1: whether a kernel of 1 x 1 or a group of one channel has axes of its own differs."""
    return tuple(n for n in shape if n != 1)


def _by_shapes(stem, shapes, classes, found):
    """The networks whose weights have these shapes."""
    ends = {shape[-1] for shape in shapes if shape}
    for name, table in zoo.SPECS.items():
        if isinstance(table, CellSpec):
            continue  # `reduce` has no parts for their pools and bare activations
        fits = []
        for source in zoo.get(name).sources:
            convention = dialect.of(source, name)
            for width in dict.fromkeys(fit.WIDTHS):
                spec = zoo.get(name, width)
                if plan.stem_channels(spec, convention) != stem or not ends >= plan.stage_channels(spec, convention):
                    continue  # told by a few of the widths: a whole inventory takes milliseconds, and there are thousands
                spec = replace(spec, head=replace(spec.head, classes=classes))
                arrays = inventory.of(spec, convention)
                if Counter(_longer(a.shape) for a in arrays.values() if a.kind != layout.PLAIN) == shapes:
                    size = found.size[0] or spec.size
                    fits.append(Candidate(name, width, source, size, classes))
                    break
        yield from sorted(fits, key=lambda c: not _has_names(found, c))


def _has_names(found, candidate):
    """Whether the file's tensors are called as the source calls them."""
    spec = zoo.get(candidate.name, candidate.width)
    try:
        table = naming.table(spec, dialect.of(candidate.source, candidate.name), candidate.source)
    except RefmnasError:
        return False
    return next(theirs for theirs, ours in table.items() if ours == "head.dense.w") in found.names


def _matched(found, candidate):
    """The weights by our names where every step of the candidate finds its part, else None."""
    options = {"width": candidate.width, "classes": candidate.classes, "dialect": candidate.source}
    net = build(candidate.name, size=candidate.size, **options)
    size = (candidate.size, found.size[1] or candidate.size)
    steps, eps = fold.nodes(net, size), net.dialect.bn_eps
    waiting: dict[tuple, list] = {}
    for part in found.parts:
        waiting.setdefault(_key(part.op, part.inputs), []).append(part)
    tensors, weights = {fold.IMAGE: found.image}, {}
    kinds = inventory.of(net.spec, net.dialect)
    for step in steps:
        key = _key(_op(step), [tensors[name] for name in step.inputs])
        part = next((p for p in waiting.get(key, ()) if _agrees(p, step, eps)), None)
        if part is None:
            return None
        waiting[key].remove(part)
        tensors[step.name] = part.output
        if step.w is not None:
            weights |= _weights(step.name, part, kinds, eps)
    if any(waiting.values()) or set(weights) != set(kinds):
        return None
    return {name: np.ascontiguousarray(weights[name]) for name in kinds}


def _op(step):
    """The step's operator as `reduce` names it: a group of one channel is depthwise."""
    is_single = step.op == "conv" and step.groups > 1 and step.w.shape[2] == 1 and step.groups == step.w.shape[3]
    return "depthwise" if is_single else _OPS.get(step.op, step.op)


def _key(op, inputs):
    return op, frozenset(inputs) if op in _EITHER_ORDER else tuple(inputs)


def _agrees(part, step, eps):
    """Kernel, widths, stride, pads, activation and epsilon."""
    if part.act != step.act:
        return False
    if step.w is None:
        return True
    if part.eps is not None and not np.isclose(part.eps, eps, rtol=1e-6, atol=0):  # a float32 in the file
        return False
    if _longer(part.w.shape) != _longer(step.w.shape) or (part.op == "conv" and part.groups != step.groups):
        return False
    return part.w.size == step.w.size and part.stride == step.stride and tuple(part.pad) == tuple(step.pad)


def _weights(name, part, kinds, eps):
    """One step's arrays by our names, in our shapes: with batch norm where the network has it."""
    channels = part.w.shape[-1]
    bias = part.b if part.b is not None else np.zeros(channels, part.w.dtype)
    key = f"{name}.conv" if f"{name}.conv.w" in kinds else name
    found = {f"{key}.w": part.w.reshape(kinds[f"{key}.w"].shape)}
    if f"{name}.bn.gamma" in kinds:
        one = np.ones(channels, part.w.dtype)
        norm = {"gamma": one, "beta": bias, "mean": 0 * one, "var": (one - eps).astype(part.w.dtype)}
        if part.norm is not None:
            norm = part.norm | ({} if f"{key}.b" in kinds else {"mean": part.norm["mean"] - bias})
        found |= {f"{name}.bn.{each}": norm[each] for each in NORM}
        bias = bias if part.norm is not None else 0 * bias
    if f"{key}.b" in kinds:
        found[f"{key}.b"] = bias
    return found if f"{key}.b" in kinds or f"{name}.bn.gamma" in kinds or not bias.any() else {}
