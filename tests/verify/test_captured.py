"""A capture against a network: sound ones pass, one fault is found at its own layer, bad input is named."""

import json

import numpy as np
import pytest
from sound_runs import captured as sound
from sound_runs import filled

from refmnas.errors import DataError, DtypeError, FormatError, ShapeError, SpecError
from refmnas.io import onnx
from refmnas.models import fold
from refmnas.verify import captured

NETWORKS = (
    ("mobilenet-v3-small", 0.35, "torchvision"), ("mnasnet-b1", 0.35, "torchvision"), ("mobilenet-v2", 0.35, "torchvision"),
    ("efficientnet-b0", 0.35, "torchvision"), ("mnasnet-a1", 0.35, "timm"), ("mobilenet-v3-small", 0.5, "timm"),
    ("regnetx-400mf", 0.25, "torchvision"), ("mnasnet-b1", 0.35, "tf"), ("mobilenet-v1", 0.25, "slim"),
)  # fmt: skip
DW, BN = "features.2.block.1.0", "features.2.block.1.1"  # of mobilenet-v3-small


@pytest.fixture(scope="module")
def net():
    return filled("mobilenet-v3-small", 0.35, "torchvision")


@pytest.fixture(scope="module")
def run(net):
    return sound(net)


@pytest.mark.parametrize(("name", "width", "source"), NETWORKS)
def test_a_sound_run_is_within_rounding_under_every_source_of_names(name, width, source):
    made = filled(name, width, source)
    for last in (False, True):
        report = captured(sound(made, source=source, last=last), made)
        assert report.verdict == "within-rounding", report.headline()
        assert (report.named.source, report.exit_code) == (source, 0)
        assert report.named.layout == ("NHWC" if last else "NCHW")
        assert not report.named.unknown
        assert 0.01 < report.largest() <= 1


def test_a_fault_is_found_at_its_own_layer_alone(net, run):
    wrong = run | {DW: run[DW] * np.float32(1.001)}
    report = captured(wrong, net)
    faults = [layer for layer in report.layers if layer.verdict == "fault"]
    assert report.exit_code == 1
    # What follows was computed from the right values, so it deviates from what the wrong ones give.
    assert [layer.theirs for layer in faults] == [DW, BN]
    assert report.first.theirs == DW
    assert faults[0].evidence == "bound"
    assert faults[0].margin > 10


def test_one_wrong_element_is_told_with_its_place(net, run):
    y = run[BN].copy()
    y[1, 5, 2, 3] += 1e-3
    layer = captured(run | {BN: y}, net).first
    assert layer.theirs == BN
    assert layer.worst["index"] == [1, 2, 3, 5]
    assert layer.where["channels"] == [5]
    assert layer.where["images"] == [1]
    assert layer.bad_share == 1 / y.size
    assert layer.tolerance["atol"] == pytest.approx(1e-3, rel=1e-2)


def test_missing_names_are_worked_around_and_the_error_is_carried(net, run):
    kept = {key: a for key, a in run.items() if key not in (DW, "features.3.block.0.1", "features.0.1")}
    report = captured(kept, net)
    assert report.verdict == "within-rounding"
    assert next(layer for layer in report.layers if layer.theirs == BN).op == "depthwise + batchnorm"
    wrong = captured(kept | {BN: kept[BN] * np.float32(1.01)}, net)
    assert wrong.first.theirs == BN


def test_logits_alone_are_inconclusive_and_so_is_a_layer_that_nothing_judges(net, run):
    alone = captured({"input": run["input"], "output": run["classifier.3"], "zz": run["input"]}, net)
    assert (alone.verdict, alone.exit_code) == ("inconclusive", 3)
    assert "a deviation of 0.1% of the values would pass" in alone.headline()
    kept = {key: a for key, a in run.items() if not key.startswith("classifier")}
    unjudged = captured(kept, net)
    assert unjudged.verdict == "inconclusive"
    assert "head.dense" in unjudged.headline()


def test_a_value_that_is_no_number_is_the_fault_of_its_layer_and_of_no_other(net, run):
    y = run[BN].copy()
    y[0, 3, 1, 2] = np.nan
    report = captured(run | {BN: y}, net)
    assert [layer.theirs for layer in report.layers if layer.verdict == "fault"] == [BN]
    assert "nan at (0, 1, 2, 3)" in report.first.reason
    assert any("is not finite" in layer.reason for layer in report.layers if layer.verdict == "inconclusive")
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False))["layers"]


def test_long_sums_are_tested_statistically(net, run):
    """A hundredth of the bound, in one direction: no proof, and no rounding either."""
    name = "classifier.3"
    weights = net.parameters()["head.dense.w"].astype(np.float64)
    size = np.abs(next(run[k] for k in ("classifier.1", "classifier.2") if k in run).astype(np.float64)) @ np.abs(weights)
    shifted = (run[name] + size * 2.0**-24 * 250).astype(np.float32)
    report = captured(run | {name: shifted}, net)
    layer = report.first
    assert layer.theirs == name
    assert layer.evidence == "statistical"
    assert layer.cause == report.causes[0].code == "UNKNOWN"  # every re-run within the bound is still refused by the tests
    assert layer.margin < 1
    assert {t["name"] for t in layer.tests if t["failed"]} >= {"spread", "bias"}


def test_a_graph_is_judged_under_its_own_names(tmp_path, net):
    onnx.save(tmp_path / "a.onnx", fold.nodes(net, 32), batch=2)
    graph = onnx.load(tmp_path / "a.onnx")
    x = np.random.default_rng(0).standard_normal((2, 3, 32, 32)).astype(np.float32)
    (image,) = graph.inputs
    tensors = {"input": x} | graph.intermediates({image: x})
    assert captured(tensors, graph).verdict == "within-rounding"
    name = next(step.results[0] for step in graph.steps if step.op == "Conv")
    assert captured(tensors | {name: tensors[name] + np.float32(0.01)}, graph).first.name == name
    with pytest.raises(SpecError, match="names 'timm' with a graph"):
        captured(tensors, graph, source="timm")


def test_a_wrapper_before_every_name_is_seen_through(net, run):
    wrapped = {key if key == "input" else f"module.{key}": a for key, a in run.items()}
    assert captured(wrapped, net).verdict == "within-rounding"


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda run: {}, FormatError, "the capture is empty"),
        (lambda run: {k: a for k, a in run.items() if k != "input"}, DataError, "has no 'input'"),
        (lambda run: {"input": run["input"], "conv_99": run["features.0.0"]}, FormatError, "no tensor has a known name"),
        (lambda run: run | {"input": run["input"][:, :2]}, ShapeError, "input has shape"),
        (lambda run: run | {"input": np.full_like(run["input"], np.inf)}, DataError, r"inf at \(0, 0, 0, 0\)"),
        (lambda run: run | {DW: run[DW][:, :, 1:]}, ShapeError, f"{DW} has shape"),
        (lambda run: run | {DW: run[DW].astype(np.float16)}, DtypeError, f"{DW} is float16, wanted float32, or the claim fp16"),
        (lambda run: run | {DW: run[DW].astype(np.int32)}, DtypeError, f"{DW} is int32"),
    ],
)
def test_bad_input_is_named(net, run, change, error, words):
    with pytest.raises(error, match=words):
        captured(change(run), net)


def test_an_unknown_claim_or_source_is_named(net, run):
    with pytest.raises(SpecError, match="claim is 'int8', wanted one of float32"):
        captured(run, net, claim="int8")
    with pytest.raises(SpecError, match="wanted one of"):
        captured(run, net, source="keras")


def test_half_precision_passes_under_its_claim_and_fails_as_float32(net):
    """Operands and results rounded to float16 after each layer, sums in float32."""
    from sound_runs import run as compute
    from sound_runs import turned

    from refmnas.verify import modules
    from refmnas.verify.parts import of_network

    parts = of_network(net, 32)
    values = {"input": np.random.default_rng(0).standard_normal((2, 32, 32, 3)).astype(np.float16)}
    for part in parts:
        values[part.name] = compute(part, [values[name] for name in part.inputs]).astype(np.float16)
    table = modules.of_source(net, parts, "torchvision")
    tensors = {name: turned(values[part]) for name, part in table.items()} | {"input": turned(values["input"])}
    assert captured(tensors, net, claim="fp16").verdict == "within-rounding"
    assert captured({key: a.astype(np.float32) for key, a in tensors.items()}, net).verdict == "fault"
    unsure = captured(tensors, net, claim="fp16-sums")
    assert unsure.verdict == "inconclusive"
    assert "no bound for batchnorm under the claim fp16-sums" in {layer.reason for layer in unsure.layers}
