"""Photographs through real weights, where the extra `demo` is installed."""

import json
from importlib import metadata

import numpy as np
import pytest

from refmnas import io
from refmnas.cli import demo, main
from refmnas.models import build

pillow = pytest.importorskip("PIL.Image", reason="needs the extra demo")


def installed(package):
    try:
        return bool(metadata.distribution(package))
    except metadata.PackageNotFoundError:
        return False


needs_weights = pytest.mark.skipif(
    not (installed(demo.WEIGHTS) and installed("scikit-image")), reason="needs the extra demo"
)


@pytest.fixture
def small(tmp_path):
    """A tiny network's weights with eleven classes, and two pictures in a folder with a broken one."""
    net = build("mnasnet-small", width=0.5, size=32, classes=11, dialect="timm")
    weights = tmp_path / "small.npz"
    io.save(weights, net.state("timm"))
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in ("a.png", "c.jpg"):
        pillow.fromarray(rng.integers(0, 256, (40, 50, 3), np.uint8)).save(folder / name)
    (folder / "b.png").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("not an image")
    return weights, folder


def test_a_broken_image_is_named_and_the_rest_goes_on(small, capsys):
    weights, folder = small
    words = ["classify", str(folder), str(folder / "none.png"), "--model", "mnasnet-small", "--weights", str(weights)]
    assert main([*words, "--size", "32", "--top", "2", "--json"]) == 2
    captured = capsys.readouterr()
    records = {record["image"]: record for record in json.loads(captured.out)}
    assert len(records) == 4
    assert [len(records[str(folder / name)]["guesses"]) for name in ("a.png", "c.jpg")] == [2, 2]
    assert "error" in records[str(folder / "b.png")]
    assert "error" in records[str(folder / "none.png")]
    for named in ("b.png", "none.png", "1 files without an image's suffix"):
        assert named in captured.err


def test_width_names_and_classes_come_from_the_weights(small, capsys):
    weights, folder = small
    words = ["classify", str(folder / "a.png"), "--model", "mnasnet-small", "--weights", str(weights), "--size", "32"]
    assert main([*words, "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    probabilities = [guess["probability"] for guess in record["guesses"]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert all(0 < p < 1 for p in probabilities)
    assert {guess["name"] for guess in record["guesses"]} <= {f"class {k}" for k in range(11)}
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "mnasnet-small width 0.5, conventions of timm" in text
    assert "bicubic" in text


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (["--top", "0"], "top is 0"),
        (["--dialect", "caffe"], "caffe"),
        (["--width", "0.75"], "the weights fit mnasnet-small at width 0.5\n"),
        (["--size", "0"], "0"),
    ],
)
def test_options_that_cannot_be_are_refused(small, extra, said, capsys):
    weights, folder = small
    words = ["classify", str(folder / "a.png"), "--model", "mnasnet-small", "--weights", str(weights), *extra]
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert captured.err.count("\n") == 1


@needs_weights
def test_the_demo_tells_all_that_a_first_reader_wants(capsys):
    assert main(["demo"]) == 0
    text = capsys.readouterr().out
    assert text.splitlines()[1].split(maxsplit=1)[1] == "Egyptian cat"
    for part in (
        "152 layers",
        "149 trainable variables",
        "stem.conv.w",
        "4,652,008 parameters",
        "texts",
        "image",
        "time",
    ):
        assert part in text
    assert "refmnas read depthwise" in text


@needs_weights
def test_other_weights_than_the_published_are_refused(monkeypatch, capsys):
    monkeypatch.setattr(demo, "SHA256", "00000000")
    assert main(["demo"]) == 2
    assert "SHA-256" in capsys.readouterr().err


@pytest.mark.parametrize("missing", [demo.WEIGHTS, "scikit-image"])
def test_a_missing_extra_is_named_with_its_command(missing, monkeypatch, capsys):
    real = metadata.files

    def files(package):
        if package == missing:
            raise metadata.PackageNotFoundError(package)
        return real(package)

    monkeypatch.setattr(demo.metadata, "files", files)
    assert main(["demo"]) == 2
    captured = capsys.readouterr()
    assert "pip install 'refmnas[demo]'" in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


@needs_weights
def test_weights_of_another_network_are_refused_in_one_line(capsys):
    words = ["classify", str(demo._photograph()), "--model", "mnasnet-b1", "--weights", str(demo._weights())]
    assert main(words) == 2
    assert capsys.readouterr().err.count("\n") == 1
