"""Ten planted faults and three sound runs of published PyTorch modules, at size 96: the catalogue by hand has them all."""

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
KEYS = (
    "mobilenet_v2: SAME on all strided",
    "mobilenet_v2: two channels exchanged in one",
    "mobilenet_v2: TF32 in all 1x1",
    "mobilenet_v2: flush to zero",
    "mobilenet_v2: sum left out in all",
    "mobilenet_v3_large: sigmoid for the hard gate",
    "mobilenet_v3_large: three quarters of the width",
    "mobilenet_v3_large: biased variance in all",
    "semnasnet_100: one element in a million",
    "semnasnet_100: eps 2e-5 in one",
)
pytestmark = pytest.mark.parity


@pytest.fixture(scope="module")
def bench():
    for package in ("torch", "torchvision", "timm"):
        pytest.importorskip(package)
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import verify_faults

        yield verify_faults
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.mark.parametrize("key", KEYS)
def test_the_true_cause_comes_first(key, bench):
    fault = next(f for f in bench.FAULTS if f.key == key)
    record = bench.one(fault, 96)
    assert record["verdict"] == "fault"
    assert record["causes"][0][0] == fault.code, record["causes"]


@pytest.mark.parametrize("way", ["eager", "channels_last", "oneDNN off"])
def test_a_sound_run_is_not_accused(way, bench):
    runs = bench.sound.runs(96, bench.meant, bench.ours, bench.networks.image)
    tensors, net = next((t, n) for key, t, n in runs if key == f"mobilenet_v2: {way}")
    assert bench.captured(tensors(), net()).verdict == "within-rounding"


def test_the_catalogue_is_as_large_as_it_says(bench):
    assert len(bench.FAULTS) >= 80
    assert len({f.network for f in bench.FAULTS}) >= 6
    assert len({f.key for f in bench.FAULTS}) == len(bench.FAULTS)
