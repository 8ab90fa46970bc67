"""The verdict on every captured tensor, each fed what the implementation itself fed it.

    fault            an element deviates by more than the bound (evidence "bound", a proof), or a statistical test
                     of a long sum fails (evidence "statistical")
    inconclusive     the input is not finite; there is no bound for the claim; or between the captured tensors lie
                     so many layers that a deviation of SEEN of what the values vary by would pass
    within-rounding  otherwise

The run is a fault if a layer is, else inconclusive if a layer with parameters could not be judged.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import numpy as np

from ..errors import RefmnasError
from . import measure, statistics
from .part import has_parameters, of_parameter, terms
from .segment import bounded, followed, ratios

SEEN = 1e-3  # of the values' variation: what a segment of several sums must be able to tell to count as judged
FAULT, INCONCLUSIVE, SOUND = "fault", "inconclusive", "within-rounding"


@dataclass(frozen=True)
class Layer:
    """One row of the report; figures are None where there is none."""

    name: str
    theirs: str
    op: str
    parts: list[str]
    shape: list[int]
    n: int
    verdict: str
    reason: str = ""
    evidence: str = ""
    grade: str = ""
    grade_why: list[str] = field(default_factory=list)
    margin: float | None = None
    bad_share: float | None = None
    max_error: float | None = None
    ulp_p50: float | None = None
    ulp_max: float | None = None
    snr_db: float | None = None
    cosine: float | None = None
    tolerance: dict | None = None
    worst: dict | None = None
    where: dict | None = None
    tests: list[dict] = field(default_factory=list)
    cause: str = ""

    def to_dict(self):
        """The row as the JSON report has it; a margin without end is "inf"."""
        found = asdict(self)
        if self.margin is not None and not np.isfinite(self.margin):
            found["margin"] = "inf"
        return found


def judge(segments, theirs=None, tests=None):
    """`Layer` for each segment, in order; `theirs` are the user's names of our parts.

    tests   how many long sums share the probability of a false alarm, where these segments are some of a report's
    """
    long = sum(_is_long(segment) for segment in segments) if tests is None else tests
    delta = statistics.FALSE_ALARM / max(long, 1)
    return [_judged(segment, (theirs or {}).get(segment.name, segment.name), delta) for segment in segments]


def overall(layers, missing):
    """The verdict on the run; `missing` are parts that no captured tensor judges."""
    verdicts = {layer.verdict for layer in layers}
    if FAULT in verdicts:
        return FAULT
    if any(has_parameters(part) for part in missing) or not layers:
        return INCONCLUSIVE
    return INCONCLUSIVE if INCONCLUSIVE in verdicts else SOUND


def _judged(segment, theirs, delta):
    common = _common(segment, theirs)
    for name, a in segment.feeds.items():
        if not np.isfinite(a).all():
            return Layer(**common, verdict=INCONCLUSIVE, reason=f"its input {name} is not finite")
    try:
        known = followed(segment)
    except RefmnasError as refusal:
        return Layer(**common, verdict=INCONCLUSIVE, reason=str(refusal).removeprefix("verify: "))
    (y, error), came = bounded(known), segment.came
    found = ratios(y, error, came)
    bad, margin = found > 1, float(found.max(initial=0.0))
    grade, why = measure.grade(segment, y)
    tests = _tests(segment, known, delta)
    verdict, reason, evidence = _verdict(segment, (y, error), bad, tests)
    size = known.sums[0] if known.sums else None
    return Layer(
        **common, verdict=verdict, reason=reason, evidence=evidence, grade=grade, grade_why=why, margin=margin,
        bad_share=float(bad.mean()) if bad.size else 0.0, **measure.likeness(y, came),
        worst=measure.worst(y, error, came, found, size) if bad.size else None,
        where=measure.where(bad, not of_parameter(segment.parts[-1])) if bad.any() else None,
        tests=[{"name": t.name, "value": t.value, "limit": t.limit, "failed": t.has_failed} for t in tests],
    )  # fmt: skip


def _common(segment, theirs):
    counts = [terms(part) for part in segment.parts]
    return {
        "name": segment.name, "theirs": theirs, "op": " + ".join(dict.fromkeys(part.op for part in segment.parts)),
        "parts": [part.name for part in segment.parts], "shape": list(segment.came.shape), "n": max(counts),
    }  # fmt: skip


def _verdict(segment, bounds, bad, tests):
    """(verdict, reason, evidence)."""
    y, error = bounds
    if bad.any():
        came = segment.came
        if not np.isfinite(came).all():
            at = tuple(int(k) for k in np.argwhere(~np.isfinite(came))[0])
            return FAULT, f"{came[at]} at {at}", "bound"
        return FAULT, "", "bound"
    weighed = [part.name for part in segment.parts if terms(part)]
    is_seen = np.linalg.norm(error) < SEEN * np.linalg.norm(_variation(y))  # False where the error grew beyond numbers
    if len(weighed) > 1 and not is_seen:
        more = f" and {len(weighed) - 3} more" if len(weighed) > 3 else ""
        told = f"nothing captured between {', '.join(weighed[:3])}{more}"
        return INCONCLUSIVE, f"{told}; a deviation of {SEEN:.1%} of the values would pass", ""
    failed = [test for test in tests if test.has_failed]
    if failed:
        told = "; ".join(f"{test.name} {test.value:.3g} > {test.limit:.3g}" for test in failed)
        return FAULT, told, "statistical"
    return SOUND, "", "bound"


def _variation(y):
    """What is not the same in every pixel and image; all of it where there is one alone."""
    axes = tuple(range(y.ndim - 1))
    return y - y.mean(axis=axes) if y.size > y.shape[-1] else y


def _is_long(segment):
    """One weighed part alone, with many terms, in float32: what the tests speak of."""
    return len(segment.parts) == 1 and segment.claim.is_float32 and terms(segment.parts[0]) >= statistics.LONG


def _tests(segment, known, delta):
    if not _is_long(segment) or known.sums is None or not np.isfinite(segment.came).all():
        return []
    size, n, _ = known.sums
    return statistics.tests(known.value, segment.came, size, n, delta)
