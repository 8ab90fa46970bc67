"""The judge and the diagnosis on planted faults, and on sound runs that must not be accused.

    python benchmarks/verify_faults.py [--size 96] [--only REGEX] [--json FILE] [--sound]

Every fault of `verify_catalogue/faults.py` is planted in a copy of a published PyTorch module, whose tensors are captured
by hooks and judged against the same network here, with the weights that were meant.  Told for each: the verdict,
whether the true cause comes first, and what allclose(1e-3), a cosine above 0.999 and an equal first class would
have seen in the logits.  With --json the file is read first: what stands in it is not run again.

Needs the extra `parity`.  Exit status 1 where a sound run is accused.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import sys
import time
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from verify_catalogue import networks, sound
from verify_catalogue.faults import FAULTS

from refmnas.models import build
from refmnas.verify import capture, captured


@lru_cache(maxsize=2)
def meant(name):
    return networks.module(name)


@lru_cache(maxsize=2)
def ours(name, size):
    subject = networks.SUBJECTS[name]
    return build(subject.ours, dialect=subject.source, size=size).load(state(meant(name)), names=subject.source)


def state(module):
    return {key: a.numpy() for key, a in module.state_dict().items() if not key.endswith("num_batches_tracked")}


def one(fault, size):
    """The record of one planted fault."""
    x, module = torch.from_numpy(networks.image(size)), meant(fault.network)
    net = ours(fault.network, size)
    if fault.prepare:
        module = copy.deepcopy(module)
        fault.prepare(module)
        subject = networks.SUBJECTS[fault.network]
        net = build(subject.ours, dialect=subject.source, size=size).load(state(module), names=subject.source)
    wrong = copy.deepcopy(module)
    change = fault.plant(wrong)
    tensors = capture(wrong, change(x) if callable(change) else x)
    tensors["input"] = x.numpy()
    with torch.no_grad():
        y = module(x).numpy()
    begun = time.perf_counter()
    report = captured(tensors, net)
    return {
        "network": fault.network, "fault": fault.name, "code": fault.code, "seconds": round(time.perf_counter() - begun, 2),
        "verdict": report.verdict, "failing": sum(layer.verdict == "fault" for layer in report.layers),
        "causes": [[c.code, c.confidence, len(c.layers), c.evidence, list(c.also)] for c in report.causes[:4]],
        "largest_margin": str(max((layer.margin or 0.0 for layer in report.layers), default=0.0)),
        **likeness(y, tensors["output"]),
    }  # fmt: skip


def likeness(y, came):
    """What the usual criteria see in the logits; True: they see the fault."""
    cosine = min(float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)) for a, b in zip(y, came, strict=True))
    return {
        "allclose": not np.allclose(came, y, rtol=1e-3, atol=1e-3),
        "cosine": not cosine > 0.999,
        "top1": not np.array_equal(y.argmax(1), came.argmax(1)),
    }


def summary(records):
    """The lines that are judged."""
    count = len(records)
    faults = sum(r["verdict"] == "fault" for r in records)
    right = sum(bool(r["causes"]) and r["causes"][0][0] == r["code"] for r in records)
    seen = {key: sum(r[key] for r in records) for key in ("allclose", "cosine", "top1")}
    yield f"{count} faults in {len({r['network'] for r in records})} networks, {len({r['code'] for r in records})} codes"
    yield f"judged a fault: {faults} of {count}; true cause first: {right} of {count}"
    yield f"seen in the logits by allclose(1e-3): {seen['allclose']}, cosine > 0.999: {seen['cosine']}, top-1: {seen['top1']}"


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--size", type=int, default=96)
    options.add_argument("--only", default="")
    options.add_argument("--json", type=Path)
    options.add_argument("--sound", action="store_true", help="the sound runs instead")
    chosen = options.parse_args()
    torch.set_num_threads(1)
    kept = json.loads(chosen.json.read_text()) if chosen.json and chosen.json.exists() else {}
    if chosen.sound:
        sys.exit(run_sound(chosen, kept))
    for fault in sorted(FAULTS, key=lambda f: f.network):
        if re.search(chosen.only, f"{fault.key} {fault.code}") and fault.key not in kept:
            record = one(fault, chosen.size)
            kept[fault.key] = record
            told = "; ".join(f"{c} ({n})" for c, _, n, _, _ in record["causes"])
            right = "ok " if record["causes"] and record["causes"][0][0] == fault.code else "NOT"
            print(f"{right} {fault.code:17} {fault.key:55} {record['verdict']:15} {told}  {record['seconds']} s", flush=True)
            write(chosen.json, kept)
    print(*summary([r for r in kept.values() if "code" in r]), sep="\n")


def run_sound(chosen, kept):
    """Every way of running that is right; none may be accused."""
    accused = 0
    for key, tensors, net in sound.runs(chosen.size, meant, ours, networks.image):
        if re.search(chosen.only, key) and key not in kept:
            report = captured(tensors(), net())
            worst = max((layer.margin or 0.0 for layer in report.layers), default=0.0)
            kept[key] = {"sound": report.verdict, "largest_margin": worst, "layers": len(report.layers)}
            print(f"{report.verdict:15} {key:60} largest margin {worst:.3f}", flush=True)
            write(chosen.json, kept)
    verdicts = [r["sound"] for r in kept.values() if "sound" in r]
    accused = sum(v == "fault" for v in verdicts)
    print(f"{len(verdicts)} sound runs: {verdicts.count('within-rounding')} within rounding, {accused} accused, "
          f"{verdicts.count('inconclusive')} inconclusive")  # fmt: skip
    return int(accused > 0)


def write(path, kept):
    if path:
        path.write_text(json.dumps(kept, indent=1))


if __name__ == "__main__":
    main()
