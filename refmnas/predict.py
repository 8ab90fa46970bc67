"""From a photograph to classes with probabilities."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from . import backend
from .errors import SpecError
from .io import classes, image


class Guess(NamedTuple):
    """One class."""

    index: int  # type: ignore[assignment]  # tuple.index is not wanted of a guess
    name: str
    probability: float


class Prediction(NamedTuple):
    """The best classes, and how they came about."""

    guesses: list[Guess]
    seconds: float
    rows: str  # which text ran, by op
    preprocess: str


def softmax(logits):
    """exp(z - max z) / sum, in float64, over the last axis."""
    e = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def classify(net, path, top=5, *, whole=False):
    """The `top` classes of one image, best first; `whole`: the whole short side instead of the rule's cut."""
    if top < 1:
        raise SpecError(f"classify: top is {top}, wanted at least 1")
    preprocess = net.dialect.preprocess
    if whole:
        preprocess = replace(preprocess, crop="centre-fraction", crop_from=1, crop_to=1)
    x = image.open(path, preprocess, net.size)
    start = time.perf_counter()
    p = softmax(net.forward(x.astype(net.dtype, copy=False)))[0]
    seconds = time.perf_counter() - start
    names = classes.names() if len(p) == 1000 else [f"class {k}" for k in range(len(p))]
    best = np.argsort(-p, kind="stable")[:top]
    guesses = [Guess(int(k), names[k], float(p[k])) for k in best]
    return Prediction(guesses, seconds, which_rows(net.dtype), image.describe(preprocess, net.size))


def which_rows(dtype):
    """The texts that run a network's forward now, in one line."""
    chosen = [c for c in backend.explain(dtype=dtype) if c.op.partition(".")[2].startswith("forward")]
    in_c = [c for c in chosen if c.backend == "c"]
    if not in_c:
        return f"{chosen[0].backend}: every op"
    names = ", ".join(c.op.partition(".")[0] for c in in_c)
    return f"C ({in_c[0].isa}): {names}; NumPy: the other ops"
