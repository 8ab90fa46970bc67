"""The page of a verification: verdict, causes, the margin of every layer, and for each fault where its bad elements lie."""

from __future__ import annotations

import math
import shlex
from html import escape
from itertools import pairwise

from . import page, svg

WIDTH, LEFT, TOP, TALL = 1180, 60, 18, 190
LOW, HIGH = -8, 8  # decades of the margins drawn; beyond them a mark stands at the end
MARK = {"fault": "bad", "inconclusive": "hollow", "within-rounding": "ours"}
ROW = {"fault": "bad", "inconclusive": "away", "within-rounding": ""}
HEADER = (
    "layer", "ours", "op", "verdict", "cause", "data", "shape", "n", "largest error", "margin", "bad", "ulp p50",
    "ulp max", "SNR dB", "cosine",
)  # fmt: skip
WORDS = 6  # columns of words
STYLE = """
.verdict { font-size:17px; font-weight:600; margin:10px 0 4px; } .verdict.fault { color:var(--bad); }
code { font-size:13px; overflow-wrap:anywhere; } .maps { display:flex; flex-wrap:wrap; gap:18px 34px; }
.maps figure { width:300px; max-width:100%; }
"""
CELL = 10  # of a heat map, in units of its drawing


def whole(record):
    """The page of one report, `refmnas.verify.report.Report.to_dict()`."""
    parts = [
        f"<h1>{escape(record['model'])}</h1>",
        f'<p class="verdict {record["verdict"]}">{escape(record["headline"])}</p>',
        page.facts(_facts(record)),
        _causes(record),
        "<h2>Margins</h2>",
        page.figure(margins(record["layers"]), _CAPTION, is_wide=True),
        _maps(record["layers"]),
        "<h2>Layers</h2>",
        page.table(HEADER, [(ROW[each["verdict"]], cells(each)) for each in record["layers"]], left=WORDS),
        _rest(record),
    ]
    return page.whole(f"verify {record['model']}", "\n".join(parts), style=page.FIGURES + STYLE, made_by=", refmnas verify")


_CAPTION = (
    "The largest deviation of each layer over its bound, in order of computation; above the dashed line it is proven to be "
    "no rounding. Every layer is fed what the implementation itself fed it, so a fault shows at its own layer alone."
)


def _facts(record):
    first = record["first"]
    found = [
        ("first divergence", "none" if first is None else f"{first['theirs']} ({first['name']})"),
        ("claim", record["claim"]),
        ("names", f"{record['names']}, {record['layout']}"),
        ("statistical tests", f"accuse a sound run with a probability below {record['false_alarm']:g} in all"),
    ]
    found += [(f"{run['name']} run", run["told"]) for run in record["runs"]]
    return [*found, *((key, value) for key, value in record["about"].items() if value and key != "command")]


def _causes(record):
    if not record["causes"]:
        return ""
    rows = [
        ("", (c["code"], f"{c['confidence']:.2f}", ", ".join(c["layers"][:4]) + _more(c["layers"], 4), c["evidence"],
              ", ".join(c["also"])))
        for c in record["causes"]
    ]  # fmt: skip
    return "<h2>Causes</h2>" + page.table(("code", "confidence", "layers", "evidence", "also"), rows, left=5)


def _more(found, shown):
    return f" and {len(found) - shown} more" if len(found) > shown else ""


def margins(layers):
    """A mark for each layer's margin on a logarithmic scale."""
    step = (WIDTH - LEFT - 10) / max(len(layers), 1)

    def y(margin):
        place = HIGH if margin == "inf" else math.log10(margin) if margin else LOW
        return TOP + TALL * (HIGH - min(max(place, LOW), HIGH)) / (HIGH - LOW)

    marks = []
    for decade in range(LOW, HIGH + 1, 4):
        at = TOP + TALL * (HIGH - decade) / (HIGH - LOW)
        marks += [svg.line(LEFT, at, WIDTH, at, "grid"), svg.text(LEFT - 8, at + 4, f"1e{decade}" if decade else "1", "soft r")]
    one = y(1.0)
    marks.append(svg.line(LEFT, one, WIDTH, one, "bound"))
    for k, layer in enumerate(layers):
        if layer["margin"] is not None:
            tip = f"{layer['theirs']}: {margin(layer['margin'])}, {layer['verdict']}"
            marks.append(
                svg.circle(
                    LEFT + step * (k + 0.5),
                    y(layer["margin"]),
                    5 if layer["verdict"] == "fault" else 3.2,
                    MARK[layer["verdict"]],
                    tip=tip,
                )
            )
    return svg.drawing(WIDTH, TOP + TALL + 14, marks, title="margin of every layer")


def margin(value):
    """A margin in three digits; one rounding alone comes as near to its bound as it can.

    >>> margin("inf"), margin(0.12345), margin(0.99996), margin(None)
    ('inf', '0.123', '< 1', '-')
    """
    if value is None or value == "inf":
        return value or "-"
    return "< 1" if 0.9995 <= value <= 1 else f"{value:.3g}"


def _maps(layers):
    """A heat map and the worst element of each fault, the first twelve."""
    faults = [each for each in layers if each["verdict"] == "fault"]
    if not faults:
        return ""
    shown = [_fault(each) for each in faults[:12]]
    more = f"<p class=lead>{len(faults) - 12} further faults stand in the table.</p>" if len(faults) > 12 else ""
    return f"<h2>Where the bad elements lie</h2><div class=maps>{''.join(shown)}</div>{more}"


def _fault(layer):
    """One fault: its plane of bad elements, if it has one, and words."""
    where = layer["where"] or {}
    picture = heat(where["map"], layer["theirs"]) if "map" in where else ""
    words = [f"{layer['theirs']}, margin {margin(layer['margin'])}", *places(where), worst(layer["worst"])]
    words += [f"{layer['evidence']}: {layer['reason']}"] if layer["reason"] else []
    return page.figure(picture, ". ".join(filter(None, words)))


def places(where):
    """Shares beyond the bound in words."""
    if not where:
        return []
    found = []
    if "border" in where:
        inside = "-" if where["inside"] is None else f"{where['inside']:.2%}"
        found.append(f"bad: {where['border']:.2%} of the border, {inside} inside")
        phases = ", ".join(f"{phase} {share:.1%}" for phase, share in where["phases"].items())
        found.append(f"by odd and even rows and columns: {phases}")
    channels = ", ".join(map(str, where["channels"][:8]))
    found.append(f"channels {channels}{' ...' if len(where['channels']) > 8 else ''} of {where['channels_of']}")
    return [*found, f"images {', '.join(map(str, where['images']))}"] if where["images"] else found


def worst(found):
    """The worst element in words."""
    if found is None:
        return ""
    at, bound = ", ".join(map(str, found["index"])), _number(found["bound"])
    told = f"worst at ({at}): got {_number(found['got'])}, expected {_number(found['expected'])}, bound {bound}"
    return told + ("" if found["condition"] is None else f", condition {found['condition']:.3g}")


def _number(value):
    return "-" if value is None else value if isinstance(value, str) else f"{value:.6g}"


def heat(plane, title):
    """A plane of shares from 0 to 1, darker where more elements are bad."""
    rows, columns = len(plane), len(plane[0])
    marks = [svg.rect(0, 0, columns * CELL, rows * CELL, style="fill:none;stroke:var(--soft);stroke-width:1")]
    for r, row in enumerate(plane):
        for c, share in enumerate(row):
            if share:
                style = f"fill:var(--bad);fill-opacity:{0.15 + 0.85 * share:.2f}"
                marks.append(svg.rect(c * CELL, r * CELL, CELL, CELL, tip=f"row {r}, column {c}: {share:.1%}", style=style))
    return svg.drawing(columns * CELL, rows * CELL, marks, title=f"bad elements of {title}")


def cells(layer):
    """A row of HEADER."""
    shape = " x ".join(map(str, layer["shape"]))
    words = [layer["theirs"], layer["name"], layer["op"], layer["verdict"], layer["cause"], layer["grade"], shape]
    n = str(layer["n"] or "-")
    if layer["margin"] is None:
        return [*words, n, *["-"] * 7]
    figures = [f"{layer['max_error']:.3g}", margin(layer["margin"]), f"{layer['bad_share']:.2%}", f"{layer['ulp_p50']:.3g}",
               f"{layer['ulp_max']:.3g}"]  # fmt: skip
    likeness = ["-" if layer[key] is None else f"{layer[key]:.{digits}f}" for key, digits in (("snr_db", 1), ("cosine", 6))]
    return [*words, n, *figures, *likeness]


def _rest(record):
    """The notes, and how to run it again."""
    again = f"<h2>Once more</h2><p><code>{escape(record['reproduce'])}</code></p>" if record["reproduce"] else ""
    return page.said(notes(record)) + again


def notes(record):
    """What was not judged and why, what helped nothing, what would have passed."""
    lines = [f"{each['theirs']}: {each['reason']}" for each in record["layers"] if each["verdict"] == "inconclusive"]
    missing = [each["name"] for each in record["unjudged"] if each["has_parameters"]]
    lines += [f"not captured, and nothing behind it: {', '.join(missing[:6])}{_more(missing, 6)}"] if missing else []
    unknown = record["unknown"]
    lines += [f"{unknown['count']} tensors helped nothing: {', '.join(unknown['names'][:4])}"] if unknown["count"] else []
    return lines + passing(record)


def passing(record):
    """The tolerance that would have passed every layer all the same, where there is a fault, and how to see what else would."""
    told = [each["tolerance"] for each in record["layers"] if each["tolerance"]]
    if not told or not any(each["verdict"] == "fault" for each in record["layers"]):
        return []
    atol, beside = (max(each[key] for each in told) for key in ("atol", "atol_beside_rtol_1e-3"))
    lines = [f"layer by layer atol {atol:.3g}, or rtol 1e-3 with atol {beside:.3g}, would have passed all of this"]
    network = _network(record["reproduce"])
    if network:
        lines.append(f"what else that lets through: refmnas verify tolerance --rtol 1e-3 --atol {beside:.3g} {network}")
    return lines


def _network(command):
    """The options of a command line that say which network, empty where it is a graph.

    >>> _network("refmnas verify captured run.npz --model mnasnet-b1 --weights a.pth --claim fp16")
    '--model mnasnet-b1 --weights a.pth'
    """
    words = shlex.split(command)
    pairs = [pair for pair in pairwise(words) if pair[0] in ("--model", "--weights", "--dialect", "--width", "--size")]
    if not pairs or any(value.endswith((".onnx", ".tflite")) for _, value in pairs):
        return ""
    return shlex.join(word for pair in pairs for word in pair)
