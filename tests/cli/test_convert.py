"""`refmnas convert` to whole networks, and what it refuses."""

import json
import os

import pytest

from refmnas import io
from refmnas.cli import main
from refmnas.io import ncnn, onnx, tflite
from refmnas.models import build, fold


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """a.npz with torchvision's names, in a folder of its own; returns the network."""
    monkeypatch.chdir(tmp_path)
    net = build("mnasnet-b1", width=0.5, dialect="torchvision", classes=11)
    io.save("a.npz", net.state("torchvision"))
    return net


def test_onnx_is_what_the_writer_writes(weights, tmp_path, capsys):
    assert main(["convert", "a.npz", "b.onnx", "--model", "mnasnet-b1"]) == 0
    assert capsys.readouterr().out == "b.onnx: 64 steps of mnasnet-b1 width 0.5, torchvision\n"
    assert (tmp_path / "b.onnx").read_bytes() == onnx.encode(fold.nodes(weights))
    words = ["--size", "96", "--opset", "11", "--batch", "N", "--dialect", "timm-tf", "--json"]
    assert main(["convert", "a.npz", "c.ONNX", "--model", "mnasnet-b1", *words]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["files"] == ["c.ONNX"]
    assert record["size"] == 96
    other = build("mnasnet-b1", width=0.5, dialect="timm-tf", classes=11, size=96).load(weights.state())
    assert (tmp_path / "c.ONNX").read_bytes() == onnx.encode(fold.nodes(other), opset=11, batch="N")


def test_tflite_is_what_the_writer_writes(weights, tmp_path, capsys):
    words = ["--size", "64", "--batch", "2", "--dialect", "timm-tf"]
    assert main(["convert", "a.npz", "b.tflite", "--model", "mnasnet-b1", *words]) == 0
    assert capsys.readouterr().out == "b.tflite: 64 steps of mnasnet-b1 width 0.5, timm-tf\n"
    other = build("mnasnet-b1", width=0.5, dialect="timm-tf", classes=11, size=64).load(weights.state())
    assert (tmp_path / "b.tflite").read_bytes() == tflite.encode(fold.nodes(other), batch=2)


def test_ncnn_is_two_files(weights, tmp_path, capsys):
    assert main(["convert", "a.npz", "b.param", "--model", "mnasnet-b1", "--size", "64"]) == 0
    assert capsys.readouterr().out.startswith("b.param, b.bin: 64 steps")
    text, data = ncnn.encode(fold.nodes(weights, 64))
    assert (tmp_path / "b.param").read_text() == text
    assert (tmp_path / "b.bin").read_bytes() == data


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["b.npz"], "no --to, wanted the names of b.npz"),
        (["b.npz", "--to", "timm", "--opset", "13"], "--opset says nothing about b.npz, wanted --to"),
        (["b.onnx", "--to", "timm"], "--to says nothing about b.onnx, wanted --dialect or --opset or --batch"),
        (["b.param", "--batch", "2"], "--batch says nothing about b.param, wanted --dialect"),
        (["b.tflite", "--opset", "13"], "--opset says nothing about b.tflite, wanted --dialect or --batch"),
        (["b.tflite", "--batch", "N"], "batch is 'N', wanted a number"),
        (["b.onnx", "--opset", "0"], "opset is 0, wanted 7 to 25"),
        (["b.onnx", "--batch", "0"], "batch is 0"),
        (["b.onnx", "--batch", "-1"], "batch is '-1'"),
        (["b.onnx", "--dialect", "caffe"], "no source 'caffe'"),
        (["no/b.onnx"], "no/b.onnx: cannot be written"),
        (["no/b.param"], "cannot be written"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(weights, words, said, capsys):
    assert main(["convert", "a.npz", *words, "--model", "mnasnet-b1"]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert os.listdir() == ["a.npz"]
