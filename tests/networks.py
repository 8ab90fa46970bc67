"""Small networks for the tests of writers and peers: of the zoo, and step lists that have every op and activation."""

import numpy as np
import pytest

from refmnas.bench import weights
from refmnas.io import _steps
from refmnas.models import build, fold, zoo
from refmnas.models.fold import Node, replace

SOURCES = (
    ("mnasnet-a1", "tf"), ("mnasnet-b1", "torchvision"), ("mobilenet-v2", "keras"), ("efficientnet-lite0", "timm"),
    ("mobilenet-v1", "slim"), ("mobilenet-v3-small", "torchvision"), ("fbnet-c", "official"), ("regnety-200mf", "timm"),
)  # fmt: skip

# One or two of each family: what holds for every network is shown of these in the fast suite, of the others by `zoo`.
FEW = (
    "mnasnet-a1", "mnasnet-b1", "mnasnet-small", "mobilenet-v1", "mobilenet-v2", "mobilenet-v3-large", "mobilenet-v3-small",
    "mobilenet-v3-large-minimalistic", "efficientnet-b0", "efficientnet-lite0", "fbnet-c", "regnetx-200mf", "regnety-400mf",
)  # fmt: skip


def few_first(rows, few=FEW):
    """Parameters of a test whose rows are names, or begin with one: those outside `few` carry the marker `zoo`."""
    plain = [row if isinstance(row, tuple) else (row,) for row in rows]
    lost = set(few) - (set(zoo.names()) if few is FEW else {row[0] for row in plain})
    assert not lost, f"no row of {lost}: the fast suite would lose it without a word"
    return [row[0] if len(row) == 1 else row for row in plain if row[0] in few] + [
        pytest.param(*row, marks=pytest.mark.zoo) for row in plain if row[0] not in few
    ]


def stirred(name, dialect=None, seed=0, **options):
    """A network whose batch norm has something to fold, and whose values stay of order 1: by the bench's rule."""
    return weights.drawn(build(name, dialect=dialect, **options), seed)


def image(size, batch=1, seed=0):
    return np.random.default_rng(seed).standard_normal((batch, size, size, 3)).astype(np.float32)


def every_step(kind, seed=0):
    """Steps with each op, unequal pads, a tensor that three steps read, and `kind` after each weighed op and the sum."""
    rng = np.random.default_rng(seed)

    def weighed(name, op, source, before, after, shape, **options):
        fan_in = np.prod(shape[:-1]) if op != "depthwise" else np.prod(shape[:2])
        w = (rng.standard_normal(shape) * np.sqrt(2 / fan_in)).astype(np.float32)
        b = rng.normal(0, 1, shape[-1]).astype(np.float32)
        return Node(name, op, (source,), before, after, w, b, act=kind, **options)

    options = {"kernel": 3, "stride": 2, "pad": (0, 1, 2, 1)}
    return [
        weighed("stem", "conv", fold.IMAGE, (9, 11, 3), (4, 6, 8), (3, 3, 3, 8), **options),
        weighed("wide", "depthwise", "stem", (4, 6, 8), (4, 6, 8), (5, 5, 8), kernel=5, pad=(2, 2, 2, 2)),
        Node("se.pool", "pool", ("wide",), (4, 6, 8), (8,)),
        weighed("se.expand", "linear", "se.pool", (8,), (8,), (8, 8)),
        Node("scaled", "scale", ("wide", "se.expand"), (4, 6, 8), (4, 6, 8)),
        weighed("mixed", "pointwise", "scaled", (4, 6, 8), (4, 6, 8), (8, 8)),
        Node("sum", "add", ("wide", "mixed"), (4, 6, 8), (4, 6, 8), act=kind),
        Node("pool", "pool", ("sum",), (4, 6, 8), (8,)),
        weighed("dense", "linear", "pool", (8,), (5,), (8, 5)),
    ]


KINDS = _steps.KINDS


def cells(name, size, **options):
    """A network of cells with few filters and one cell between reductions, stirred."""
    spec = zoo.get(name)
    spec = replace(spec, filters=8, repeats=1, head=replace(spec.head, classes=7), size=size)
    return stirred(spec, **options)
