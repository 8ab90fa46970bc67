"""The page of a bench: the machine, a roofline, each cell as bars and table, steps, single ops."""

from __future__ import annotations

from html import escape

from . import charts, page, rows

LEAST = 256  # of the peak: slower points are not of the roofline's kind
NAMES = {"1": "scalar", "4": "128-bit", "8": "256-bit", "16": "512-bit"}


def bench(result):
    """The whole file."""
    partial = "<p class=lead><b>Partial:</b> interrupted; what was measured until then.</p>" if result["is_partial"] else ""
    parts = [
        "<h1>refmnas bench</h1>",
        "<p class=lead>Every competitor's output is compared with float64 first. Then they take turns in blocks, each after a "
        "pause and two runs that do not count; a ratio is the median of the rounds' ratios, with the interval that holds the "
        "true one in 95 of 100 benches whatever the distribution.</p>",
        partial,
        page.facts(rows.machine(result)),
        page.said([f"{f['model']}, {f['threads']} threads: {f['why']}" for f in result["failed"]]),
        _roofline(result),
        *(_cell(cell) for cell in result["cells"]),
        *(_layers(record) for record in result["layers"]),
        _ops(result["ops"]),
    ]
    return page.whole("bench", "\n".join(parts), style=page.FIGURES, made_by=f"; made by: {escape(result['command'])}")


def _roofline(result):
    points = [p for cell in result["cells"] for p in _cell_points(cell)]
    told = (
        "Filled: refmnas. Hollow: the best peer. Bytes are the network's weights, the image and the logits, each once. "
        "Rates are of one core, the best of this bench."
    )
    picture = _drawn(points, result["machine"]["ceilings"])
    return "<h2>Roofline</h2>" + page.figure(picture, told) if picture else ""


def _drawn(points, ceilings):
    """The roofline of points; those that compute next to nothing are left out.  Empty where nothing is left."""
    flops = {NAMES.get(n, n): v for n, v in ceilings["gflops"].items()}
    shown = [p for p in points if flops and p["gflops"] * LEAST >= max(flops.values())]
    return charts.roofline(shown, flops, ceilings["gbytes_per_s"], title="roofline") if shown else ""


def _cell_points(cell):
    """Ours, labelled, and the best peer's."""
    intensity = cell["flops"] * cell["batch"] / cell["bytes"]
    for row in cell["competitors"]:
        if "median_ms" not in row or row["name"] not in ("refmnas", cell["best_peer"]):
            continue
        gflops = cell["flops"] / row["median_ms"] / 1e6 / cell["threads"]
        is_ours = row["name"] == "refmnas"
        label = f"{cell['network']} b{cell['batch']} t{cell['threads']}" if is_ours else ""
        tip = f"{row['name']}: {gflops:.1f} GFLOP/s a core; {rows.title(cell)}"
        kind = "ours" if is_ours else "hollow"
        yield {"label": label, "intensity": intensity, "gflops": gflops, "kind": kind, "tip": tip}


def _step_points(record):
    for row in record["steps"]:
        if row["flops"] and row["bytes"] and row["us"]:
            gflops = row["flops"] / row["us"] / 1e3 / record["threads"]
            tip = f"{row['kind']} {rows.nodes(row['names'])}: {gflops:.1f} GFLOP/s a core"
            yield {"label": "", "intensity": row["flops"] / row["bytes"], "gflops": gflops, "kind": "ours", "tip": tip}


def _cell(cell):
    shown = [row for row in cell["competitors"] if "median_ms" in row]
    best = next((row["median_ms"] for row in shown if row["name"] == cell["best_peer"]), None)
    marks = [
        {
            "label": row["name"],
            "value": row["median_ms"],
            "low": row["q1_ms"],
            "high": row["q3_ms"],
            "kind": "bad" if row["is_wrong"] else "ours" if row["name"] == "refmnas" else "peer",
            "note": f"({row['ratio']:.2f}x)" if row.get("ratio") and best else "",
            "tip": row["description"],
        }
        for row in shown
    ]
    told = "Median and quartiles; in brackets how many times as fast as the best peer; dashed: the FMA bound."
    bound = cell.get("bound_ms")
    picture = charts.bars(marks, unit="ms per image", title=rows.title(cell), bound=bound) if marks else ""
    return "\n".join(
        [
            f"<h2>{escape(rows.title(cell))}</h2>",
            page.figure(picture, told) if marks else "",
            page.table(rows.CELL, rows.competitors(cell), left=2),
            page.said(rows.remarks(cell)),
        ]
    )


def _layers(record):
    peer = record["peer"]["name"]
    marks = [
        {
            "label": f"{row['kind']} {_short(row['names'])}",
            "ours": row["us"],
            "peer": row["peer_us"],
            "bound": row["bound_us"],
            "note": f"{row['us']:.0f}" + (f" / {row['peer_us']:.0f}" if row["peer_us"] else ""),
            "tip": f"{rows.nodes(row['names'])}: {row['us']:.1f} us, bound {row['bound_us']:.1f} by {row['bound_by']}",
        }
        for row in record["steps"]
    ]
    told = (
        f"Each step of the plan: our median, beneath it the sum of {peer}'s own profile of the same nodes; dashed: the bound, "
        f"the greater of operations over peak and weights over the bandwidth of {record['weights_in']}."
    )
    points = _drawn(list(_step_points(record)), record["ceilings"])
    dots = "Each step once more: operations per byte of its weights; steps without multiply-adds to speak of are left out."
    missing = [f"{peer}: {record['peer']['absent']}"] if "absent" in record["peer"] else []
    return "\n".join(
        [
            f"<h2>Steps of {escape(rows.title(record))}</h2>",
            page.figure(charts.pairs(marks, unit="us", title="steps"), told),
            page.figure(points, dots) if points else "",
            page.table(rows.STEP, rows.steps(record), left=3),
            page.said([*missing, f"largest error of the plan {record['error']:.1e} of the largest logit"]),
        ]
    )


def _short(names):
    """A step's place in the network, and the last of its nodes.

    >>> _short(["stages.3.1.expand", "stages.3.1.depthwise"])
    '3.1 depthwise'
    """
    place, _, last = names[-1].removeprefix("stages.").rpartition(".")
    return f"{place} {last}".strip()


def _ops(records):
    if not records:
        return ""
    table = page.table(rows.OP, [rows.op(record) for record in records])
    told = "Margins: the largest error over the derived bound, above 1 it is wrong, not ranked. Ratio: PyTorch's time to ours."
    return f"<h2>Single ops against PyTorch, one thread</h2><p class=lead>{told}</p>{table}"
