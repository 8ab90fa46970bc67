"""Where a fault is planted: a choice of parts, and what becomes of them; the same fault at every place of a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np


def _any(part):
    return True


@dataclass(frozen=True)
class Choice:
    """Names of the parts of an operation for which `wanted` holds; `at` chooses one of them, None all."""

    op: str
    at: int | None = 0
    wanted: Callable = _any

    def __call__(self, parts):
        found = self.every(parts)
        return found if self.at is None or not found else [found[self.at % len(found)]]

    def every(self, parts):
        """All that could be chosen."""
        return [part.name for part in parts if part.op == self.op and self.wanted(part)]


@dataclass(frozen=True)
class Change:
    """change(part) in place of each chosen one."""

    choice: Choice
    change: Callable

    def __call__(self, parts):
        chosen = self.choice(parts)
        return [self.change(part) if part.name in chosen else part for part in parts]

    def places(self, parts):
        """[(where, the same change there)]: all, where all are meant, else the first, the middle and the last.

        A place that is counted from the end is the only one.
        """
        found = self.choice.every(parts)
        if self.choice.at is not None and self.choice.at < 0:
            return [(name, self) for name in self.choice(parts)]
        if self.choice.at is None:
            return [(found[0] if len(found) == 1 else f"all {len(found)}", self)] if found else []
        at = sorted({0, len(found) // 2, len(found) - 1}) if found else []
        return [(found[k], replace(self, choice=replace(self.choice, at=k))) for k in at]


@dataclass(frozen=True)
class Fault:
    """`plant(parts)` gives the parts that the implementation runs; `image(x)` what it is fed."""

    code: str
    told: str
    plant: Callable = list
    image: Callable = np.asarray

    def places(self, parts):
        """[(where, plant)] in a network; empty where it has no such layer."""
        if self.plant is list:
            return [("the image", self.plant)]
        if isinstance(self.plant, Change):
            return self.plant.places(parts)
        wrong = [b.name for b in self.plant(parts) if b not in parts]
        return [(wrong[0] if len(wrong) == 1 else f"{len(wrong)} layers", self.plant)] if wrong else []
