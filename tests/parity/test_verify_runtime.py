"""The runtimes themselves, run and judged; and the deviations that docs/findings.md tells."""

import numpy as np
import pytest
from networks import stirred

from refmnas.errors import PeerError
from refmnas.io import onnx
from refmnas.models import fold
from refmnas.verify import runtime
from refmnas.verify.runtime import Settings

pytestmark = pytest.mark.parity
SIZE = 64


def judged(name, subject, **settings):
    try:
        made = runtime.open_runtime(name, subject, Settings(**settings))
    except PeerError as refusal:
        if "not installed" in str(refusal):
            pytest.skip(str(refusal))
        raise
    return runtime.judged(made, runtime.picture(SIZE))


@pytest.fixture(scope="module")
def large():
    return runtime.of_network(stirred("mobilenet-v3-large", "torchvision", classes=13), SIZE)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        *(("ort", {"level": level}) for level in ("none", "basic", "extended", "all")), ("openvino", {}),
        ("litert", {"level": "none"}), ("litert", {"level": "all"}), ("ncnn", {}), ("ncnn", {"precision": "bf16"}),
        ("torch", {}), ("torch", {"channels_last": True}), ("torch", {"onednn": False}), ("torch", {"precision": "bf16"}),
    ],
)  # fmt: skip
def test_runtimes_are_within_rounding_shown_and_untouched(large, name, settings):
    report = judged(name, large, **settings)
    assert report.verdict == "within-rounding", report.headline()
    assert [run.verdict for run in report.runs] == ["within-rounding"] * 2
    assert report.largest() > 0.1


def test_a_users_file_is_judged_as_the_network_that_it_holds(tmp_path):
    """With swish, whose logistic ONNX Runtime approximates."""
    path = tmp_path / "a.onnx"
    onnx.save(path, fold.nodes(stirred("efficientnet-b0", "torchvision", classes=13), SIZE), batch="N")
    for name in ("ort", "openvino"):
        report = judged(name, runtime.of_file(path))
        assert report.verdict == "within-rounding", report.headline()


def test_openvino_takes_a_sixth_for_slims_constant():
    """relu6(x + 3) * 0.16667 becomes HSigmoid, whose constant is 1/6: twenty millionths off."""
    report = judged("openvino", runtime.of_network(stirred("mobilenet-v3-large", "slim", classes=13), SIZE))
    assert report.verdict == "fault"
    assert {cause.code for cause in report.causes} == {"SE-GATE"}
    assert all(layer.op.endswith("act") for layer in report.layers if layer.verdict == "fault")


def test_the_same_steps_as_a_module_are_seen_too():
    """A network that nobody published in PyTorch."""
    report = judged("torch", runtime.of_network(stirred("mnasnet-b1", "tf", classes=13), SIZE))
    assert report.verdict == "within-rounding", report.headline()
    assert np.isfinite(report.largest())
