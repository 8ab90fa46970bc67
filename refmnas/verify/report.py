"""The report on a run: verdict, causes, every layer; as a dictionary and as text.

The schema of the dictionary, which is the JSON of `refmnas verify`:

    schema       "refmnas-verify-1"
    verdict      within-rounding, fault or inconclusive
    exit_code    0, 1 or 3
    model, claim, names, layout, about      what was judged, as what, and whose names came in which order of axes
    first        {name, theirs} of the first layer that is a fault, or null
    causes       [{code, confidence, layers, evidence, also}], best first
    layers       one object for each captured tensor, in order of computation: the fields of `local.Layer`.
                 margin is a number or "inf"; `evidence` is "bound" (a proof) or "statistical"; `worst` has index (batch,
                 row, column, channel), expected, got, bound, condition; `where` has shares of elements beyond the bound by
                 border, stride phase, channel and image, and `map`, a plane of at most 28 x 28 means
    unjudged     [{name, op, has_parameters}] that no captured tensor judges
    unknown      {count, names}: tensors that helped nothing, the first ten by name
    false_alarm  the probability below which all statistical tests together accuse a sound run
    runs         [{name, verdict, told, is_judged}] of `verify runtime`: with every tensor shown, and untouched
    reproduce    a command line
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from . import statistics
from .local import FAULT, INCONCLUSIVE, SOUND, Layer
from .names import Named
from .part import Part, has_parameters

EXIT = {SOUND: 0, FAULT: 1, INCONCLUSIVE: 3}


@dataclass(frozen=True)
class Run:
    """One of several runs that a report is on; `is_judged`: by layers of its own."""

    name: str
    verdict: str
    told: str
    is_judged: bool


@dataclass(frozen=True)
class Report:
    """What `captured` returns."""

    verdict: str
    layers: list[Layer]
    causes: list[Any]
    missing: list[Part]
    named: Named
    claim: str
    model: str
    about: dict[str, str] = field(default_factory=dict)
    runs: tuple[Run, ...] = ()

    @property
    def exit_code(self):
        return EXIT[self.verdict]

    @property
    def first(self):
        """The first layer that is a fault, or None."""
        return next((layer for layer in self.layers if layer.verdict == FAULT), None)

    def headline(self):
        """The verdict in one line."""
        counts = Counter(layer.verdict for layer in self.layers)
        if self.verdict == FAULT:
            codes = ", ".join(dict.fromkeys(cause.code for cause in self.causes))
            told = f"{counts[FAULT]} of {len(self.layers)} layers, the first {self.first.theirs}"
            return f"fault: {told}{f': {codes}' if codes else ''}"
        if self.verdict == SOUND:
            return f"within-rounding: all {len(self.layers)} captured layers, no margin above {_up(self.largest())}"
        weighed = [part.name for part in self.missing if has_parameters(part)]
        unsure = [layer for layer in self.layers if layer.verdict == INCONCLUSIVE]
        why = f"{unsure[0].theirs}: {unsure[0].reason}" if unsure else f"not captured: {', '.join(weighed[:3])}"
        more = max(len(unsure) if unsure else len(weighed) - 2, 1) - 1
        return f"inconclusive: {why}{f' and {more} more' if more else ''}"

    def largest(self):
        """The largest margin of all layers."""
        return max((layer.margin for layer in self.layers if layer.margin is not None), default=0.0)

    def to_dict(self):
        """The schema of this module."""
        first = self.first
        return {
            "schema": "refmnas-verify-1",
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "headline": self.headline(),
            "model": self.model,
            "claim": self.claim,
            "names": self.named.source,
            "layout": self.named.layout,
            "about": self.about,
            "first": None if first is None else {"name": first.name, "theirs": first.theirs},
            "causes": [_cause(cause) for cause in self.causes],
            "layers": [layer.to_dict() for layer in self.layers],
            "unjudged": [
                {"name": part.name, "op": part.op, "has_parameters": has_parameters(part)} for part in self.missing
            ],
            "unknown": {"count": len(self.named.unknown), "names": list(self.named.unknown[:10])},
            "false_alarm": statistics.FALSE_ALARM * max(sum(run.is_judged for run in self.runs), 1),
            "runs": [asdict(run) for run in self.runs],
            "reproduce": self.about.get("command", ""),
        }


def _up(value):
    """Three digits, rounded up.

    >>> _up(0.12341), _up(1.0)
    ('0.124', '1')
    """
    return f"{math.ceil(value * 1000) / 1000:g}"


def _cause(cause):
    return {
        "code": cause.code, "confidence": cause.confidence, "layers": list(cause.layers),
        "evidence": cause.evidence, "also": list(cause.also),
    }  # fmt: skip
