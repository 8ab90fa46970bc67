"""What the fast suite does not run cannot rot without a word: markers that nothing runs, programs, anchors and names."""

import ast
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import clib
import networks
import pytest

from refmnas import kernels
from refmnas.models import zoo

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
CI, REASONS = ROOT / ".ci" / "run", ROOT / "benchmarks" / "results" / "mutants_reasons.json"
MARKERS = ("slow", "parity", "zoo")
SOURCES = sorted(TESTS.rglob("test_*.py"))


def marked(source, marker):
    """Does a text use the marker, in a decorator, a parameter or a list?"""
    return any(
        isinstance(n, ast.Attribute) and n.attr == marker and isinstance(n.value, ast.Attribute) and n.value.attr == "mark"
        for n in ast.walk(ast.parse(source))
    )


def run_by_ci(marker):
    """The folders and files that .ci/run runs with the marker."""
    found = re.findall(rf"-m pytest .*-m {marker} (.*)\)", CI.read_text(encoding="utf-8"))
    assert found, f".ci/run has no step of the marker {marker}"
    return re.sub(r"--ignore \S+", "", " ".join(found)).split()


@pytest.mark.skipif(not CI.exists(), reason="needs .ci/run, of a checkout or an sdist")
@pytest.mark.parametrize("marker", MARKERS)
def test_what_is_marked_is_run_by_ci(marker):
    users = [path.relative_to(ROOT) for path in SOURCES if marked(path.read_text(encoding="utf-8"), marker)]
    assert users
    left = [str(p) for p in users if not any(p == Path(where) or Path(where) in p.parents for where in run_by_ci(marker))]
    assert not left, f"{left} carry the marker {marker}, and .ci/run does not run them with it"


def test_a_marker_is_found():
    assert marked("@pytest.mark.slow\ndef test(): pass", "slow")
    assert marked("X = pytest.param(1, marks=pytest.mark.slow)", "slow")
    assert not marked("slow = 1  # pytest.mark.slow", "slow")


def test_the_few_networks_of_the_fast_suite_exist():
    assert set(networks.FEW) <= set(zoo.names())
    with pytest.raises(AssertionError, match="no row of"):
        networks.few_first([("a", 1)], ["b"])


@pytest.mark.skipif(clib.compiler() is None, reason="no C compiler")
@pytest.mark.parametrize("program", ["neon_main.c", "engine_main.c"])
def test_programs_of_the_emulator_and_the_sanitizers_fit_the_header(program):
    command = [clib.compiler(), "-fsyntax-only", "-Wall", "-Werror", f"-I{clib.CSRC}", TESTS / "c" / program]
    run = subprocess.run(command, capture_output=True, text=True)
    assert not run.returncode, run.stderr[-2000:]


@pytest.mark.skipif(not kernels.built(), reason="no C")
def test_their_cases_and_programs_are_written(monkeypatch):
    for folder in (TESTS / "c", TESTS / "engine"):
        monkeypatch.syspath_prepend(str(folder))
    import small
    import write_cases
    import write_programs

    with kernels.select_isa("scalar"):
        assert write_cases.written(io.BytesIO(), 3) >= len(write_cases.LAYERS) + 2
        assert len(write_programs.program(small.net("tiny"), small.size("tiny"))) > 1000


@pytest.mark.skipif(not REASONS.exists(), reason="needs benchmarks/results")
def test_every_reason_of_a_mutant_is_of_a_line_that_is_there():
    """benchmarks/mutants.py finds a reason by its line: one whose line has changed explains nothing and is to be deleted."""
    for row in json.loads(REASONS.read_text(encoding="utf-8")):
        lines = [line.strip() for line in (ROOT / row["file"]).read_text(encoding="utf-8").splitlines()]
        assert row["line"] in lines, row


def test_the_judges_of_mutants_find_their_tests(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    before = list(sys.path)
    try:
        from mutation import trial
    finally:
        sys.path[:] = before
    assert all(list(TESTS.glob(pattern)) for pattern in trial.PYTHON_TESTS)
    assert all((TESTS / name).exists() for name in ("test_isa.py", "test_memory.py", "guarded.py"))
