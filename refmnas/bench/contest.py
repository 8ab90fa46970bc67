"""One cell: whose logits are right, then how long each takes, then who is ranked.

A competitor whose largest error exceeds 1e-4 of the largest logit is wrong, and not
ranked: float32 networks of this depth stay below 1e-5 in every runtime that we met, and a
wrong padding, layout or epsilon gives 1e-2 and more.  That limit is an observation.  Ours
is also held to 1e-6 plus three times the less exact peer's error.
"""

from __future__ import annotations

import numpy as np

from . import clock as clocks
from . import order
from .entrants import OURS, Entrant
from .machine import OTHERS

WRONG = 1e-4  # of the largest logit
OURS_ALONE, TIMES_PEER = 1e-6, 3.0
VARIATION = 0.05  # quartiles apart, over the median


def error(got, want):
    """The largest error over the largest logit; infinite for another shape, or values that are not finite."""
    if np.shape(got) != np.shape(want) or not np.isfinite(got).all():
        return float("inf")
    return float(np.abs(np.asarray(got, np.float64) - want).max() / np.abs(want).max())


def cell(found, x, want, *, threads, rules=None, clock=None, tell=lambda text: None):
    """The record of a cell; `found` is [Entrant or Absent], `want` the float64 logits of x."""
    present = [e for e in found if isinstance(e, Entrant)]
    prepared = {e.name: e.prepare(x) for e in present}
    errors, broken = outputs(present, prepared, want)
    runs = {e.name: (lambda e=e: e.run(prepared[e.name])) for e in present if e.name in errors}
    times = clocks.cell(runs, rules, clock, tell=tell) if runs else clocks.Cell({})
    rows = [row(e, errors, broken, times, len(x)) for e in found]
    record = {
        "batch": len(x),
        "threads": threads,
        "rounds": times.rounds,
        "attempts": times.attempts,
        "seconds": times.seconds,
        "noise": times.noise(),
        "is_noisy": times.is_noisy,
        "is_partial": times.is_interrupted,
        "criterion": criterion(errors),
        "competitors": rows,
    }
    return _ranked(record, times)


def outputs(present, prepared, want):
    """({name: error} of each Entrant's logits, {name: why} of those that fail)."""
    errors, broken = {}, {}
    for e in present:
        try:
            errors[e.name] = error(e.run(prepared[e.name]), want)
        except (MemoryError, KeyboardInterrupt):
            raise
        except Exception as reason:  # each runtime has exceptions of its own
            broken[e.name] = f"fails: {reason}"
    return errors, broken


def row(e, errors, broken, times, batch):
    """A competitor's part of the record; milliseconds are per image."""
    if not isinstance(e, Entrant):
        return {"name": e.name, "absent": e.reason}
    found = {"name": e.name, "version": e.version, "description": e.description}
    if e.name in broken:
        return found | {"absent": broken[e.name]}
    runs = times.runs(e.name)
    found |= {"error": _finite(errors[e.name]), "is_wrong": not errors[e.name] <= WRONG, "runs": len(runs)}
    if runs:
        s = order.summary(runs)
        keys = ("min_ms", "q1_ms", "median_ms", "q3_ms")
        found |= {key: 1e3 * value / batch for key, value in zip(keys, s, strict=True)}
        found["variation"] = (s.q3 - s.q1) / s.median
    return found


def _finite(value):
    """JSON has no infinity."""
    return value if np.isfinite(value) else None


def criterion(errors):
    """Whether our error is at most 1e-6 and three times the less exact peer's; None without peers to compare with.

    >>> criterion({"refmnas": 4e-7, "ort": 3e-7, "lost": 0.5})["is_met"]
    True
    """
    others = [e for name, e in errors.items() if name != OURS and e <= WRONG]
    if OURS not in errors or not others:
        return None
    limit = OURS_ALONE + TIMES_PEER * max(others)
    return {"ours": _finite(errors[OURS]), "limit": limit, "is_met": bool(errors[OURS] <= limit)}


def _ranked(record, times):
    """The record with ratios to the best peer, and places by median where the cell is quiet."""
    timed = [row for row in record["competitors"] if "median_ms" in row]
    right = [row for row in timed if not row["is_wrong"]]
    best = times.fastest(row["name"] for row in right if row["name"] != OURS)
    record["best_peer"] = best
    for row in timed:
        ratios = times.ratios(row["name"], best) if best else []
        if ratios and not row["is_wrong"]:
            found = order.interval(ratios)
            row |= {"ratio": order.median(ratios), "ratio_interval": list(found) if found else None}
    if not (record["is_noisy"] or record["is_partial"]):
        for place, row in enumerate(sorted(right, key=lambda row: row["median_ms"]), 1):
            row["rank"] = place
    return record


def judged(record, flops, peak):
    """The record with each time's share of the FMA bound of one image; `peak` None: with nothing added."""
    if peak:
        bound_ms = 1e3 * flops / (peak * record["threads"])
        record["bound_ms"] = bound_ms
        for row in record["competitors"]:
            if "median_ms" in row:
                row["share"], row["share_of_min"] = bound_ms / row["median_ms"], bound_ms / row["min_ms"]
    return record


def warnings(record, *, others=None, peaks=(), best=None):
    """What speaks against a cell, in words."""
    found = []
    if record["is_partial"]:
        found.append("interrupted: what was measured until then")
    if record["is_noisy"]:
        found.append(f"noisy: a median {record['noise']:.2f} times its minimum after {record['attempts']} tries; not ranked")
    if others is not None and others > OTHERS:
        found.append(f"another load: other processes used {others:.1f} cores")
    if peaks and best and min(peaks) < 0.95 * best:
        found.append(f"a throttled clock: {min(peaks) / 1e9:.0f} GFLOP/s here, {best / 1e9:.0f} at best in this bench")
    for row in record["competitors"]:
        if row.get("variation", 0) > VARIATION:
            found.append(f"{row['name']} varies by {100 * row['variation']:.0f} % between its quartiles")
        if row.get("is_wrong"):
            found.append(f"{row['name']} is wrong and not ranked: its error exceeds {WRONG:g} of the largest logit")
    return found
