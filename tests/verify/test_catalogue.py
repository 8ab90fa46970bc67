"""Planted faults and sound runs of published PyTorch modules and ONNX files, at size 96: the catalogue by hand has them all."""

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
    "mobilenet_v3_small: 0.16667 in one gate",
    "fbnetc_100: bf16 output of one depthwise",
    "mobilenet_v2.onnx: Clip without its max in one",
    "mnasnet-b1.onnx: auto_pad SAME_LOWER in all strided",
)
SOUND = (
    "mobilenet_v2: eager", "mobilenet_v2: channels_last", "mobilenet_v2: oneDNN off", "mobilenet_v2: torch.jit frozen",
    "mnasnet-a1.onnx: ONNX Runtime ENABLE_ALL",
)  # fmt: skip
pytestmark = pytest.mark.parity


@pytest.fixture(scope="module")
def bench():
    for package in ("torch", "torchvision", "timm", "onnx", "onnxruntime"):
        pytest.importorskip(package)
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import verify_faults

        yield verify_faults
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.mark.parametrize("key", KEYS)
def test_the_true_cause_comes_first(key, bench):
    fault = next(f for f in (*bench.FAULTS, *bench.FRESH, *bench.GRAPH_FAULTS) if f.key == key)
    record = bench.one(fault, 96)
    assert record["verdict"] == "fault"
    assert record["is_right"], record["causes"]


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_run_is_not_accused(name, bench):
    runs = bench.sound.runs(96, bench.meant, bench.ours, bench.networks.image)
    tensors, net = next((t, n) for key, t, n in runs if key == name)
    assert bench.captured(tensors(), net()).verdict == "within-rounding"


def test_the_catalogue_is_as_large_as_it_says(bench):
    assert len(bench.FAULTS) >= 80
    assert len({f.network for f in bench.FAULTS}) >= 6
    every = [f.key for f in (*bench.FAULTS, *bench.FRESH, *bench.GRAPH_FAULTS)]
    assert len(set(every)) == len(every)
    assert len(bench.FRESH) >= 15
    assert len(bench.GRAPH_FAULTS) >= 12
