"""Who takes part in a cell: our plan and the peers, each with the same network and weights in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .. import __version__, kernels, peers
from ..engine import compile
from ..errors import RefmnasError, SpecError
from ..models import build, cost, dialect, fold, zoo
from . import weights

OURS = "refmnas"
# The networks of a bench without names, each in the conventions whose published module the peers then have.
ROWS = (
    ("mnasnet-b1", "torchvision"),
    ("mnasnet-a1", "timm"),
    ("mobilenet-v2", "torchvision"),
    ("mnasnet-small", "timm"),
    ("efficientnet-lite0", "timm"),
)
PREFERRED = ("torchvision", "timm")


@dataclass
class Entrant:
    """A competitor: how it prepares its input, how it runs, how it ends."""

    name: str
    version: str
    description: str
    prepare: Callable
    run: Callable
    close: Callable = lambda: None
    memory: dict | None = None  # bytes of our plan: weights, arena, scratch


@dataclass(frozen=True)
class Absent:
    """A competitor that does not take part, and why."""

    name: str
    reason: str


def conventions(model, given=None):
    """The dialect of a network of the bench: `given`, that of ROWS, or one that publishes modules for it."""
    if given is not None:
        return given
    rows = dict(ROWS)
    if str(model) in rows:
        return rows[str(model)]
    sources = zoo.find(model).sources
    return next((s for s in PREFERRED if s in sources), sources[0] if sources else "tf")


def network(model, *, source=None, size=None, width=None, seed=0):
    """The network in the bench's conventions, with weights that keep every tensor of order 1 (`weights.levelled`)."""
    net = build(model, width=width or 1.0, size=size, dialect=conventions(model, source))
    return weights.levelled(weights.drawn(net, seed))


def chosen(text):
    """The peers that --peers names: all, none, or a list; SpecError for one that there is not.

    >>> chosen("ort, openvino"), chosen("none")
    (['ort', 'openvino'], [])
    """
    known = peers.names()
    words = {"all": known, "none": []}.get(text)
    if words is None:
        words = [word.strip() for word in text.split(",") if word.strip()]
    for word in words:
        if word not in known:
            raise SpecError(f"no peer {word!r}, wanted all, none or some of {', '.join(known)}")
    return words


def enter(net, names, *, batch, threads):
    """[Entrant or Absent]: ours first, then the peers in order."""
    found: list[Entrant | Absent] = [ours(net, batch=batch, threads=threads)]
    for name in names:
        try:
            peer = peers.build(name, net, batch=batch, threads=threads)
        except RefmnasError as error:
            found.append(Absent(name, str(error).removeprefix(f"{name}: ")))
            continue
        found.append(Entrant(name, peer.version, peer.description, peer.prepare, peer.run_prepared, peer.close))
    return found


def ours(net, *, batch, threads):
    """The plan as an entrant: into an array that is made once, as a caller in a loop would have it."""
    plan = compile(net, batch=batch, threads=threads)
    out = np.empty((batch, plan.classes), np.float32)
    described = f"refmnas {__version__}, {kernels.isa()} kernels, {len(plan.steps)} steps"
    memory = plan.memory._asdict()
    return Entrant(OURS, __version__, described, lambda x: x, lambda x: plan(x, out=out), memory=memory)


def images(net, batch, seed=1):
    """Different images, of order 1."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((batch, net.size, net.size, 3), np.float32)


def reference(net, x):
    """The logits in float64, by the NumPy reference: what every output is compared with."""
    steps = fold.nodes(net, None, np.float64)
    rows = [fold.evaluate(steps, image[None].astype(np.float64))[steps[-1].name] for image in x]
    return np.concatenate(rows)


def checked(model, source, size=None):
    """SpecError for a table, a dialect or a size that the engine cannot take; no weights are drawn for it."""
    table = zoo.find(model)
    record = dialect.of(source, table.name)
    smallest = min(min(step.shape) for step in cost.of(table, record, size))
    if smallest < 1:
        raise SpecError(f"size is {size}; somewhere in {table.name} no pixel is left, wanted a larger image")


def listed(models, source=None):
    """[(model, dialect)] of the names given, or ROWS; SpecError for one that there is not."""
    if not models:
        return [(model, source or row) for model, row in ROWS]
    for model in models:
        table = zoo.find(model)
        dialect.of(conventions(model, source), table.name)
    return [(model, conventions(model, source)) for model in models]
