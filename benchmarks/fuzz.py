"""Mutated files through `refmnas.io.load`, or `io.onnx.load` and `io.tflite.load`: no crash, no memory beyond what is declared.

    python benchmarks/fuzz.py                               1000 files of each format
    python benchmarks/fuzz.py --format pth --count 100000   many of one
    python benchmarks/fuzz.py --format pth --start 4711 --count 1 --keep DIR    one again

File number k of a format depends on --seed, the format and k alone (until the mutations
themselves change), so a run resumes with --start; --progress tells where it is.  Each file
must load, or raise FormatError, within --seconds, and the peak growth of memory (by
tracemalloc, which sees Python's and NumPy's, and looks at the reader alone) must stay
within the tensors' bytes + 16 MiB: where the file loads, the arrays' own; where it is
refused, at most the file's size, or for npz what deflate can make of it, up to max_bytes.
A graph that loads is also run, on an input of ones, and must give its outputs or a named
error within the same time.  --reasons lists why files were refused, so that one sees what
is reached.

Exit code 0: all as promised; 1: not, with a line that repeats each case.
"""

from __future__ import annotations

import argparse
import random
import re
import signal
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import fuzz_checkpoint
import fuzz_files
import numpy as np

import refmnas.io
from refmnas.errors import FormatError, RefmnasError

MIB = 1 << 20
ALLOWANCE = 16 * MIB
MAX_BYTES = 8 * MIB  # so that bombs fit into a run
DEFLATE = 1032
MEMORY = Path("/dev/shm")  # where a file is made without waiting for a disk
GRAPHS = {"onnx": refmnas.io.onnx, "onnx-nodes": refmnas.io.onnx, "tflite": refmnas.io.tflite}


@dataclass
class Report:
    """What a run found."""

    kind: str
    outcomes: Counter = field(default_factory=Counter)
    reasons: Counter = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    most_growth: int = 0
    most_seconds: float = 0.0


class TooSlow(Exception):
    """Raised by the timer, from within the load."""


def _ring(*_):
    raise TooSlow


def run(kind, start, count, *, seed=0, seconds=5, keep=None, progress=0):
    """Files start .. start + count of one format."""
    report = Report(kind)
    signal.signal(signal.SIGALRM, _ring)
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        path = Path(folder) / "file"
        for number in range(start, start + count):
            data = fuzz_files.make(kind, random.Random(f"{seed}:{kind}:{number}"))
            (fuzz_checkpoint.place if kind == "checkpoint" else Path.write_bytes)(path, data)
            fault = _one(path, len(data), kind, seconds, report)
            if progress and (number + 1) % progress == 0:
                print(f"{kind} {number + 1}, {len(report.failures)} failures", file=sys.stderr, flush=True)
            if fault:
                again = f"--seed {seed} --format {kind} --start {number} --count 1"
                report.failures.append(f"{fault}  [{again}]")
                print(f"{fault}  [{again}]", file=sys.stderr, flush=True) if progress else None
                if keep:
                    (Path(keep) / f"{kind}-{seed}-{number}").write_bytes(data)
    return report


def _one(path, size, kind, seconds, report):
    """Load one file; what is wrong with that, or None."""
    graph = None
    tracemalloc.start()
    began = time.perf_counter()
    allowed = ALLOWANCE + (min(DEFLATE * size, MAX_BYTES) if kind == "npz" else size)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        graph = GRAPHS[kind].load(path, max_bytes=MAX_BYTES) if kind in GRAPHS else None
        loaded = refmnas.io.load(path, max_bytes=MAX_BYTES) if graph is None else graph.constants
        outcome, fault = "loaded", None
        allowed = ALLOWANCE + sum({a.ctypes.data: a.nbytes for a in loaded.values()}.values())  # a view counts once
        growth = tracemalloc.get_traced_memory()[1]
        if graph is not None:
            outcome = _run(graph)
    except FormatError as error:
        outcome = "refused"
        report.reasons[re.sub(r"\d+|'[^']*'|b\".*\"", "#", str(error).removeprefix(f"{path}: "))[:90]] += 1
        fault = None if str(path) in str(error) else f"the error does not name the file: {error}"
    except TooSlow:
        outcome, fault = "too slow", f"more than {seconds} s"
    except BaseException as error:
        outcome, fault = type(error).__name__, f"{type(error).__name__}: {error}"
        if isinstance(error, KeyboardInterrupt):
            raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    growth = growth if graph is not None else tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    report.outcomes[outcome] += 1
    report.most_growth = max(report.most_growth, growth)
    report.most_seconds = max(report.most_seconds, time.perf_counter() - began)
    if not fault and growth > allowed:
        fault = f"memory grew by {growth} bytes, allowed {allowed}"
    return fault


def _run(graph):
    """Compute a graph that was loaded; "loaded" where its outputs came, else that it refused."""
    feeds = {}
    for name, (dtype, shape) in graph.inputs.items():
        if np.prod([n if isinstance(n, int) else 1 for n in shape or ()], dtype=object) > MAX_BYTES:
            return "loaded"
        feeds[name] = np.ones([n if isinstance(n, int) else 1 for n in shape or ()], dtype)
    try:
        graph.run(feeds, max_bytes=MAX_BYTES)
    except RefmnasError:
        return "refused by run"
    return "loaded"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--format", choices=fuzz_files.KINDS, action="append", help="repeatable; default all")
    parser.add_argument("--count", type=int, default=1000, help="files of each format (1000)")
    parser.add_argument("--start", type=int, default=0, help="number of the first file (0)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=5, help="time limit of one file (5)")
    parser.add_argument("--progress", type=int, default=0, metavar="N", help="a line on stderr after every N files")
    parser.add_argument("--reasons", action="store_true", help="count the errors by their text")
    parser.add_argument("--keep", help="a folder for the files that fail")
    options = parser.parse_args(argv)
    failed = False
    run(fuzz_files.KINDS[0], 0, 20)  # what is imported and cached once does not count
    for kind in options.format or fuzz_files.KINDS:
        report = run(kind, options.start, options.count, seed=options.seed, seconds=options.seconds, keep=options.keep,
                     progress=options.progress)  # fmt: skip
        outcomes = ", ".join(f"{count} {name}" for name, count in sorted(report.outcomes.items()))
        print(f"{kind:12s} seed {options.seed}, files {options.start} to {options.start + options.count - 1}: {outcomes}; "
              f"most memory {report.most_growth / MIB:.1f} MiB, most time {report.most_seconds:.2f} s, "
              f"{len(report.failures)} failures")  # fmt: skip
        print("".join(f"  {line}\n" for line in report.failures), end="")
        if options.reasons:
            print("".join(f"  {count:6d} {text}\n" for text, count in report.reasons.most_common()), end="")
        failed |= bool(report.failures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
