"""One record of all networks, from what their processes tell, whatever becomes of them."""

import json
import sys

import pytest

from refmnas import kernels
from refmnas.bench import run as bench
from refmnas.compare import table
from refmnas.models import zoo

C = pytest.mark.skipif(not kernels.built(), reason="the C extension is not built")
ROW = {"name": "refmnas", "version": "1", "error": 1e-7, "is_wrong": False, "min_ms": 1.0, "q1_ms": 1.0, "median_ms": 1.5,
       "q3_ms": 2.0, "is_noisy": False}  # fmt: skip
RECORD = {"memory": {"weights": 8, "arena": 4, "scratch": 2},
          "competitors": [ROW, {"name": "ort", "absent": "onnxruntime is not installed"}]}  # fmt: skip


@pytest.fixture
def told(monkeypatch):
    """A worker that says what a test wants."""
    monkeypatch.setattr(kernels, "built", lambda: True)

    def use(*events, ending=""):
        script = f"import json, os\nfor e in {list(events)!r}: print(json.dumps(e), flush=True)\n{ending}"
        monkeypatch.setattr(bench, "worker_command", lambda job: [sys.executable, "-c", script])

    return use


def test_each_network_has_what_was_told_of_it(told):
    told(
        {"event": "network", "number": 0, "record": RECORD},
        {"event": "refused", "number": 1, "message": "compile: no step of the engine takes conv at x"},
    )
    record = table.compared([table.Entry(name, "timm") for name in ("mnasnet-a1", "mnasnet-b1")], threads=3)
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert (record["kind"], record["threads"], record["is_partial"]) == ("refmnas compare", 3, False)
    first, refused = record["networks"]
    assert first["memory"] == RECORD["memory"]
    assert first["latency"]["median_ms"] == 1.5
    assert first["peers"] == {"ort": {"absent": "onnxruntime is not installed"}}
    assert first["why"] is None
    assert (first["parameters"], first["macs"]) == (3_887_038, 311_579_072)
    assert first["published"]["weights"] == "semnasnet_100.rmsp_in1k"
    assert (refused["latency"], refused["why"]) == (None, "no step of the engine takes conv at x")
    assert refused["parameters"] == 4_383_312


def test_a_process_that_dies_takes_latencies_and_nothing_else(told):
    told({"event": "tell", "text": "round 3"}, ending="os.kill(os.getpid(), 9)")
    (one,) = table.compared([table.Entry("mnasnet-small", "timm")])["networks"]
    assert one["why"] == "its process ended with status -9 while round 3"
    assert (one["parameters"], one["published"]["top1"]) == (2_030_264, 66.196)


def test_an_interrupt_is_partial(told):
    told({"event": "network", "number": 0, "record": RECORD}, {"event": "interrupted"})
    record = table.compared([table.Entry("mnasnet-a1", "timm"), table.Entry("mnasnet-b1", "timm")])
    assert record["is_partial"]
    assert [n["why"] for n in record["networks"]] == [None, "interrupted"]


def test_the_same_network_in_two_dialects_is_told_apart(told):
    told(*({"event": "network", "number": k, "record": RECORD} for k in range(2)))
    two = table.compared([table.Entry("mnasnet-b1", "torchvision"), table.Entry("mnasnet-b1", "timm")])["networks"]
    assert [n["published"]["top1"] for n in two] == [73.456, 74.65]
    assert all(n["latency"] for n in two)


def test_a_table_of_ones_own_has_no_published_figure(told, tmp_path):
    from dataclasses import replace

    from refmnas.models import text

    path = tmp_path / "mine.json"
    path.write_text(text.to_json(replace(zoo.get("mnasnet-small"), name="mine")), encoding="utf-8")
    told({"event": "refused", "number": 0, "message": "no"})
    (mine,) = table.compared([table.Entry(str(path), "timm")])["networks"]
    assert (mine["network"], mine["published"], mine["parameters"]) == ("mine", None, 2_030_264)


def test_without_c_all_but_the_latency_is_there(monkeypatch):
    monkeypatch.setattr(kernels, "built", lambda: False)
    monkeypatch.setattr(kernels, "why_not", lambda: "no compiler")
    (one,) = table.compared([table.Entry("mnasnet-a1", "tf")])["networks"]
    assert one["why"] == "the engine is C, which is not built (no compiler)"
    assert (one["latency"], one["memory"], one["published"]["top1"]) == (None, None, 75.2)


@C
def test_a_real_network_is_measured():
    """The whole way once, at a small size; nothing is said about speed."""
    (one,) = table.compared([table.Entry("mnasnet-small", "timm", width=0.5)], size=32, seconds=0.05)["networks"]
    assert one["latency"]["error"] <= 1e-5
    assert not one["latency"]["is_wrong"]
    assert one["width"] == 0.5
    assert one["memory"]["arena"] > 0
    assert one["why"] is None
