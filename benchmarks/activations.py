"""The engine's activations on all 2^32 float32 inputs, against float64.

    python benchmarks/activations.py swish                       minutes
    python benchmarks/activations.py --step 1009                 a sample of every kind, seconds
    python benchmarks/activations.py swish --journal FILE        goes on where it was stopped
    python benchmarks/activations.py --isa scalar --step 997     another instruction set: the same figures

An error is counted in units in the last place of the exact value, at least 2^-149.  The
exact value is the defining formula in float64, whose own error is below 1e-8 of such a
unit.  Apart from these stand inputs that have no result in float32 (NaN, and what the
formula makes of infinities), and results below 2^-126 in size or set to 0 there,
whose largest absolute error is printed instead.

Measured over all inputs (AVX2; every instruction set gives the same bits): swish 2.394 units
at -16.685, sigmoid 2.481 at -16.636, each beyond half a unit for less than 4 % of the
inputs; below -88.376 both are 0, which is at most 3.7e-37 and 4.2e-39 off.  Hard-sigmoid 1.000 at
1.0000012, slim's 1.167 at 2.0000002, hard-swish 1.914 at 1.3716037, beyond half a unit for 2.4 %,
7.6 % and 14.0 %; a hard-swish without digits is half of the smallest number off.  Keras' hard-sigmoid,
whose 0.2 x + 0.5 cancels, is at most 4.40e-8 off.

Exit code 0: within the stated bounds (`STATED`), 1: not.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import numpy as np

from refmnas import kernels
from refmnas.engine.steps import ACTS
from refmnas.kernels import engine

# kind -> (largest error in units in the last place, largest absolute error where float32 has no such digits)
STATED = {
    "relu": (0.0, 0.0),
    "relu6": (0.0, 0.0),
    "sigmoid": (2.5, 4.2e-39),
    "swish": (2.5, 3.7e-37),
    "hard_sigmoid": (1.1, 0.0),
    "hard_swish": (2.0, 2.0**-150),
    "hard_sigmoid_slim": (1.25, 0.0),
    "hard_sigmoid_keras": (float("inf"), 2.0**-24),  # 0.2 x + 0.5 cancels: only the absolute error has a bound
}
BLOCKS, CHUNK = 64, 1 << 20
LEAST = 2.0**-126


def exact(kind, x):
    """The definition in float64."""
    x = x.astype(np.float64)
    hard = np.clip(x + 3, 0, 6)
    with np.errstate(over="ignore", invalid="ignore"):
        return {
            "relu": lambda: np.maximum(x, 0),
            "relu6": lambda: np.clip(x, 0, 6),
            "sigmoid": lambda: 1 / (1 + np.exp(-x)),
            "swish": lambda: x / (1 + np.exp(-x)),
            "hard_sigmoid": lambda: hard / 6,
            "hard_swish": lambda: x * hard / 6,
            "hard_sigmoid_slim": lambda: hard * np.float64(np.float32(0.16667)),
            "hard_sigmoid_keras": lambda: np.clip(np.float64(np.float32(0.2)) * x + 0.5, 0, 1),
        }[kind]()


def errors(kind, x, y):
    """(errors in units in the last place where those mean something, absolute errors elsewhere)."""
    want = exact(kind, x)
    with np.errstate(over="ignore", invalid="ignore"):
        fits = np.isfinite(x) & (np.abs(want) * (6 if kind == "hard_swish" else 1) <= np.finfo(np.float32).max)
        error = np.where(fits, np.abs(y.astype(np.float64) - want), 0)
    if kind == "hard_sigmoid_keras":
        return np.zeros_like(error), error
    _, exponent = np.frexp(np.where(fits, want, 1))
    units = error / np.ldexp(1.0, np.maximum(exponent - 24, -149))
    # Below e^88.37 = 2^127.5 an exponential is infinite, and what it divides is 0: sigmoid's digits end there.
    is_lost = (np.abs(want) < LEAST) | ((y == 0) & (np.abs(want) < 4e-37))
    return np.where(is_lost, 0, units), np.where(is_lost, error, 0)


def block(kind, isa, number, step):
    """The worst of one of 64 ranges of bit patterns: {"units", "at", "absolute", "at_absolute", "count", "not_nearest"}."""
    size = (1 << 32) // BLOCKS
    found = {"units": 0.0, "at": 0.0, "absolute": 0.0, "at_absolute": 0.0, "count": 0, "not_nearest": 0}
    begin = number * size + -number * size % step
    for first in range(begin, (number + 1) * size, CHUNK * step):
        last = min(first + CHUNK * step, (number + 1) * size)
        x = np.arange(first, last, step, dtype=np.uint32).view(np.float32)
        x = np.where(np.isnan(x), np.float32(1), x)
        y = np.zeros(-(-x.size // 16) * 16, np.float32)
        y[: x.size] = x
        engine.activate(isa, ACTS[kind], y)
        units, absolute = errors(kind, x, y[: x.size])
        found["count"] += x.size
        found["not_nearest"] += int((units > 0.5).sum())
        for key, where, values in (("units", "at", units), ("absolute", "at_absolute", absolute)):
            k = int(values.argmax())
            if values[k] > found[key]:
                found |= {key: float(values[k]), where: float(x[k])}
    return found


def together(parts):
    """The worst of all."""
    worst, least = max(parts, key=lambda p: p["units"]), max(parts, key=lambda p: p["absolute"])
    counts = {key: sum(p[key] for p in parts) for key in ("count", "not_nearest")}
    return counts | {key: worst[key] for key in ("units", "at")} | {key: least[key] for key in ("absolute", "at_absolute")}


def measure(kind, isa, step, jobs, journal):
    """Every block that the journal lacks, written down as it ends."""
    known = json.loads(journal.read_text(encoding="utf-8")) if journal and journal.exists() else {}
    key = f"{kind} {isa} {step}"
    done, began = known.setdefault(key, {}), time.perf_counter()
    todo = [n for n in range(BLOCKS) if str(n) not in done]
    with ProcessPoolExecutor(jobs) as pool:
        for n, found in zip(todo, pool.map(block, *zip(*[(kind, isa, n, step) for n in todo], strict=True)), strict=True):
            done[str(n)] = found
            if journal:
                journal.write_text(json.dumps(known), encoding="utf-8")
            if sys.stderr.isatty():
                print(f"\r{kind}: {len(done)} of {BLOCKS}", end="\r", file=sys.stderr)
    return together(list(done.values())) | {"seconds": time.perf_counter() - began}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", nargs="*", choices=[[], *STATED], help="default all")
    parser.add_argument("--isa", default=kernels.isa())
    parser.add_argument("--step", type=int, default=1, help="every so manieth bit pattern (1)")
    parser.add_argument("--jobs", type=int, default=2, help="processes (2)")
    parser.add_argument("--journal", type=Path, help="a JSON file of finished ranges, to go on from")
    given = parser.parse_args(argv)
    failed = False
    for kind in given.kind or STATED:
        found = measure(kind, given.isa, given.step, given.jobs, given.journal)
        most, lost = STATED[kind]
        is_kept = found["units"] <= most and found["absolute"] <= lost
        failed |= not is_kept
        print(f"{kind:18s} {found['count']:>13,d} inputs: {found['units']:.4f} ulp at most (at {found['at']!r}), "
              f"{found['not_nearest'] / found['count']:.2%} beyond half a unit; lost digits: {found['absolute']:.3g} "
              f"(at {found['at_absolute']!r}); {found['seconds']:.0f} s{'' if is_kept else '   BEYOND THE STATED BOUND'}",
              flush=True)  # fmt: skip
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
