"""`refmnas verify gradients` on planted faults, and on sound runs that must not be accused.

    python benchmarks/verify_gradients.py [--size 96] [--only REGEX] [--json FILE] [--sound]

Every fault of `verify_catalogue/gradient_faults.py` is planted in the backward pass of one module.  With --json the file is
read first: what stands in it is not run again.  Needs the extra `parity`.  Exit status 1 where a sound run is accused.
"""

from __future__ import annotations

import copy
import json
import re
import sys
import time

import torch
from verify_catalogue import networks
from verify_catalogue.gradient_faults import GRADIENT_FAULTS, plant
from verify_faults import asked, meant, ours, prepared

from refmnas.verify import capture_gradients, gradients

SOUND = ("plain", "channels_last", "onednn off", "one image", "float64")


def in_mode(module, mode):
    """Batch norm in that mode, everything else in evaluation: no dropout."""
    module.eval()
    for each in module.modules():
        if isinstance(each, torch.nn.BatchNorm2d):
            each.training = mode == "train"
    return module


def ran(module, x):
    labels = torch.arange(len(x)) * 7 % 1000
    return capture_gradients(module, x, loss=lambda y: torch.nn.functional.cross_entropy(y, labels))


def one(fault, size):
    """The record of one planted fault."""
    (module, net), x = prepared(fault, size), torch.from_numpy(networks.image(size))
    wrong = copy.deepcopy(module)
    plant(in_mode(wrong, fault.mode), fault)
    begun = time.perf_counter()
    report = gradients(ran(wrong, x), net)
    return {
        "network": fault.network, "mode": fault.mode, "fault": fault.name, "code": fault.code, "verdict": report.verdict,
        "seconds": round(time.perf_counter() - begun, 2),
        "failing": [layer.theirs for layer in report.layers if layer.verdict == "fault"],
        "causes": [[c.code, c.confidence, len(c.layers), c.evidence, list(c.also)] for c in report.causes[:4]],
    }  # fmt: skip


def sound(way, name, mode, size):
    """(module's captured run, network) of one way of running that is right."""
    module, x = (
        in_mode(copy.deepcopy(meant(name)), mode),
        torch.from_numpy(networks.image(size, 1 if way == "one image" else 2)),
    )
    if way == "float64":
        module, x = module.double(), x.double()
    if way == "channels_last":
        module, x = module.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    with torch.backends.mkldnn.flags(enabled=way != "onednn off"):
        return ran(module, x)


def main():
    chosen, kept = asked(__doc__)
    sys.exit(run_sound(chosen, kept) if chosen.sound else run_faults(chosen, kept))


def run_faults(chosen, kept):
    for fault in sorted(GRADIENT_FAULTS, key=lambda f: f.network):
        if re.search(chosen.only, f"{fault.key} {fault.code}") and fault.key not in kept:
            record = kept[fault.key] = one(fault, chosen.size)
            told = "; ".join(f"{c} ({n})" for c, _, n, _, _ in record["causes"])
            right = "ok " if record["causes"] and record["causes"][0][0] == fault.code else "NOT"
            print(f"{right} {fault.code:14} {fault.key:55} {record['verdict']:15} {told}  {record['failing'][:3]}", flush=True)
            write(chosen.json, kept)
    records = [r for r in kept.values() if "code" in r]
    right = sum(bool(r["causes"]) and r["causes"][0][0] == r["code"] for r in records)
    print(f"{len(records)} faults: {sum(r['verdict'] == 'fault' for r in records)} judged a fault, true cause first {right}")
    return 0


def run_sound(chosen, kept):
    for name in list(networks.SUBJECTS)[:5]:
        for mode in ("eval", "train"):
            for way in SOUND:
                key = f"sound {name} {mode} {way}"
                if re.search(chosen.only, key) and key not in kept:
                    report = gradients(sound(way, name, mode, chosen.size), ours(name, chosen.size))
                    kept[key] = {"sound": report.verdict, "largest_margin": report.largest(), "layers": len(report.layers)}
                    print(f"{report.verdict:15} {key:50} largest margin {report.largest():.3f}", report.headline(), flush=True)
                    write(chosen.json, kept)
    verdicts = [r["sound"] for r in kept.values() if "sound" in r]
    print(f"{len(verdicts)} sound runs: {verdicts.count('within-rounding')} within rounding, {verdicts.count('fault')} accused")
    return int("fault" in verdicts)


def write(path, kept):
    if path:
        path.write_text(json.dumps(kept, indent=1))


if __name__ == "__main__":
    main()
