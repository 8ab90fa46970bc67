"""The page of a plan: its steps as a table, its memory as a picture."""

from __future__ import annotations

from html import escape

from . import memory, page, rows

HEADER = ("step", "kind", "nodes", "output", "MFLOP", "weights KB", "FLOP/byte", "units")


def title(record):
    height, width = record["size"]
    threads = f"{record['threads']} thread{'s' * (record['threads'] > 1)}"
    return f"{record['network']}, {record['dialect']}, {height} x {width}, batch {record['batch']}, {threads}, {record['isa']}"


def steps(record):
    """Cells of HEADER, a row per step, and one of all."""
    found = []
    for k, s in enumerate(record["steps"]):
        per_byte = f"{s['flops'] / s['bytes']:.1f}" if s["bytes"] else "-"
        work = f"{s['flops'] / 1e6:.2f}", f"{s['bytes'] / 1e3:.1f}", per_byte
        found.append((str(k), s["kind"], rows.nodes(s["names"]), rows.by(s["shape"]), *work, str(s["units"])))
    flops, size = (sum(s[key] for s in record["steps"]) for key in ("flops", "bytes"))
    found.append(("all", "", "", "", f"{flops / 1e6:.2f}", f"{size / 1e3:.1f}", f"{flops / size:.1f}", ""))
    return found


def facts(record):
    """(name, value) of the plan as a whole."""
    m = record["memory"]
    return [
        ("weights", f"{memory.size(m['weights'])}, packed in blocks of {record['block']} channels"),
        ("between steps", memory.size(m["arena"])),
        ("scratch of all threads", memory.size(m["scratch"])),
        ("beyond weights, input and output", memory.size(m["arena"] + m["scratch"])),
    ]


def plan(record):
    """The whole file."""
    told = (
        "Each rectangle is a buffer, as long as it lives: two that share an address are never alive at the same step. "
        "A tooltip names it."
    )
    lines = [("ours" if row[0] == "all" else "", row) for row in steps(record)]
    body = "\n".join(
        [
            f"<h1>The plan of {escape(record['network'])}</h1>",
            f"<p class=lead>{escape(title(record))}</p>",
            page.facts(facts(record)),
            "<h2>Memory</h2>",
            page.figure(memory.picture(record), told, is_wide=True),
            "<h2>Steps</h2>",
            page.table(HEADER, lines, left=4),
        ]
    )
    return page.whole(f"plan of {record['network']}", body, style=page.FIGURES, made_by="; made by: refmnas compile-report")
