"""A sound float32 run, kept whole, and wrong runs that compute only what differs from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module

import numpy as np

from .. import local, statistics
from ..part import IMAGE, terms
from ..planted import run, single
from ..segment import Segment, expected, ratios


@dataclass(frozen=True, eq=False)
class Sound:
    """The parts, the images that they are fed, and every result of a run by the backend in use."""

    parts: list
    x: np.ndarray
    _expected: dict = field(default_factory=dict)  # {part: (y, error)} of parts fed what the sound run fed them

    @cached_property
    def values(self):
        """{part: result}, IMAGE among them."""
        values = {IMAGE: self.x}
        for part in self.parts:
            values[part.name] = swift(part, *[values[name] for name in part.inputs])
        return values

    @cached_property
    def by_name(self):
        return {part.name: part for part in self.parts}

    @property
    def last(self):
        """The name of the logits."""
        return self.parts[-1].name

    @cached_property
    def by_numpy(self):
        """The logits of the NumPy reference: another order of the same sums."""
        return run(self.parts, self.x)[self.last]

    def wrong(self, parts, x):
        """{part: result} of all results that differ from the sound ones in a bit.

        Raises   ValueError where a result has another shape: what was planted is no fault of this network at this size.
        """
        changed = {} if x is self.x else {IMAGE: x}
        for part in parts:
            if part is self.by_name[part.name] and not any(name in changed for name in part.inputs):
                continue
            y = swift(part, *[changed.get(name, self.values[name]) for name in part.inputs])
            if y.shape != self.values[part.name].shape:
                raise ValueError(f"{part.name} has shape {y.shape}, wanted {self.values[part.name].shape}")
            if not np.array_equal(y, self.values[part.name], equal_nan=True):
                changed[part.name] = y
        return changed

    def is_refused(self, parts, changed):
        """Whether the judge calls a planted part a fault; the others were computed soundly.

        A bound is asked first, part by part; the statistical tests where no bound is broken.
        """
        planted = [part.name for part in parts if part is not self.by_name[part.name]]
        if IMAGE in changed:
            planted = [part.name for part in self.parts if IMAGE in part.inputs]
        planted = [name for name in planted if name in changed or any(i in changed for i in self.by_name[name].inputs)]
        return any(self._beyond(name, changed) for name in planted) or any(self._unlikely(name, changed) for name in planted)

    def _segment(self, name, changed):
        part = self.by_name[name]
        feeds = {key: self.x if key == IMAGE else changed.get(key, self.values[key]) for key in part.inputs}
        return Segment(name, (part,), feeds, changed.get(name, self.values[name]))

    def _beyond(self, name, changed):
        segment = self._segment(name, changed)
        if any(key in changed and key != IMAGE for key in segment.feeds):
            y, error = expected(segment)
        else:
            if name not in self._expected:
                self._expected[name] = expected(segment)
            y, error = self._expected[name]
        return bool((ratios(y, error, segment.came) > 1).any())

    def _unlikely(self, name, changed):
        long = sum(terms(part) >= statistics.LONG for part in self.parts)
        if terms(self.by_name[name]) < statistics.LONG:
            return False
        layer = local.judge([self._segment(name, changed)], tests=long)[0]
        return layer.verdict == local.FAULT


def swift(part, *inputs):
    """One part in float32 by the backend in use."""
    return single(part, *inputs, text=_dispatched)


def _dispatched(op):
    return import_module(f"refmnas.ops.{op}").forward
