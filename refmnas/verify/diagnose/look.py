"""A failing segment, looked at once: its reference, its bound, what is bad, and its changed forms."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np

from .. import statistics
from ..part import IMAGE
from ..segment import bounded, expected, followed, ratios
from .narrow import narrowed


class Look:
    """`segment` with what every family of causes asks for."""

    def __init__(self, segment):
        self.segment = segment
        self.name = segment.name
        self.came = np.asarray(segment.came, np.float64)
        self.is_network = True  # not a graph, whose pads are written down

    @cached_property
    def reference(self):
        return bounded(followed(self.segment))

    @cached_property
    def y(self):
        return self.reference[0]

    @cached_property
    def error(self):
        return self.reference[1]

    @cached_property
    def ratios(self):
        return ratios(self.y, self.error, self.came)

    @cached_property
    def bad(self):
        return self.ratios > 1

    @cached_property
    def is_first(self):
        """Whether the image itself goes in."""
        return IMAGE in self.segment.feeds

    @cached_property
    def channels(self):
        """A few output channels: the worst ones, and some spread over all."""
        worst = self.ratios.reshape(-1, self.ratios.shape[-1]).max(axis=0)
        count = len(worst)
        return np.unique(np.concatenate([np.argsort(worst, kind="stable")[-2:], np.linspace(0, count - 1, 2).astype(int)]))

    @property
    def last(self):
        return self.segment.parts[-1]

    def part(self, *ops):
        """The parts of these operations, in order."""
        return [part for part in self.segment.parts if part.op in ops]

    def with_part(self, part, *, arrays=None, options=None):
        """The segment with some arrays or options of one part changed."""
        made = replace(part, arrays=part.arrays | (arrays or {}), options=part.options | (options or {}))
        return replace(self.segment, parts=tuple(made if q is part else q for q in self.segment.parts))

    def with_feed(self, name, array):
        return replace(self.segment, feeds=self.segment.feeds | {name: array})

    @cached_property
    def image(self):
        """The worst image of the batch."""
        return int(self.ratios.reshape(len(self.ratios), -1).max(axis=1).argmax()) if len(self.ratios) else 0

    def quick(self, segment):
        """The margin of a changed segment at one image and a few channels: what is above 1 here is above 1."""
        one = slice(self.image, self.image + 1)
        feeds = {name: a[one] for name, a in segment.feeds.items()}
        return _margin(narrowed(replace(segment, feeds=feeds, came=segment.came[one]), self.channels))

    def full(self, segment):
        return _margin(segment)

    def passes(self, segment):
        """Whether the statistical tests of long sums accept a changed segment."""
        known = followed(segment)
        if known.sums is None:
            return False
        size, n, _ = known.sums
        return not any(t.has_failed for t in statistics.tests(known.value, segment.came, size, n, statistics.FALSE_ALARM))


def _margin(segment):
    y, error = expected(segment)
    if y.shape != np.shape(segment.came) or not np.isfinite(y[np.isfinite(segment.came)]).all():
        return np.inf
    return float(ratios(y, error, segment.came).max(initial=0.0))


def before_activation(look):
    """(segment without its last activation, came before it, where that is known).

    Of relu where y > 0, of relu6 where 0 < y < 6, of the other kinds where they are invertible above 0.
    """
    segment, came, last = look.segment, look.came, look.last
    if last.op != "act" or len(segment.parts) == 1:
        return segment, came, np.ones(came.shape, bool)
    found, known = _inverse(last.options["kind"], came)
    return replace(segment, parts=segment.parts[:-1], came=found), found, known


def _inverse(kind, y):
    if kind == "identity":
        return y, np.ones(y.shape, bool)
    if kind == "relu":
        return y, y > 0
    if kind == "relu6":
        return y, (y > 0) & (y < 6)
    if kind == "hard_swish":
        x = np.where(y >= 3, y, (-3 + np.sqrt(9 + 24 * np.maximum(y, 0))) / 2)
        return x, y > 0.1
    if kind == "swish":
        return _newton(y), y > 0.1
    return y, np.zeros(y.shape, bool)


def _newton(y):
    x = np.maximum(y, 0.1)
    for _ in range(40):
        s = 1 / (1 + np.exp(-x))
        x = x - (x * s - y) / (s * (1 + x * (1 - s)))
    return x


def head(look, part):
    """(input of `part` in float64, came at `part`'s result, where known); None where other parts lie behind it.

    Behind it may stand one activation.
    """
    segment, came, known = before_activation(look)
    if segment.parts[-1] is not part:
        return None
    name = part.inputs[0]
    if name in segment.feeds:
        return np.asarray(segment.feeds[name], np.float64), came, known
    return followed(replace(segment, parts=segment.parts[:-1], came=came)).value, came, known
