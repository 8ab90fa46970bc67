"""Parts of a graph against the steps of a network: the same operators, connections and numbers.

Networks are tried whose weights have the same shapes, whatever their order; then every step of
`refmnas.models.fold` must find its part (`pair`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np

from .. import layout
from ..errors import RefmnasError
from ..models import build, cells, dialect, fold, naming, plan, zoo
from ..models.cell_spec import CellSpec
from ..models.naming import fit, inventory
from . import pair
from .parts import NORM


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
    shapes = Counter(pair.longer(part.w.shape) for part in weighed)
    for candidate in _by_shapes(weighed[0].w.shape[-1], shapes, last.w.shape[1], found):
        weights = _matched(found, candidate)
        if weights is not None:
            yield candidate, weights


def _by_shapes(stem, shapes, classes, found):
    """The networks whose weights have these shapes."""
    ends = {shape[-1] for shape in shapes if shape}
    for name in zoo.SPECS:
        fits = []
        for source in zoo.get(name).sources:
            convention = dialect.of(source, name)
            for width in dict.fromkeys(fit.WIDTHS):
                spec = _table(name, width)
                if plan.stem_channels(spec, convention) != stem or not ends >= _channels(spec, convention):
                    continue  # told by a few of the widths: a whole inventory takes milliseconds, and there are thousands
                spec = replace(spec, head=replace(spec.head, classes=classes))
                arrays = inventory.of(spec, convention)
                if Counter(pair.longer(a.shape) for a in arrays.values() if a.kind != layout.PLAIN) == shapes:
                    size = found.size[0] or spec.size
                    fits.append(Candidate(name, width, source, size, classes))
                    break
        yield from sorted(fits, key=lambda c: not _has_names(found, c))


@cache
def _table(name, width):
    """A network's table, of which there are some thousands: every one is asked for at every file."""
    return zoo.get(name, width)


def _channels(spec, convention):
    """Some of the widths that the weights of a network have."""
    return {cells.filters(spec)} if isinstance(spec, CellSpec) else plan.stage_channels(spec, convention)


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
    steps = fold.nodes(net, (candidate.size, found.size[1] or candidate.size))
    pairs = pair.pairs(pair.of_steps(steps), found.parts, (fold.IMAGE, found.image))
    eps = net.dialect.bn_eps
    if pairs is None or not all(_has_epsilon(part, eps) for _, part in pairs):
        return None
    kinds, weights = inventory.of(net.spec, net.dialect), {}
    for ours, part in pairs:
        for name, array in _weights(ours.step, part, kinds, eps).items():  # of a batch norm over several, each has its own
            weights[name] = np.concatenate([weights[name], array]) if name in weights else array
    if set(weights) != set(kinds):
        return None
    return {name: np.ascontiguousarray(weights[name]).reshape(kinds[name].shape) for name in kinds}


def _has_epsilon(part, eps):
    """Where batch norm was not folded; the file has a float32."""
    return part.eps is None or bool(np.isclose(part.eps, eps, rtol=1e-6, atol=0))


def _norm(name, kinds):
    """The batch norm behind a step, or None: its own, that of a separable convolution's half, that of both paths."""
    parent, _, own = name.rpartition(".")
    places = [f"{name}.bn"]
    if own.startswith("pointwise"):
        places.append(f"{parent}.{own.replace('pointwise', 'bn')}")
    if own.startswith("path_"):
        places.append(f"{parent}.bn")
    return next((place for place in places if f"{place}.gamma" in kinds), None)


def _weights(name, part, kinds, eps):
    """One step's arrays by our names: with batch norm where the network has it."""
    channels = part.w.shape[-1]
    bias = part.b if part.b is not None else np.zeros(channels, part.w.dtype)
    key = f"{name}.conv" if f"{name}.conv.w" in kinds else name
    found, place = {f"{key}.w": part.w}, _norm(name, kinds)
    if place is not None:
        one = np.ones(channels, part.w.dtype)
        norm = {"gamma": one, "beta": bias, "mean": 0 * one, "var": (one - eps).astype(part.w.dtype)}
        if part.norm is not None:
            norm = part.norm | ({} if f"{key}.b" in kinds else {"mean": part.norm["mean"] - bias})
        found |= {f"{place}.{each}": norm[each] for each in NORM}
        bias = bias if part.norm is not None else 0 * bias
    if f"{key}.b" in kinds:
        found[f"{key}.b"] = bias
    return found if f"{key}.b" in kinds or place is not None or not bias.any() else {}
