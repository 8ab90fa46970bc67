"""The page of a comparison: pictures of accuracy against latency, the table, where each figure is from."""

from __future__ import annotations

from html import escape

from . import memory, page, pareto, rows

HEADER = ("network", "dialect", "size", "parameters", "mult-adds", "memory", "ms")
FROM = ("network", "weights", "dialect", "source", "top-1", "top-5", "at")


def names(record):
    """Each network's name, its width and dialect with it where two have the same."""
    found = [n["network"] + (f" x{n['multiplier']:g}" if n["multiplier"] != 1 else "") for n in record["networks"]]
    return [
        f"{name}@{n['dialect']}" if found.count(name) > 1 else name for name, n in zip(found, record["networks"], strict=True)
    ]


def title(record):
    threads = f"{record['threads']} thread{'s' * (record['threads'] > 1)}"
    return f"{len(record['networks'])} networks, batch 1, {threads}"


def peers(record):
    """The peers that were asked, in order."""
    return list(dict.fromkeys(name for n in record["networks"] for name in n["peers"]))


def header(record):
    """HEADER, a column for each peer, the published accuracy, and the measured one where images were given."""
    more = ("here top-1", "top-5") if _has_measured(record) else ()
    return (*HEADER, *(f"{name} ms" for name in peers(record)), "top-1", *more)


def table(record):
    """Cells of `header`, a row per network."""
    asked, has_measured = peers(record), _has_measured(record)
    return [_row(n, name, asked, has_measured) for n, name in zip(record["networks"], names(record), strict=True)]


def _row(n, name, asked, has_measured):
    m, p = n["memory"], n["published"]
    cells = [name, n["dialect"], str(n["size"]), f"{n['parameters']:,}", f"{n['macs'] / 1e6:.1f} M"]
    cells += [memory.size(m["arena"] + m["scratch"]) if m else "-", _ms(n["latency"])]
    cells += [_ms(n["peers"].get(peer)) for peer in asked]
    cells.append("-" if p is None else ("" if is_own(n) else "* ") + f"{p['top1']:.1f}")
    if has_measured:
        found = n["measured"]
        cells += ["-", "-"] if found is None else [f"{found['top1']:.2f}", _percent(found["top5"])]
    return cells


def _has_measured(record):
    return any(n["measured"] for n in record["networks"])


def _ms(row):
    if not row or "median_ms" not in row:
        return "-"
    return ("wrong " if row["is_wrong"] else "~ " if row["is_noisy"] else "") + f"{row['median_ms']:.2f}"


def _percent(value):
    return "-" if value is None else f"{value:.2f}"


def is_own(n):
    """Whether the published figure is of this network's dialect and size."""
    return n["published"] is not None and (n["published"]["dialect"], n["published"]["size"]) == (n["dialect"], n["size"])


def sources(record):
    """Cells of FROM for every network with a published figure."""
    return [
        (name, p["weights"], p["dialect"], p["source"], f"{p['top1']:g}", _given(p["top5"]), str(p["size"]))
        for n, name in zip(record["networks"], names(record), strict=True)
        if (p := n["published"])
    ]


def _given(value):
    return "-" if value is None else f"{value:g}"


def remarks(record):
    """What must be said beside the table."""
    found = []
    for n, name in zip(record["networks"], names(record), strict=True):
        if n["why"]:
            found.append(f"{name}: no latency: {n['why']}")
        if n["published"] is None:
            found.append(f"{name}: no published accuracy that was checked")
    found += [f"{peer}: {why} ({', '.join(who)})" for (peer, why), who in _absent(record).items()]
    timed = [n["latency"] for n in record["networks"] if n["latency"]]
    if any(p and not is_own(n) for n in record["networks"] for p in [n["published"]]):
        found.append("*: of weights in another dialect or at another size than compared here")
    if any(row["is_noisy"] for row in timed):
        found.append("~: noisy, a median more than 15 % above its minimum")
    if _has_measured(record):
        counts = sorted({n["measured"]["images"] for n in record["networks"] if n["measured"]})
        found.append(f"here: accuracy measured on {', '.join(map(str, counts))} images, cut and scaled by the dialect's rule")
    if timed:
        found.append("ms: the median of a run of one image; memory: between the plan's steps and its threads' scratch")
    return found


def _absent(record):
    """{(peer, why): names of the networks that it did not run}; all of them in one word."""
    found: dict[tuple[str, str], list[str]] = {}
    for n, name in zip(record["networks"], names(record), strict=True):
        for peer, row in n["peers"].items():
            if "absent" in row:
                found.setdefault((peer, row["absent"]), []).append(name)
    asked = sum(bool(n["peers"]) for n in record["networks"])
    return {key: ["all"] if len(who) == asked else who for key, who in found.items()}


def points(record, which):
    """The points of `which` accuracy, published (of this size) or measured, for networks with a latency."""
    found = []
    for n, name in zip(record["networks"], names(record), strict=True):
        accuracy = n[which]["top1"] if n[which] and (which == "measured" or n["published"]["size"] == n["size"]) else None
        if accuracy is not None and n["latency"] and not n["latency"]["is_wrong"]:
            ms = n["latency"]["median_ms"]
            tip = f"{name}, {n['dialect']}: {ms:.2f} ms, {accuracy:g} % top-1, {n['macs'] / 1e6:.0f} M multiply-adds"
            found.append({"label": name, "ms": ms, "accuracy": accuracy, "tip": tip})
    return found


def page_of(record):
    """The whole file."""
    partial = "<p class=lead><b>Partial:</b> interrupted; what was measured until then.</p>" if record["is_partial"] else ""
    lines = [("", row) for row in table(record)]
    parts = [
        "<h1>refmnas compare</h1>",
        f"<p class=lead>{escape(title(record))}. Latency is measured here, the networks in turns, so that what the machine "
        "does besides falls on all alike; published accuracy belongs to the weights and the evaluation named below.</p>",
        partial,
        _picture(record, "published", "Published accuracy against latency"),
        _picture(record, "measured", "Accuracy measured here against latency"),
        "<h2>Networks</h2>",
        page.table(header(record), lines, left=2),
        page.said(remarks(record)),
        "<h2>Published accuracies</h2>",
        _sources(record),
        "<h2>Machine</h2>",
        page.facts(rows.machine(record)),
    ]
    made_by = f"; made by: {escape(record['command'])}" if record["command"] else ""
    return page.whole("compare", "\n".join(part for part in parts if part), style=page.FIGURES, made_by=made_by)


def _picture(record, which, heading):
    found = points(record, which)
    if not found:
        return ""
    told = "Filled, on the stair: no other network is as fast and as right, and better in one. A tooltip tells the figures."
    return f"<h2>{heading}</h2>" + page.figure(pareto.picture(found, title=heading), told)


def _sources(record):
    found = [("", row) for row in sources(record)]
    return page.table(FROM, found, left=4) if found else ""
