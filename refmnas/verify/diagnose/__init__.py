"""Why a layer deviates: every candidate cause is re-run by the reference on the failing segment alone.

    causes(failing, context)   -> list[Cause], best first

A candidate that brings the margin to at most 1 explains its segment.  A field of the conventions comes before
another re-run, that before a fitted cause, that before a signature (TILE, TAIL, UNKNOWN).  Fitted causes take their
parameters from half of the elements and are proved on all.  One fault that hits several layers is one cause.
"""

from __future__ import annotations

from collections import Counter

from ..part import WEIGHED
from . import gradient, search
from .cause import CONFIDENCE, FITTED, Cause, Context

__all__ = ["Cause", "Context", "causes", "gradient"]

# Of codes that explain as many layers by the same kind of evidence, the first here comes first.
_RANK = (
    "PRE-CHANNELS", "PRE-SCALE", "PAD-SAME", "BN-EPS", "SE-GATE", "SE-ACT", "SE-MISSING", "RES-MISSING", "ACT-KIND",
    "ACT-MISSING", "ACT-EXTRA", "BIAS-MISSING", "BN-BETA", "FTZ", "PREC-FP16", "PREC-TF32", "PREC-BF16", "POOL",
    "GRAD-SUM", "SE-SQUEEZE", "STRIDE-PHASE", "DILATION", "PAD", "LAYOUT-WEIGHT", "WEIGHT-SWAP",
)  # fmt: skip
_PATIENCE = 6  # after so many layers that no re-run explains, fits alone are tried: the weights are others


def causes(failing, context, explained=search.explained) -> list[Cause]:
    """The causes of these segments' deviations, best first.

    failing   segments whose margin is above 1, or that a statistical test refuses
    context   `Context`: all parts, all segments, the network
    explained  what asks one segment: `search.explained`, or that of `gradient`

    Returns   every failing segment in exactly one cause; `also` holds the other codes that explain it.
    """
    by_layer = {}
    seen: Counter = Counter()
    weak = 0  # layers in a row that no re-run explained
    for segment in sorted(failing, key=lambda s: s.came.size):  # what the cheap ones tell spares work on the large ones
        known = tuple(code for code, _ in seen.most_common(4))
        found = explained(segment, context, known, only_fits=weak >= _PATIENCE)
        by_layer[segment.name] = found
        weak = weak + 1 if found[0].tier >= FITTED else 0
        if found[0].tier < FITTED:
            seen[found[0].code] += 1
    return _merged({s.name: by_layer[s.name] for s in sorted(failing, key=lambda s: _place(s, context))}, context)


def _place(segment, context):
    return context.place.get(segment.parts[-1].name, len(context.parts))


def _merged(by_layer, context):
    """One cause for each code: every layer goes to the best code of its best tier, that which explains most layers."""
    votes = Counter(c.code for found in by_layer.values() for c in found if c.tier == found[0].tier)
    groups: dict[str, list] = {}
    for name, found in by_layer.items():
        best = min((c for c in found if c.tier == found[0].tier), key=lambda c: (-votes[c.code], _rank(c.code)))
        groups.setdefault(best.code, []).append((name, best, found))
    return sorted(
        (_cause(code, rows) for code, rows in _joined(groups, context).items()),
        key=lambda c: (c.code == "UNKNOWN", -len(c.layers), -c.confidence),
    )


def _rank(code):
    """PAD-LOWER as PAD-SAME: which comes first there depends on what the pads are, and is the family's to say."""
    code = code.replace("PAD-LOWER", "PAD-SAME")
    return _RANK.index(code) if code in _RANK else len(_RANK)


def _joined(groups, context):
    """Where other weights are the rule, one cause of all layers that nothing but fits and signatures explain.

    The rule: of the weighed layers that a fit explains, most have other weights, and of all failing layers
    most are not explained by a re-run.
    """
    weak = [(code, row) for code, rows in groups.items() for row in rows if row[1].tier >= FITTED]
    total = sum(map(len, groups.values()))
    weighed = Counter(code for code, row in weak if _weighed(row[0], context) and row[1].tier == FITTED)
    stale = {code: weighed[code] for code in ("EMA-RAW", "WEIGHT-STALE")}
    if len(weak) < max(6, 0.7 * total) or sum(stale.values()) < max(3, 0.6 * sum(weighed.values())):
        return groups
    name = max(stale, key=lambda code: stale[code])
    joined = [row for code, row in sorted(weak, key=lambda pair: pair[0] != name)]
    kept = {code: [row for row in rows if row[1].tier < FITTED] for code, rows in groups.items()}
    return {name: joined} | {code: rows for code, rows in kept.items() if rows and code != name}


def _weighed(name, context):
    return name in context.by_name and context.by_name[name].op in WEIGHED


def _cause(code, rows):
    tier = min(best.tier for _, best, _ in rows)
    also = Counter(c.code for _, _, found in rows for c in found if c.code != code)
    confidence = CONFIDENCE[tier] - (0.1 if also else 0.0)
    evidence = rows[0][1].evidence + (f" (and likewise in {len(rows) - 1} others)" if len(rows) > 1 else "")
    if code == "UNKNOWN":
        confidence = 0.0
    return Cause(
        code, round(confidence, 2), tuple(name for name, _, _ in rows), evidence, tuple(c for c, _ in also.most_common(5))
    )
