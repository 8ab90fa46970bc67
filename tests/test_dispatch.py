"""Which text and which instruction set runs: chosen, told, and really run."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest

import refmnas
from refmnas import backend, kernels, use
from refmnas.errors import KernelError, SpecError
from refmnas.ops import depthwise

has_c = pytest.mark.skipif(not kernels.built(), reason=f"no C: {kernels.why_not()}")
X, W = np.ones((1, 3, 3, 2), np.float32), np.ones((3, 3, 2), np.float32)


def child(code, **environment):
    """Runs code in a process whose environment has these REFMNAS_ variables and no others."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("REFMNAS_")} | environment
    env["PYTHONPATH"] = str(Path(refmnas.__file__).resolve().parents[1])
    return subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, env=env)


@has_c
def test_auto_takes_c_for_float32_and_numpy_for_float64():
    with use("auto"):
        assert backend.explain("depthwise.forward")[:3] == ("depthwise.forward", "c", kernels.isa())
        assert backend.explain("depthwise.forward", np.float64)[1:3] == ("numpy", None)
        assert "float32, not float64" in backend.explain("depthwise.forward", np.float64).reason


@has_c
def test_c_is_a_demand():
    with use("c"):
        assert backend.explain("depthwise.backward").backend == "c"
        with pytest.raises(KernelError, match="float64.*float32"):
            depthwise.forward(X.astype(np.float64), W.astype(np.float64))
        with pytest.raises(KernelError, match="float64"):
            backend.explain("depthwise.forward", np.float64)


@has_c
def test_an_op_without_a_c_row_runs_numpy_under_c():
    rowless = [name for name, row in backend.TABLE.items() if row.c is None]
    assert "gate.forward" in rowless
    with use("c"):
        for name in rowless:
            choice = backend.explain(name)
            assert choice.backend == "numpy"
            assert "no C row" in choice.reason


def test_explain_tells_every_op_and_refuses_unknown_ones():
    assert [choice.op for choice in backend.explain()] == sorted(backend.TABLE)
    with pytest.raises(SpecError, match="no op 'depthwize'.*depthwise.forward"):
        backend.explain("depthwize")
    for name in ("numpy", "oracle"):
        with use(name):
            assert {choice.backend for choice in backend.explain()} == {name}


def test_use_nests_ends_and_holds_for_its_thread_alone():
    seen = []
    with use("oracle"):
        with use("numpy"):
            thread = threading.Thread(target=lambda: seen.append(backend.current()))
            thread.start()
            thread.join()
            assert backend.current() == "numpy"
        assert backend.current() == "oracle"
    assert seen == [backend._DEFAULT]
    with pytest.raises(SpecError, match="'cuda'.*auto, c, numpy, oracle"):
        use("cuda")


@pytest.mark.parametrize("name", ["numpy", "oracle", pytest.param("c", marks=has_c)])
def test_the_chosen_text_is_the_one_that_runs(name, monkeypatch):
    """A part that each text alone has is replaced by one that leaves its name."""
    x = np.full((1, 1, 1, 1), np.float32(1 / 3))
    w = np.full((1, 1, 1), np.float32(1 / 3))
    calls = []
    if name == "c":
        monkeypatch.setattr("refmnas.kernels.depthwise._forward", lambda *a: calls.append("c") or 0)
    elif name == "numpy":
        monkeypatch.setattr("refmnas.ops.depthwise._windows", lambda *a: calls.append("numpy") or np.ones((1,) * 6))
    else:
        monkeypatch.setattr("refmnas.oracle.depthwise.range", lambda *a: calls.append("oracle") or range(*a), raising=False)
    with use(name):
        depthwise.forward(x, w)
    assert set(calls) == {name}


@has_c
def test_a_forced_set_really_runs():
    """All give the same bits, so only time can tell: one lane takes at least twice as long as eight."""
    if kernels.isas()[0] == "scalar":
        pytest.skip("this machine has no set with lanes")
    x, w = np.ones((1, 28, 28, 64), np.float32), np.ones((5, 5, 64), np.float32)
    least_s = {}
    for name in kernels.isas():
        with kernels.select_isa(name), use("c"):
            assert backend.explain("depthwise.forward").isa == kernels.isa() == name
            times = []
            for _ in range(7):
                start = perf_counter()
                depthwise.forward(x, w)
                times.append(perf_counter() - start)
            least_s[name] = min(times)
    assert min(least_s["scalar"], least_s["wide16"]) > 2 * least_s[kernels.isas()[0]], least_s


@has_c
def test_select_isa_holds_at_once_and_restores():
    before = kernels.isa()
    with kernels.select_isa("scalar"):
        with kernels.select_isa("wide16"):
            assert kernels.isa() == "wide16"
        assert kernels.isa() == "scalar"
    assert kernels.isa() == before
    kernels.select_isa("scalar")
    assert kernels.isa() == "scalar"
    kernels.select_isa(before)


@has_c
def test_unusable_and_unknown_sets_are_refused_with_the_usable_ones():
    before, usable = kernels.isa(), ", ".join(kernels.isas())
    with pytest.raises(SpecError, match=f"'sse2'; usable here: {usable}"):
        kernels.select_isa("sse2")
    for name in set(kernels.KNOWN) - set(kernels.isas()):
        with pytest.raises(KernelError, match=f"{name} cannot run here; usable here: {usable}"):
            kernels.select_isa(name)
    assert kernels.isa() == before


@has_c
def test_the_best_set_comes_first_and_is_the_default():
    """The CPU's own flags, as the system tells them, agree with the detection in C."""
    run = child("from refmnas import kernels; print(kernels.isa(), *kernels.isas())")
    default, *usable = run.stdout.split()
    assert default == usable[0]
    assert usable[-2:] == ["scalar", "wide16"]
    info = Path("/proc/cpuinfo")
    if info.exists():
        flags = set(info.read_text(encoding="utf-8").split())
        assert ("avx2" in usable) == ({"avx2", "fma"} <= flags)
        assert ("avx512" in usable) == ({"avx2", "fma", "avx512f", "avx512vl", "avx512bw", "avx512dq"} <= flags)
        assert ("neon" in usable) == ("asimd" in flags)


@has_c
@pytest.mark.parametrize("name", kernels.isas() or ["scalar"])
def test_refmnas_isa_selects_from_the_start(name):
    run = child("from refmnas import kernels; print(kernels.isa())", REFMNAS_ISA=name)
    assert run.stdout.strip() == name, run.stderr


@has_c
def test_refmnas_isa_refuses_other_names():
    run = child("from refmnas import kernels", REFMNAS_ISA="sse9")
    assert run.returncode == 1
    assert f"SpecError: REFMNAS_ISA: instruction set is 'sse9'; usable here: {', '.join(kernels.isas())}" in run.stderr


@pytest.mark.parametrize("name", ["numpy", "oracle", "auto", pytest.param("c", marks=has_c)])
def test_refmnas_backend_is_the_default(name):
    run = child("from refmnas import backend; print(backend.current())", REFMNAS_BACKEND=name)
    assert run.stdout.strip() == name, run.stderr


def test_refmnas_backend_refuses_other_names():
    run = child("from refmnas import backend", REFMNAS_BACKEND="fast")
    assert run.returncode == 1
    assert "SpecError: REFMNAS_BACKEND: backend is 'fast', wanted one of auto, c, numpy, oracle" in run.stderr


def test_without_c_everything_runs_on_numpy_and_says_why():
    hide = "import sys; sys.modules['refmnas._cffi'] = None\n"
    run = child(
        hide + "from refmnas import backend, kernels, use\n"
        "from refmnas.errors import KernelError\n"
        "from refmnas.ops import depthwise\n"
        "assert not kernels.built() and kernels.isa() is None and kernels.isas() == ()\n"
        "assert 'compiler' in kernels.why_not()\n"
        "choice = backend.explain('depthwise.forward')\n"
        "assert choice.backend == 'numpy' and kernels.why_not() in choice.reason\n"
        "for demand in (lambda: use('c'), lambda: kernels.select_isa('scalar')):\n"
        "    try:\n        demand()\n    except KernelError as error:\n        assert 'not built' in str(error)\n"
        "    else:\n        raise AssertionError\n"
        "print('done')"
    )
    assert run.stdout.strip() == "done", run.stderr


def test_sources_are_readable_and_others_are_not():
    assert "RM_NAME(f32_depthwise_fwd)" in kernels.source("f32_depthwise.inc.h")
    for name in ("nothing.h", "../refmnas/__init__.py", "/etc/passwd", ""):
        with pytest.raises(SpecError, match=r"there are .*isa\.h"):
            kernels.source(name)
