"""What a diagnosis is made of: candidates that are tried, and causes that are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ..part import IMAGE, Part
from ..segment import Segment

CONVENTION, RERUN, FITTED, SIGNATURE = range(4)  # the strength of an explanation, best first
CONFIDENCE = (1.0, 0.95, 0.85, 0.5)


@dataclass(frozen=True)
class Cause:
    """`code` of refmnas.verify.codes; `also`: the codes that explain the same layers as well."""

    code: str
    confidence: float
    layers: tuple[str, ...]
    evidence: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Candidate:
    """A changed segment that would explain the deviation.

    margin   where it cannot be had by running `segment`: found otherwise, at most 1 is an explanation
    """

    code: str
    segment: Segment | None
    evidence: str
    tier: int = RERUN
    margin: float | None = None


@dataclass(frozen=True, eq=False)
class Context:
    """Everything that stands beside the failing segments.

    parts      of the whole network or graph
    segments   all of them, the sound ones, too
    net        the network, where there is one: its dialect
    """

    parts: tuple[Part, ...]
    segments: tuple[Segment, ...]
    net: Any = None
    extra: dict[str, np.ndarray] = field(default_factory=dict)  # further tensors by names of parts

    @cached_property
    def by_name(self) -> dict[str, Part]:
        return {part.name: part for part in self.parts}

    @cached_property
    def place(self) -> dict[str, int]:
        """The order of computation; the image comes first."""
        return {IMAGE: -1} | {part.name: k for k, part in enumerate(self.parts)}

    @cached_property
    def tensors(self) -> dict[str, np.ndarray]:
        """Every captured tensor by the name of its part."""
        found = dict(self.extra)
        for segment in self.segments:
            found |= segment.feeds
            found[segment.parts[-1].name] = segment.came
        return found

    @cached_property
    def roles(self) -> dict[str, str]:
        """{part: gate, squeeze, mean} of the parts in a squeeze path, found by walking back from each `scale`."""
        found: dict[str, str] = {}
        for scale in (part for part in self.parts if part.op == "scale"):
            name, role = scale.inputs[1], "gate"
            while name in self.by_name and name not in found:
                part = self.by_name[name]
                found[name] = "mean" if part.op == "pool" else role if part.op == "act" else "matrix"
                role = "squeeze" if part.op != "act" or role == "squeeze" else role
                if part.op == "pool":
                    break
                name = part.inputs[0]
        return found
