"""One mutant, tried in a child process: which test fails first, if any does.

Python    the properties of its op; then the tests of errors, forms and docstrings
C         one instruction set at -O1 and the properties; then three sets and the tests
          of equal bits, of the order of sums, of refused shapes and of unreadable pages
engine    the scalar engine at -O1: logits of small networks, bit by bit those of the contract
"""

from __future__ import annotations

import contextlib
import io
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve()
ROOT = HERE.parents[2]
TESTS = ROOT / "tests"
sys.path[:0] = [str(ROOT), str(TESTS), str(TESTS / "meta")]

import battery
import clib
import engine_battery
import hypothesis.strategies  # noqa: F401  (loaded once, for all children)
import planting
import pytest

PYTHON_TESTS = ("test_errors.py", "test_errors_*.py", "test_forms.py", "test_docs.py")
FEW_SEEDS = range(12)  # of every op, for what all of them share
CPU_SECONDS, SECONDS = 90, 900  # a mutant that takes longer hangs: those that live take a fifth of it


class Verdict(NamedTuple):
    """What became of a mutant."""

    verdict: str  # caught, survived, invalid (no such program)
    by: str  # the property or test that failed
    seconds: float


def tried(mutant):
    """The Verdict on one mutant; the caller's process stays as it is."""
    start = time.monotonic()
    folder = tempfile.mkdtemp(prefix="refmnas-mutant-")
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        _in_child(mutant, folder, write)
    os.close(write)
    try:
        said, status = _answer(child, read, start)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if status in ("hang", "SIGXCPU"):
        said = "caught hang"
    elif not said:
        said = f"caught crash: {status}"
    verdict, _, by = said.partition(" ")
    return Verdict(verdict, by, round(time.monotonic() - start, 2))


def _answer(child, read, start):
    """(what the child wrote, how it ended)."""
    os.set_blocking(read, False)
    said = b""
    while True:
        with contextlib.suppress(BlockingIOError):
            said += os.read(read, 65536)
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            with contextlib.suppress(BlockingIOError):
                said += os.read(read, 65536)
            os.close(read)
            code = os.waitstatus_to_exitcode(status)
            return said.decode(errors="replace"), signal.Signals(-code).name if code < 0 else f"status {code}"
        if time.monotonic() - start > SECONDS:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(read)
            return "", "hang"
        time.sleep(0.005)


def _in_child(mutant, folder, write):
    """Try, write the answer, end: nothing of this process comes back."""
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 5))  # SIGXCPU first, which says why
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    sys.stdout = sys.stderr = io.StringIO()
    try:
        said = _judge(mutant.file)(mutant, folder)
    except BaseException as error:
        said = f"caught crash: {type(error).__name__}"
    os.write(write, said.encode()[:4000])
    os._exit(0)


def is_engine(file):
    """Is this a source of the engine, and not of an op?"""
    return Path(file).name.startswith(("f32_engine", "plan.c"))


def _judge(file):
    return _python if file.endswith(".py") else _engine if is_engine(file) else _c


def _engine(mutant, folder):
    """A mutant of the engine: the op's properties do not see it."""
    try:
        difference = engine_battery.difference_in_c({Path(mutant.file).name: mutant.source})
    except clib.BuildError:
        return "invalid does not compile"
    return "caught logits" if difference else "survived"


def _python(mutant, folder):
    """A mutant of refmnas/ops/<op>.py, or of its _checks.py, which all ops use."""
    op = Path(mutant.file).stem
    ops = battery.OPS if op.startswith("_") else (op,)
    with planting.holding(f"refmnas.ops.{op}", mutant.source):
        for seeds in (FEW_SEEDS,) if len(ops) > 1 else (battery.SEEDS, battery.MORE_SEEDS):
            for name in ops:
                failure = battery.first_failure(name, "numpy", seeds=seeds)
                if failure:
                    return f"caught {failure.property}"
        said = "survived" if len(ops) > 1 else _by_tests(PYTHON_TESTS, op)
        return said if said != "survived" else _by_tests(PYTHON_TESTS)


def _c(mutant, folder):
    """A mutant of csrc/."""
    changed = {Path(mutant.file).name: mutant.source}
    try:
        library = clib.build(folder, changed)
    except clib.BuildError:
        return "invalid does not compile"
    with planting.cffi_from(*clib.opened(library)):
        for seeds in (battery.SEEDS, battery.MORE_SEEDS):
            failure = battery.first_failure("depthwise", "c", seeds=seeds)
            if failure:
                return f"caught {failure.property}"
    several = Path(folder) / "several"
    several.mkdir()
    with planting.cffi_from(*clib.opened(clib.build(several, changed, clib.usable()))):
        import guarded

        said = _by_tests(("test_isa.py", "test_memory.py"), "not page")
        if not said.startswith("survived"):
            return said
        guarded.main(60)  # a stray access ends this process by a signal
    return "survived"


def _by_tests(files, only=None):
    """The first of the tests that fails, or `survived`."""
    there = [str(path) for pattern in files for path in sorted(TESTS.glob(pattern))]
    first = _First()
    args = [*there, "-x", "-q", "-p", "no:cacheprovider", *(("-k", only) if only else ())]
    with contextlib.redirect_stdout(io.StringIO()):
        status = pytest.main(args, plugins=[first])
    if first.name is None and status not in (0, 5):
        return f"caught tests: status {int(status)}"
    return f"caught {first.name}" if first.name else "survived"


class _First:
    """The name of the first failure."""

    name = None

    def pytest_runtest_logreport(self, report):
        if report.failed and self.name is None:
            self.name = report.nodeid.split("/")[-1].split("[")[0]

    def pytest_collectreport(self, report):
        if report.failed and self.name is None:
            self.name = "collection of the tests"
