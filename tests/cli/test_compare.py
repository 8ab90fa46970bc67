"""`refmnas compare`: what it prints and writes, and what it refuses before a clock runs."""

import json

import numpy as np
import pytest

from refmnas import io, kernels
from refmnas.cli import main
from refmnas.compare import table
from refmnas.models import build

C = pytest.mark.skipif(not kernels.built(), reason="the C extension is not built")


@pytest.fixture
def quick(monkeypatch):
    """Short measurements: what is said here is not about speed."""
    ask = table.compared
    monkeypatch.setattr(table, "compared", lambda entries, **options: ask(entries, **options | {"seconds": 0.2}))


@pytest.fixture
def labelled(tmp_path):
    """A tiny network's weights, and three pictures with a file of labels that calls two of them right."""
    pillow = pytest.importorskip("PIL.Image", reason="needs the extra demo")
    net = build("mnasnet-small", width=0.5, size=32, classes=11, dialect="timm")
    io.save(tmp_path / "small.npz", net.state("timm"))
    folder, rng = tmp_path / "pictures", np.random.default_rng(0)
    folder.mkdir()
    best = []
    for name in ("a.png", "b.png", "c.png"):
        pillow.fromarray(rng.integers(0, 256, (40, 50, 3), np.uint8)).save(folder / name)
        x = io.image.open(folder / name, net.dialect.preprocess, 32)
        best.append(int(net.forward(x).argmax()))
    labels = tmp_path / "labels.csv"
    labels.write_text(f"a.png,{best[0]}\nb.png,{best[1]}\nc.png,{(best[2] + 1) % 11}\n", encoding="utf-8")
    return tmp_path / "small.npz", folder, labels


@C
def test_networks_stand_side_by_side(quick, tmp_path, capsys):
    html, record = tmp_path / "c.html", tmp_path / "c.json"
    words = ["compare", "mnasnet-small", "mobilenet-v3-small@timm", "--size", "32", "--html", str(html), f"--json={record}"]
    assert main(words) == 0
    text = capsys.readouterr().out
    assert "2 networks, batch 1, 1 thread" in text
    assert "mnasnet_small.lamb_in1k" in text
    assert "2,030,264" in text
    assert "<h1>refmnas compare</h1>" in html.read_text(encoding="utf-8")
    networks = json.loads(record.read_text(encoding="utf-8"))["networks"]
    assert [n["dialect"] for n in networks] == ["timm", "timm"]
    assert all(n["latency"]["median_ms"] > 0 for n in networks)


@C
def test_accuracy_is_measured_where_weights_are_given(quick, labelled, capsys):
    weights, folder, labels = labelled
    words = ["compare", f"mnasnet-small={weights}", "--size", "32"]
    assert main([*words, "--images", str(folder), "--labels", str(labels), "--json"]) == 0
    (with_weights,) = json.loads(capsys.readouterr().out)["networks"]
    assert with_weights["measured"]["top1"] == pytest.approx(200 / 3, abs=1e-12)
    assert with_weights["measured"]["images"] == 3
    assert (with_weights["width"], with_weights["weights"]) == (0.5, str(weights))
    net = build("mnasnet-small", width=0.5, classes=11)
    assert with_weights["parameters"] == sum(a.size for a in net.parameters().values())
    assert with_weights["published"] is None  # those are of a thousand classes


def test_json_stands_alone(monkeypatch, capsys):
    monkeypatch.setattr(kernels, "built", lambda: False)
    assert main(["compare", "mnasnet-a1", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["networks"][0]["macs"] == 311_579_072
    assert captured.err == ""


def test_the_files_are_written_before_a_pipe_can_break(monkeypatch, tmp_path):
    monkeypatch.setattr(kernels, "built", lambda: False)

    def breaks(self, *lines):
        raise BrokenPipeError

    monkeypatch.setattr("refmnas.cli._output.Output.say", breaks)
    monkeypatch.setattr("os.dup2", lambda *descriptors: None)
    html, record = tmp_path / "c.html", tmp_path / "c.json"
    assert main(["compare", "mnasnet-a1", "--html", str(html), f"--json={record}"]) == 0
    assert html.exists()
    assert record.exists()


def test_a_width_is_of_all_networks_and_finds_its_own_figure(monkeypatch, capsys):
    monkeypatch.setattr(kernels, "built", lambda: False)
    assert main(["compare", "mnasnet-b1", "mobilenet-v2@slim", "--width", "0.5", "--json"]) == 0
    b1, v2 = json.loads(capsys.readouterr().out)["networks"]
    assert (b1["parameters"], v2["parameters"]) == (2_218_512, 1_968_680)
    assert (b1["published"]["top1"], v2["published"]["top1"]) == (67.734, 65.4)


def test_an_interrupt_keeps_what_there_is(monkeypatch, capsys):
    monkeypatch.setattr(kernels, "built", lambda: False)
    ask = table.compared
    monkeypatch.setattr(table, "compared", lambda *a, **options: ask(*a, **options) | {"is_partial": True})
    assert main(["compare", "mnasnet-a1"]) == 130
    captured = capsys.readouterr()
    assert "mnasnet-a1" in captured.out
    assert "partial" in captured.err


@C
def test_a_wrong_output_of_ours_is_exit_1(monkeypatch):
    ask = table.compared

    def wrong(entries, **options):
        record = ask([], **options)
        return record | {"networks": [table._network(entries[0], None, {}, {}) | {"latency": {
            "min_ms": 1, "q1_ms": 1, "median_ms": 1, "q3_ms": 1, "is_wrong": True, "is_noisy": False}}]}  # fmt: skip

    monkeypatch.setattr(table, "compared", wrong)
    assert main(["compare", "mnasnet-a1"]) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mnasnet-a2"], "did you mean 'mnasnet-a1'"),
        (["mnasnet-a1@jax"], "no source 'jax'"),
        (["mnasnet-a1", "--threads", "0"], "--threads is 0, wanted 1 to 256"),
        (["mnasnet-a1", "--width", "0"], "width is 0.0, wanted a number above 0"),
        (["mnasnet-a1", "--size", "0"], "--size is 0, wanted 1 to 8192"),
        (["mnasnet-a1", "--peers", "caffe"], "no peer 'caffe'"),
        (["mnasnet-a1", "--labels", "x"], "--labels without --images"),
        (["mnasnet-a1", "--images", "."], "--images without weights, wanted at least one MODEL=WEIGHTS"),
        (["mnasnet-a1=none.pth"], "none.pth"),
        (["mnasnet-a1=none.pth", "--images", "no/folder"], "no/folder: no folder"),
        (["mnasnet-a1", "--html", "no/such/x.html"], "no/such/x.html"),
        ([], "the following arguments are required: MODEL"),
    ],
)
def test_what_cannot_be_compared_is_one_line_and_exit_2(words, said, capsys):
    assert main(["compare", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert captured.err.count("\n") == 1
