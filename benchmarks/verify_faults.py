"""The judge and the diagnosis on planted faults, and on sound runs that must not be accused.

    python benchmarks/verify_faults.py [--size 96] [--only REGEX] [--json FILE] [--sound]

Every fault of `verify_catalogue/faults.py` and `fresh.py` is planted in a copy of a published PyTorch module, whose tensors
are captured by hooks and judged against the same network here, with the weights that were meant; those of
`graph_faults.py` in an ONNX file that ONNX Runtime runs, judged against the file that was meant.  Told for each: the
verdict, whether the true cause comes first, and what allclose(1e-3), a cosine above 0.999 and an equal first class would
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
from verify_catalogue import graphs, networks, sound
from verify_catalogue.faults import FAULTS
from verify_catalogue.fresh import FRESH
from verify_catalogue.graph_faults import GRAPH_FAULTS, GraphFault

from refmnas.models import build
from refmnas.verify import capture, captured


@lru_cache(maxsize=2)
def meant(name):
    return networks.module(name)


@lru_cache(maxsize=2)
def ours(name, size):
    return loaded(name, meant(name), size)


def loaded(name, module, size):
    """Our network of that name with the module's weights."""
    subject = networks.SUBJECTS[name]
    return build(subject.ours, dialect=subject.source, size=size).load(state(module), names=subject.source)


def prepared(fault, size):
    """(the module that is meant, ours with its weights)."""
    module = meant(fault.network)
    if not fault.prepare:
        return module, ours(fault.network, size)
    module = copy.deepcopy(module)
    fault.prepare(module)
    return module, loaded(fault.network, module, size)


def state(module):
    return {key: a.numpy() for key, a in module.state_dict().items() if not key.endswith("num_batches_tracked")}


def one(fault, size):
    """The record of one planted fault."""
    return in_graph(fault, size) if isinstance(fault, GraphFault) else in_module(fault, size)


def in_graph(fault, size):
    """A fault of an ONNX file that ONNX Runtime runs, every tensor made an output."""
    meant, x = graphs.graph(fault.network, size), networks.image(size)
    wrong = copy.deepcopy(meant)
    fault.plant(wrong)
    y = graphs.tensors(meant, x, instrumented=False)
    last = meant.graph.output[0].name
    return record(fault, graphs.tensors(wrong, x), graphs.loaded(meant), y[last], last, fault.codes)


def in_module(fault, size):
    """A fault of a PyTorch module that hooks capture."""
    x, (module, net) = torch.from_numpy(networks.image(size)), prepared(fault, size)
    wrong = copy.deepcopy(module)
    change = fault.plant(wrong)
    tensors = capture(wrong, change(x) if callable(change) else x)
    tensors["input"] = x.numpy()
    with torch.no_grad():
        y = module(x).numpy()
    return record(fault, tensors, net, y, "output", (fault.code,))


def record(fault, tensors, model, y, last, codes):
    """What the judge says; `codes`: those that are true of it."""
    begun = time.perf_counter()
    report = captured(tensors, model)
    causes = [[c.code, c.confidence, len(c.layers), c.evidence, list(c.also)] for c in report.causes[:4]]
    return {
        "network": fault.network, "fault": fault.name, "code": fault.code, "seconds": round(time.perf_counter() - begun, 2),
        "kind": "graph" if isinstance(fault, GraphFault) else "fresh" if fault in FRESH else "module",
        "verdict": report.verdict, "failing": sum(layer.verdict == "fault" for layer in report.layers),
        "is_right": bool(causes) and causes[0][0] in codes, "causes": causes,
        "largest_margin": str(max((layer.margin or 0.0 for layer in report.layers), default=0.0)),
        **likeness(y, tensors[last]),
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
    """The lines that are judged, for each kind of fault and in all."""
    for kind, told in (("module", "faults of PyTorch modules"), ("graph", "faults of ONNX files"),
                       ("fresh", "faults that the diagnosis was not made with"), ("", "faults in all")):  # fmt: skip
        found = [r for r in records if kind in ("", r["kind"])]
        if found:
            right, faults = sum(r["is_right"] for r in found), sum(r["verdict"] == "fault" for r in found)
            yield f"{len(found)} {told}: {faults} called a fault, true cause first {right}"
    seen = {key: sum(r[key] for r in records) for key in ("allclose", "cosine", "top1")}
    yield f"in {len({r['network'] for r in records})} networks and graphs, {len({r['code'] for r in records})} codes"
    yield f"seen in the logits by allclose(1e-3): {seen['allclose']}, cosine > 0.999: {seen['cosine']}, top-1: {seen['top1']}"


def asked(told):
    """(the options of this script and its like, what the file of --json holds)."""
    options = argparse.ArgumentParser(description=told.splitlines()[0])
    options.add_argument("--size", type=int, default=96)
    options.add_argument("--only", default="")
    options.add_argument("--json", type=Path)
    options.add_argument("--sound", action="store_true", help="the sound runs instead")
    chosen = options.parse_args()
    torch.set_num_threads(1)
    kept = json.loads(chosen.json.read_text()) if chosen.json and chosen.json.exists() else {}
    return chosen, kept


def main():
    chosen, kept = asked(__doc__)
    if chosen.sound:
        sys.exit(run_sound(chosen, kept))
    for fault in sorted((*FAULTS, *FRESH, *GRAPH_FAULTS), key=lambda f: f.network):
        if re.search(chosen.only, f"{fault.key} {fault.code}") and fault.key not in kept:
            found = kept[fault.key] = one(fault, chosen.size)
            told = "; ".join(f"{c} ({n})" for c, _, n, _, _ in found["causes"])
            right = "ok " if found["is_right"] else "NOT"
            print(f"{right} {fault.code:17} {fault.key:55} {found['verdict']:15} {told}  {found['seconds']} s", flush=True)
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
