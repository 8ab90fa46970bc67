"""Mutated files of every format: loaded or refused by FormatError, in bounded memory and time.

The plain suite runs a sample; `-m slow` the thousand of each format, in a process of
its own, so that a crash is a failure and not the end.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
KINDS = ("safetensors", "npz", "pth", "pth-legacy", "onnx", "onnx-nodes", "tflite", "checkpoint")


def test_the_formats_are_those_of_the_script(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import fuzz_files

    assert fuzz_files.KINDS == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_of_mutated_files(monkeypatch, kind):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import fuzz

    report = fuzz.run(kind, 0, 60, seed=1)
    assert report.failures == []
    assert {"loaded", "refused"} <= set(report.outcomes) <= {"loaded", "refused", "refused by run"}  # or it says little
    assert sum(report.outcomes.values()) == 60


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_thousand_mutated_files(kind):
    command = [sys.executable, str(BENCHMARKS / "fuzz.py"), "--format", kind, "--count", "1000"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "0 failures" in run.stdout


def test_the_script_reports_a_failure(monkeypatch):
    """The harness can fail: a loader that raises something else, or takes memory, is caught."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import fuzz

    def wrong(path, **_):
        raise KeyError(path)

    def greedy(path, **_):
        bytearray(40 << 20)
        return {}

    def silent(path, **_):
        raise fuzz.FormatError("no name")

    for load, text in ((wrong, "KeyError"), (greedy, "memory grew"), (silent, "does not name the file")):
        monkeypatch.setattr(fuzz.refmnas.io, "load", load)
        report = fuzz.run("npz", 0, 2)
        assert len(report.failures) == 2
        assert all(text in line and "--start" in line for line in report.failures)
