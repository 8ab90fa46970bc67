"""The page of a tolerance tried on planted faults, and the words that it shares with the text."""

from __future__ import annotations

from html import escape

from . import page

HEADER = ("cause", "planted", "where", "logits off by")
STYLE = ".verdict { font-size:17px; font-weight:600; margin:10px 0 4px; } .verdict.bad { color:var(--bad); }"


def whole(record):
    """The page of `refmnas.verify.tolerance.Tried.to_dict()`, with what the command adds: model, about."""
    words = len(header(record))
    rows = [("bad" if row["gets_through"] else "", cells(row, record["criteria"])) for row in record["rows"]]
    again = f"<h2>Once more</h2><p><code>{escape(record['reproduce'])}</code></p>" if record["reproduce"] else ""
    parts = [
        f"<h1>{escape(record['model'])}: what {escape(', '.join(record['criteria']))} lets through</h1>",
        f'<p class="verdict{" bad" if record["through"] else ""}">{escape(last(record))}</p>',
        page.facts(list(record["about"].items())),
        "<h2>Sound float32 runs</h2>",
        page.said(sound(record)),
        "<h2>Causes that get through</h2>",
        _causes(record),
        "<h2>Every fault and place</h2>",
        page.table(header(record), rows, left=words),
        page.said(notes(record)),
        again,
    ]
    return page.whole(f"tolerance {record['model']}", "\n".join(parts), style=page.FIGURES + STYLE,
                      made_by=", refmnas verify tolerance")  # fmt: skip


def _causes(record):
    """Those that let something through, and how many others there are."""
    found = by_code(record)
    rows = [("bad", each) for each in found if each[2]]
    told = f"{len(found) - len(rows)} of {len(found)} causes are seen wherever they were planted"
    return (page.table(("cause", "planted", "get through"), rows) if rows else "") + page.said([told])


def header(record):
    """The columns: of each criterion one for the logits, and one for all layers where it has a meaning there."""
    names = [name.partition("(")[0].partition(" ")[0] for name in record["criteria"]]
    layers = [name for name in names if name != "top-1"]
    return (*HEADER, *names, "refmnas", *(f"{name}, layers" for name in layers))


def cells(row, criteria):
    """A row of `header`: seen or not; of the layers the first one that is seen."""
    layers = [row["of_layers"][name] for name in criteria if row["of_layers"][name] is not None]
    return (
        row["code"], row["told"], row["where"], deviation(row["logits"]), *(_seen(row["seen"][name]) for name in criteria),
        _seen(row["refmnas"]), *(name or "not" for name in layers),
    )  # fmt: skip


def _seen(flag):
    return "seen" if flag else "not"


def deviation(value):
    """Three digits; None, which is not finite, as such.

    >>> deviation(0.012345), deviation(None)
    ('0.0123', 'not finite')
    """
    return "not finite" if value is None else f"{value:.3g}"


def by_code(record):
    """[(code, places tried, places that get through)], those that let most through first."""
    tried, through = {}, {}
    for row in record["rows"]:
        tried[row["code"]] = tried.get(row["code"], 0) + 1
        through[row["code"]] = through.get(row["code"], 0) + row["gets_through"]
    return sorted(((code, n, through[code]) for code, n in tried.items()), key=lambda each: -each[2])


def sound(record):
    """Whether a sound run passes, and the tightest tolerances: measured and bounded."""
    lines = [f"{name} refuses a sound float32 run (the same network, summed in another order)"
             for name, is_refused in record["refuses_sound"].items() if is_refused]  # fmt: skip
    found = record["deviation"]
    if found is None:
        return lines
    lines.append(f"measured: the logits of sound float32 runs on these images pass {_pair(found['measured'])}")
    lines.append(f"bounded, the last layer alone, fed what the run fed it: {_pair(found['bounded_last_layer'])}")
    end = found["bounded"]
    told = "no finite tolerance" if end["atol"] is None else _pair(end)
    return [*lines, f"bounded, the whole network in any order of sums: {told}; over so many layers a bound says nothing"]


def last(record):
    """The line that everything is done for."""
    if record["deviation"] is None:
        return record["headline"]
    measured, own = record["deviation"]["measured"], record["deviation"]["bounded_last_layer"]["atol"]
    least = f"atol {deviation(measured['atol'])} or rtol {deviation(measured['rtol'])} (measured)"
    told = f"{record['headline']}; a sound float32 run passes {least}, its last layer alone atol {deviation(own)} (bounded)"
    return f"{told}: the criterion refuses sound runs, too" if any(record["refuses_sound"].values()) else told


def _pair(figures):
    told = f"atol {deviation(figures['atol'])} alone, or rtol {deviation(figures['rtol'])} alone"
    beside = figures.get("atol_beside_rtol", "")
    return told if beside == "" else f"{told}, or atol {deviation(beside)} beside the rtol given"


def notes(record):
    """What was not counted, and why."""
    lines = []
    if record["without_effect"]:
        lines.append(f"{len(record['without_effect'])} change no bit of any result here: {_few(record['without_effect'])}")
    if record["not_here"]:
        lines.append(f"{len(record['not_here'])} would give another shape at this size: {_few(record['not_here'])}")
    return lines


def _few(found, shown=4):
    return "; ".join(found[:shown]) + (f" and {len(found) - shown} more" if len(found) > shown else "")
