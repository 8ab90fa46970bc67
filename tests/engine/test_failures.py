"""The n-th request for memory or for a thread is refused, for every n: MemoryError or a run alone, and all goes on."""

import errno
import gc
import platform
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from small import images, net, size, words
from test_threads import alone

import refmnas
from refmnas.engine import run

COMPILER = shutil.which("gcc") or shutil.which("cc")
SOURCE = Path(__file__).resolve().parents[1] / "c" / "failing.c"
LINUX = pytest.mark.skipif(platform.system() != "Linux", reason="needs Linux' /proc and limits")


@pytest.fixture(scope="module")
def failing(tmp_path_factory):
    """The environment of a process whose requests can be refused."""
    if COMPILER is None or platform.libc_ver()[0] != "glibc":
        pytest.skip("needs a C compiler and glibc, to build what refuses memory")
    library = tmp_path_factory.mktemp("failing") / "failing.so"
    subprocess.run([COMPILER, "-O1", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
    return {"LD_PRELOAD": str(library), "OPENBLAS_NUM_THREADS": "1"}


def test_every_request_for_memory_of_a_compilation_may_fail(failing):
    """Of arrays and arena; then nothing is left behind and the next one is right.

    From 128 KiB on: below lie the buffers that NumPy's ufuncs take for themselves, whose refusal
    NumPy 2.4 answers with a SystemError or a crash of its own.
    """
    out = alone(
        """
        import ctypes
        from networks import stirred
        libc = ctypes.CDLL(None)
        libc.fail_memory.argtypes = (ctypes.c_long, ctypes.c_size_t)
        network, x = stirred("mnasnet-small", classes=100), images((33, 33))
        want = words(refmnas.compile(network, size=33)(x))
        def maps():
            gc.collect()
            with open("/proc/self/maps") as file:
                return sum(1 for _ in file)
        refused, n, before = 0, 0, maps()
        while True:
            libc.fail_memory(n, 1 << 17)
            try:
                plan = refmnas.compile(network, size=33, threads=2)
            except MemoryError:
                refused += 1
            else:
                if libc.memory_asked() <= n:
                    break
            finally:
                libc.fail_memory(-1, 0)
            plan, n = None, n + 1
        assert np.array_equal(words(plan(x)), want)
        plan = None
        assert maps() <= before + 8, (before, maps())
        assert not any(type(o).__name__ == "Plan" for o in gc.get_objects())
        print(refused / n if n > 20 else n)
        """,
        failing,
    )
    assert float(out) == 1, f"of all requests this part, or so many in all: {out}"


def test_every_request_for_memory_of_a_run_may_fail(failing):
    out = alone(
        """
        import ctypes
        libc = ctypes.CDLL(None)
        libc.fail_memory.argtypes = (ctypes.c_long, ctypes.c_size_t)
        plan, x = made("excited", 1, 3)
        big = refmnas.compile(net("excited"), batch=40, size=size("excited"), threads=1)
        many, want, n, refused = images(size("excited"), 40), words(plan(x)), 0, 0
        right = words(big(many))
        while True:
            libc.fail_memory(n, 1024)
            try:
                y = big(many)
                features = plan.outputs("stages.1.0")
            except MemoryError:
                refused += 1
            else:
                if libc.memory_asked() <= n:
                    break
            finally:
                libc.fail_memory(-1, 0)
            assert np.array_equal(words(plan(x)), want)
            n += 1
        assert np.array_equal(words(y), right)
        assert np.array_equal(words(features(x)["stages.1.0"]), words(plan.outputs("stages.1.0")(x)["stages.1.0"]))
        print(refused)
        """,
        failing,
    )
    assert int(out) >= 2


@LINUX
def test_every_thread_may_be_refused(failing):
    """The run is done by the caller alone, with the same bits; when the system has threads again, they come."""
    alone(
        """
        import ctypes
        libc = ctypes.CDLL(None)
        plan, x = made("excited", 1, 5)
        want = words(refmnas.compile(net("excited"), size=size("excited"))(x))
        tasks = lambda: len(os.listdir("/proc/self/task"))
        before = tasks()
        for n in range(4):
            libc.fail_threads(ctypes.c_long(0 if n == 0 else 1))
            assert np.array_equal(words(plan(x)), want), n
            assert tasks() == before + n, (n, tasks())
        libc.fail_threads(ctypes.c_long(-1))
        assert np.array_equal(words(plan(x)), want)
        assert tasks() == before + 4
        """,
        failing,
    )


@LINUX
def test_a_process_without_room_for_threads_runs_alone():
    alone(
        """
        import resource
        plan, x = made("plain", 1, 8)
        want, y = words(refmnas.compile(net("plain"), size=size("plain"))(x)), np.empty((1, 10), np.float32)
        before = len(os.listdir("/proc/self/task"))
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * 4096
        resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 20), resource.getrlimit(resource.RLIMIT_AS)[1]))
        assert np.array_equal(words(plan(x, out=y)), want)
        assert len(os.listdir("/proc/self/task")) == before
        resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
        assert np.array_equal(words(plan(x, out=y)), want)
        assert len(os.listdir("/proc/self/task")) == before + 7
        """,
        {"OPENBLAS_NUM_THREADS": "1"},
    )


@LINUX
def test_a_compilation_ends_in_memory_error_at_any_limit():
    out = alone(
        """
        import resource
        from refmnas.models import build
        network, x = build("mnasnet-a1", classes=10), images((64, 64))
        want = words(refmnas.compile(network, size=64)(x))
        gc.collect()
        refused = 0
        for mebibytes in (0, 1, 2, 4, 8, 12, 16, 24, 32, 48, 256):
            with open("/proc/self/statm") as file:
                used = int(file.read().split()[0]) * 4096
            resource.setrlimit(resource.RLIMIT_AS, (used + (mebibytes << 20), -1))
            try:
                plan = refmnas.compile(network, size=64)
            except MemoryError:
                refused += 1
                continue
            finally:
                resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
            assert np.array_equal(words(plan(x)), want)
        print(refused)
        """,
        {"OPENBLAS_NUM_THREADS": "1"},
    )
    assert 2 <= int(out) <= 10


@pytest.mark.parametrize("n", range(2))
def test_a_refused_arena_is_a_memory_error(monkeypatch, n):
    mapped, calls = run.mmap.mmap, []

    def refusing(*given, **options):
        calls.append(1)
        if len(calls) == n + 1:
            raise OSError(errno.ENOMEM, "Cannot allocate memory")
        return mapped(*given, **options)

    monkeypatch.setattr(run.mmap, "mmap", refusing)
    with pytest.raises(MemoryError, match="no [0-9]+ bytes for the plan"):
        refmnas.compile(net("plain"), size=size("plain"))


def test_feature_maps_without_memory_leave_the_plan_usable(monkeypatch):
    plan, x = refmnas.compile(net("plain"), size=size("plain")), images(size("plain"))
    want = words(plan(x))
    with monkeypatch.context() as patch:
        patch.setattr(run.mmap, "mmap", lambda *_, **__: (_ for _ in ()).throw(OSError(errno.ENOMEM, "none")))
        with pytest.raises(MemoryError):
            plan.outputs("stages.1.0")
    gc.collect()
    assert np.array_equal(words(plan(x)), want)
    assert plan.outputs("stages.1.0")(x)["stages.1.0"].any()
