"""Gradients of PyTorch's modules: sound runs are not accused, planted faults are found."""

import sys
from functools import lru_cache
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from verify_catalogue.gradient_faults import GRADIENT_FAULTS  # noqa: E402
from verify_gradients import one, ours, sound  # noqa: E402

from refmnas.errors import DataError  # noqa: E402
from refmnas.verify import capture_gradients, gradients  # noqa: E402

pytestmark = pytest.mark.parity
TRIED = (
    "mobilenet_v2: mean term of BN dropped", "mobilenet_v2: depthwise dw flipped", "mobilenet_v2: residual's gradient missing",
    "mobilenet_v2: weight gradient accumulated twice", "mobilenet_v2: relu6 passes at 6",
)  # fmt: skip


@lru_cache
def faults():
    return {fault.key: fault for fault in GRADIENT_FAULTS}


@pytest.mark.parametrize("key", TRIED)
def test_a_planted_fault_is_found_and_named(key):
    record = one(faults()[key], 32)
    assert record["verdict"] == "fault"
    assert record["causes"][0][0] == record["code"]


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_a_sound_run_is_within_rounding(mode):
    report = gradients(sound("plain", "mobilenet_v2", mode, 32), ours("mobilenet_v2", 32))
    assert report.verdict == "within-rounding", report.headline()
    assert report.about["mode"].startswith(mode)


def test_active_dropout_is_refused_and_the_module_left_as_it_was():
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.ReLU(inplace=True))
    found = capture_gradients(module, torch.randn(5, 3), dlogits=torch.ones(5, 4))
    assert {"0.grad", "1.weight.grad", "input.grad", "output.grad"} <= set(found)
    assert (module[1].running_mean == 0).all()
    assert module[0].weight.grad is None
    with pytest.raises(DataError, match="0 is active"):
        capture_gradients(torch.nn.Sequential(torch.nn.Dropout(0.5)), torch.ones(2, 2), dlogits=torch.ones(2, 2))
