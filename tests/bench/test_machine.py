"""What the machine is and does: facts where the system tells, rates with a clock that is given."""

import platform
import re
import shutil
import subprocess

import numpy as np
import pytest

from refmnas import kernels
from refmnas.bench import ceilings, machine, roofline
from refmnas.bench.ceilings import Ceilings
from refmnas.errors import KernelError

C = pytest.mark.skipif(not kernels.built(), reason="the C extension is not built")


def test_facts_are_there_and_json():
    facts = machine.facts()
    assert facts["processor"]
    assert facts["cores"] >= 1
    assert facts["versions"].keys() >= {"refmnas", "python", "numpy"}
    assert facts["isa"] == kernels.isa()


def test_without_the_systems_files_nothing_fails(monkeypatch, tmp_path):
    for name in ("CPUINFO", "CACHES", "STAT"):
        monkeypatch.setattr(machine, name, tmp_path / "absent")
    assert machine.caches() == {}
    assert machine.processor()
    assert machine.Watch().others() is None


def test_caches_are_read_by_level(monkeypatch, tmp_path):
    for k, (kind, level, size) in enumerate([("Data", 1, "48K"), ("Instruction", 1, "32K"), ("Unified", 2, "1024K")]):
        folder = tmp_path / f"index{k}"
        folder.mkdir()
        for name, value in (("type", kind), ("level", level), ("size", size)):
            (folder / name).write_text(f"{value}\n")
    monkeypatch.setattr(machine, "CACHES", tmp_path)
    assert machine.caches() == {"L1": 48 << 10, "L2": 1 << 20}


def test_our_own_work_is_not_another_load(monkeypatch):
    busy, own, at = iter([10.0, 13.0]), iter([4.0, 6.0]), iter([0.0, 2.0, 2.0])
    monkeypatch.setattr(machine, "_busy", lambda: next(busy))
    monkeypatch.setattr(machine, "_own", lambda: next(own))
    monkeypatch.setattr(machine, "perf_counter", lambda: next(at))
    assert machine.Watch().others() == pytest.approx(0.5)


@C
def test_every_width_counts_its_operations():
    from refmnas.kernels import peak

    widths = peak.widths()
    assert list(widths) == sorted(widths)
    for lanes in widths:
        assert peak.multiply_add(lanes, 7) == 2 * lanes * peak.CHAINS * 7
        assert peak.read(lanes, np.ones(512, np.float32), 3) == 3 * 2048
    assert not widths or (peak.CHAINS >= 10 and widths[0] == 1)


@C
def test_a_width_or_an_array_that_cannot_be_is_refused():
    from refmnas.kernels import peak

    with pytest.raises(KernelError, match=r"peak\.multiply_add: 5 lanes"):
        peak.multiply_add(5, 1)
    if peak.widths():
        with pytest.raises(KernelError, match="status"):
            peak.read(peak.widths()[-1], np.ones(255, np.float32), 1)


@C
def test_rates_are_the_best_of_ten_by_the_clock_that_is_given():
    ticks = iter(range(10**6))
    found = ceilings.peak(ceilings.widest(), now=lambda: float(next(ticks)))
    if ceilings.widest():
        (rate,) = found.flops.values()
        assert rate == 2 * ceilings.widest() * 24 * 1000  # one call, one tick


def test_the_better_of_two_measurements_is_kept():
    both = Ceilings({8: 100.0}, {"L1": 5.0}).raise_to(Ceilings({8: 90.0, 16: 200.0}, {"L1": 6.0}))
    assert (both.flops, both.bytes, both.peak) == ({8: 100.0, 16: 200.0}, {"L1": 6.0}, 200.0)
    assert Ceilings().peak is None


@pytest.mark.parametrize("caches", [{}, {"L1": 48 << 10, "L2": 2 << 20, "L3": 32 << 20}, {"L1": 65536}])
def test_arrays_lie_in_their_level_and_not_below(caches):
    found = ceilings.sizes(caches)
    known = ceilings.DEFAULT | caches
    assert found["L1"] < known["L1"] < found["L2"] < known["L2"] < found["L3"] < known["L3"] < found["DRAM"]
    assert all(size % 1024 == 0 for size in found.values())


def test_a_bound_is_the_greater_of_operations_and_bytes():
    work = roofline.Work(1000, 100)
    assert roofline.bound_s(work, 100.0, 50.0) == (10.0, "FMA")
    assert roofline.bound_s(work, 100.0, 5.0) == (20.0, "bytes")
    assert roofline.bound_s(work, 100.0, 50.0, threads=10) == (2.0, "bytes")
    assert roofline.bound_s(work, None, None)[0] == 0.0
    assert work.intensity == 10.0


@pytest.mark.skipif(platform.machine() != "x86_64" or not shutil.which("gcc"), reason="needs gcc on x86-64")
@pytest.mark.parametrize(("lanes", "register"), [(1, "xmm"), (4, "xmm"), (8, "ymm"), (16, "zmm")])
def test_a_round_of_the_peak_is_as_many_instructions_as_it_counts(lanes, register, tmp_path):
    """Equal accumulators were once folded into one: half the rate was taken for twice the peak."""
    for name in ("peak.c", "peak.inc.h", "isa.h", "refmnas_c.h"):
        (tmp_path / name).write_text(kernels.source(name), encoding="utf-8")
    command = ["gcc", "-O3", "-ffp-contract=off", "-S", "-o", "peak.s", "peak.c"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    text = (tmp_path / "peak.s").read_text(encoding="utf-8")
    body = re.search(rf"^rm_peak_multiply_add_{lanes}:$(.*?)^\tret$", text, re.M | re.S)[1]
    fma = [line for line in body.splitlines() if "vfmadd" in line and f"%{register}" in line]
    assert len(fma) == 24
    assert len({line.split(",")[-1].strip() for line in fma}) >= 10, "chains that depend on one another"
    assert not re.search(r"\(%r[sb]p\)", body), "an accumulator in memory"
