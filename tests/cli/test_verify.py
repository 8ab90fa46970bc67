"""`refmnas verify captured`: verdicts as exit codes, the three forms of the report, usage errors."""

import json

import numpy as np
import pytest
from pages import checked
from sound_runs import captured, filled

from refmnas import io
from refmnas.cli import main
from refmnas.report import verify as html

MODEL = ("--model", "mobilenet-v3-small", "--width", "0.35")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A sound run, a wrong one, one of logits alone, and the weights."""
    at = tmp_path_factory.mktemp("verify")
    net = filled("mobilenet-v3-small", 0.35, "torchvision")
    run = captured(net)
    io.save(at / "weights.npz", net.state("torchvision"))
    io.save(at / "sound.npz", run)
    wrong = run["features.1.block.0.0"].copy()
    wrong[:, 3, 0] += 0.01
    io.save(at / "wrong.safetensors", run | {"features.1.block.0.0": wrong, "more.of.it": wrong})
    io.save(at / "logits.npz", {key: run[key] for key in ("input", "classifier.3")})
    return at


def verify(files, name, *more):
    return main(["verify", "captured", str(files / name), *MODEL, "--weights", str(files / "weights.npz"), *more])


def test_the_verdict_is_the_exit_code(files, capsys):
    assert verify(files, "sound.npz") == 0
    assert capsys.readouterr().out.startswith("within-rounding: all ")
    assert verify(files, "logits.npz") == 3
    assert "inconclusive" in capsys.readouterr().out
    assert verify(files, "wrong.safetensors") == 1
    text = capsys.readouterr().out
    for words in (
        "first divergence: features.1.block.0.0 (stages.0.0.depthwise.conv)", "names of torchvision, NCHW", "channels 3 of",
        "worst at (", "1 tensors helped nothing: more.of.it", "would have passed", "once more: refmnas",
        "what else that lets through: refmnas verify tolerance --rtol 1e-3 --atol ",
    ):  # fmt: skip
        assert words in text


def test_json_alone_is_the_whole_of_standard_output(files, capsys):
    assert verify(files, "wrong.safetensors", "--json") == 1
    record = json.loads(capsys.readouterr().out)
    assert record["schema"] == "refmnas-verify-1"
    assert record["verdict"] == "fault"
    assert record["first"]["theirs"] == "features.1.block.0.0"
    layer = next(each for each in record["layers"] if each["theirs"] == "features.1.block.0.0")
    assert layer["where"]["channels"] == [3]
    rows = np.array(layer["where"]["map"])
    assert rows[0].all()
    assert not rows[1:].any()
    assert layer["margin"] > 1


def test_a_row_for_every_layer_on_demand(files, capsys):
    verify(files, "sound.npz")
    few = len(capsys.readouterr().out.splitlines())
    verify(files, "sound.npz", "--all")
    assert len(capsys.readouterr().out.splitlines()) > few + 50


def test_the_page_is_whole(files, tmp_path, capsys):
    assert verify(files, "wrong.safetensors", "--html", str(tmp_path / "a.html"), f"--json={tmp_path / 'a.json'}") == 1
    page = (tmp_path / "a.html").read_text()
    text = checked(page)
    for words in ("Where the bad elements lie", "features.1.block.0.0", "Margins", "Once more"):
        assert words in text
    assert html.whole(json.loads((tmp_path / "a.json").read_text())) == page
    assert capsys.readouterr().out.startswith("fault: ")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["verify", "captured", "none.npz", *MODEL], "no --weights with mobilenet-v3-small"),
        (["verify", "captured", "none.npz", "--model", "a.onnx", "--weights", "w"], "--weights with a.onnx"),
        (["verify", "captured", "none.npz", *MODEL, "--weights", "none.npz"], "none.npz"),
        (["verify"], "required"),
        (["verify", "sideways"], "sideways"),
    ],
)
def test_usage_errors_are_one_line_and_2(args, words, capsys):
    assert main(args) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_a_place_that_cannot_be_written_is_told_before_anything_is_read(files, capsys):
    assert verify(files, "sound.npz", "--html", "/nowhere/a.html") == 2
    assert "/nowhere/a.html" in capsys.readouterr().err
