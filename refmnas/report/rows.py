"""A bench's results as rows of words: what text, CSV and HTML share."""

from __future__ import annotations

import csv
import io

CELL = ("competitor", "version", "error", "min", "q1", "median", "q3", "x best peer", "interval", "% min", "% median", "place")
STEP = ("step", "nodes", "output", "MFLOP", "KB", "us", "bound", "by", "%", "peer us", "peer/us")
OP = ("case", "margin", "peer's", "us", "peer us", "ratio", "interval")


def title(cell):
    """A cell's heading: network, conventions, size, batch, threads."""
    width = f" width {cell['width']:g}" if cell["width"] != 1 else ""
    threads = f"{cell['threads']} thread{'s' * (cell['threads'] > 1)}"
    return f"{cell['network']}{width}, {cell['dialect']}, {cell['size']} x {cell['size']}, batch {cell['batch']}, {threads}"


def competitors(cell):
    """(kind, cells of CELL) of each; kind is ours, bad (wrong), away (absent) or empty."""
    return [_competitor(row, cell) for row in cell["competitors"]]


def _competitor(row, cell):
    if "absent" in row:
        return "away", (row["name"], "absent", "-", *["-"] * 8, "-")
    kind = "bad" if row["is_wrong"] else "ours" if row["name"] == "refmnas" else ""
    error = "inf" if row["error"] is None else f"{row['error']:.1e}"
    times = [_ms(row.get(key)) for key in ("min_ms", "q1_ms", "median_ms", "q3_ms")]
    ratio, ends = row.get("ratio"), row.get("ratio_interval")
    return kind, (
        row["name"],
        row["version"],
        error,
        *times,
        "-" if ratio is None else f"{ratio:.3f}",
        "-" if not ends else f"{ends[0]:.3f}-{ends[1]:.3f}",
        *(_percent(row.get(key)) for key in ("share_of_min", "share")),
        "wrong" if row["is_wrong"] else str(row.get("rank", "-")),
    )


def remarks(cell):
    """What stands under a cell's table."""
    found = []
    if cell.get("bound_ms"):
        bound, peak = cell["bound_ms"], cell["peak_gflops"]
        found.append(f"FMA bound {bound:.3f} ms at {peak:.1f} GFLOP/s a core, measured beside this cell")
    again = f" (measured {cell['attempts']} times)" if cell["attempts"] > 1 else ""
    found.append(f"{cell['rounds']} rounds in {cell['seconds']:.0f} s{again}; best peer {cell['best_peer'] or 'none'}")
    if c := cell["criterion"]:
        ours = "infinite" if c["ours"] is None else f"{c['ours']:.1e}"
        met = "met" if c["is_met"] else "NOT met"
        found.append(f"our error {ours} <= 1e-6 + 3 x the less exact peer's = {c['limit']:.1e}: {met}")
    found += [f"{row['name']}: {row['absent']}" for row in cell["competitors"] if "absent" in row]
    return found + [f"warning: {text}" for text in cell["warnings"]]


def steps(record):
    """(kind, cells of STEP) of each step of a profile, and of all together."""
    found = [("", _step(row)) for row in record["steps"]]
    t = record["total"]
    share = t["bound_us"] / t["us"]
    whole = ("all", "", "", f"{t['flops'] / 1e6:.2f}", "", f"{t['us']:.1f}", f"{t['bound_us']:.1f}", "", f"{100 * share:.0f}")
    peer = ("-", "-") if t["peer_us"] is None else (f"{t['peer_us']:.1f}", f"{t['peer_us'] / t['us']:.2f}")
    return [*found, ("ours", (*whole, *peer))]


def _step(row):
    peer = row["peer_us"]
    return (
        row["kind"],
        nodes(row["names"]),
        by(row["shape"]),
        f"{row['flops'] / 1e6:.2f}",
        f"{row['bytes'] / 1e3:.1f}",
        f"{row['us']:.1f}",
        f"{row['bound_us']:.1f}",
        row["bound_by"],
        _percent(row["share"]),
        "-" if peer is None else f"{peer:.1f}",
        "-" if peer is None or not row["us"] else f"{peer / row['us']:.2f}",
    )


def nodes(names):
    """Nodes with their common beginning once.

    >>> nodes(["stages.1.0.expand", "stages.1.0.depthwise"]), nodes(["head", "head.pool"]), nodes(["stem"])
    ('stages.1.0: expand, depthwise', 'head, head.pool', 'stem')
    """
    begins = {name.rpartition(".")[0] for name in names}
    if len(names) > 1 and len(begins) == 1 and (begin := begins.pop()):
        return f"{begin}: {', '.join(name.rpartition('.')[2] for name in names)}"
    return ", ".join(names)


def by(shape):
    """
    >>> by((7, 7, 320))
    '7 x 7 x 320'
    """
    return " x ".join(map(str, shape))


def op(record):
    """(kind, cells of OP) of a single op's comparison."""
    wrong = [who for who, key in (("ours", "is_wrong"), ("peer's", "peer_is_wrong")) if record[key]]
    low, high = record["ratio_interval"]
    ratio = (f"{record['ratio']:.2f}", f"{low:.2f}-{high:.2f}") if not wrong else (f"{' and '.join(wrong)} wrong", "-")
    margins = (f"{record[key]:.3f}" if record[key] is not None else "inf" for key in ("margin", "peer_margin"))
    return "bad" if wrong else "", (record["case"], *margins, f"{record['us']:.1f}", f"{record['peer_us']:.1f}", *ratio)


def machine(result):
    """(name, value) of what the figures depend on."""
    m = result["machine"]
    caches = ", ".join(f"{level} {size >> 10} KiB" for level, size in m["caches"].items())
    lanes = m["ceilings"]["gflops"]
    rates = ", ".join(f"{int(n) * 32}-bit {v:.1f}" if n != "1" else f"scalar {v:.1f}" for n, v in lanes.items())
    levels = ", ".join(f"{level} {v:.0f}" for level, v in m["ceilings"]["gbytes_per_s"].items())
    told = "unknown" if m["load"] is None else f"{m['load']:.2f}"
    chosen = "".join(f"; {name}={value}" for name, value in m.get("environment", {}).items())
    return [
        ("processor", f"{m['processor']}; {m['cores']} cores usable; {caches or 'caches unknown'}"),
        ("kernels", f"{m['isa'] or 'not built'} of {', '.join(m['isas']) or 'none'}{chosen}"),
        ("peak of a core", f"{rates} GFLOP/s" if rates else "not measured: no fused multiply-add in this build"),
        ("reading, a core", f"{levels} GB/s" if levels else "not measured"),
        ("load before", f"{told}; {m['system']}"),
        ("versions", ", ".join(f"{name} {version}" for name, version in m["versions"].items())),
        ("measured", f"{result['date']}; {result['command']}"),
    ]


COLUMNS = (
    "network", "dialect", "width", "size", "batch", "threads", "competitor", "version", "error", "is_wrong", "min_ms", "q1_ms",
    "median_ms", "q3_ms", "runs", "ratio", "ratio_low", "ratio_high", "share_of_min", "share", "rank", "is_noisy", "is_partial",
    "bound_ms", "peak_gflops", "absent",
)  # fmt: skip


def as_csv(result):
    """All competitors of all cells, a line each; an unknown value is empty."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for cell in result["cells"]:
        for row in cell["competitors"]:
            low, high = row.get("ratio_interval") or ("", "")
            writer.writerow(cell | row | {"competitor": row["name"], "ratio_low": low, "ratio_high": high})
    return out.getvalue()


def _ms(value):
    return "-" if value is None else f"{value:.3f}"


def _percent(value):
    return "-" if value is None else f"{100 * value:.0f}"
