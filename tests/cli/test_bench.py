"""`refmnas bench`, `compile-report` and `doctor --tile` as their user runs them; measuring itself is a fake."""

import json

import pytest
from bench_records import result

from refmnas import kernels
from refmnas.bench import run as bench
from refmnas.cli import main

C = pytest.mark.skipif(not kernels.built(), reason="the C extension is not built")


@pytest.fixture
def jobs(monkeypatch):
    """The jobs that would be measured; the answer is a fixed result."""
    seen = []

    def measured(given, *, command, tell, done):
        seen.extend(given)
        return result() | {"command": command}

    monkeypatch.setattr(bench, "bench", measured)
    return seen


def test_one_job_per_network_and_thread_count(jobs, capsys):
    options = ["--batch", "1,8", "--threads", "1,2,1", "--peers", "ort", "--size", "96"]
    assert main(["bench", "mnasnet-b1", "mnasnet-d1", *options]) == 0
    assert [(j["model"], j["source"], j["threads"]) for j in jobs] == [
        ("mnasnet-b1", "torchvision", 1), ("mnasnet-b1", "torchvision", 2), ("mnasnet-d1", "tf", 1), ("mnasnet-d1", "tf", 2),
    ]  # fmt: skip
    assert {json.dumps([j["kind"], j["batches"], j["peers"], j["size"]]) for j in jobs} == {'["cells", [1, 8], ["ort"], 96]'}
    text = capsys.readouterr().out
    assert "mnasnet-b1, torchvision, 224 x 224, batch 1, 2 threads" in text
    assert "1e-6 + 3 x the less exact peer's = 3.0e-06: met" in text
    assert "torch-jit: torch is not installed" in text


def test_without_a_name_five_networks_and_with_layers_or_ops_only_those(jobs):
    assert main(["bench"]) == 0
    assert len(jobs) == 5
    jobs.clear()
    assert main(["bench", "--layers", "mnasnet-a1", "--ops", "depth"]) == 0
    assert [(j["kind"], j.get("model")) for j in jobs] == [("layers", "mnasnet-a1"), ("ops", None)]


def test_a_file_of_ones_own_is_a_network(jobs, tmp_path):
    from refmnas.models import text, zoo

    path = tmp_path / "mine.json"
    path.write_text(text.to_json(zoo.get("mnasnet-small")), encoding="utf-8")
    assert main(["bench", "--model", str(path)]) == 0
    assert [j["model"] for j in jobs] == [str(path)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mnasnet-b2"], "did you mean"),
        (["no-such.json"], "no-such.json"),
        (["mnasnet-b1", "--batch", "0"], "--batch is '0', wanted numbers from 1 to"),
        (["mnasnet-b1", "--batch", "1,"], "--batch is '1,'"),
        (["mnasnet-b1", "--threads", "0"], "--threads is '0', wanted numbers from 1 to 256"),
        (["mnasnet-b1", "--threads", "-2"], "--threads"),
        (["mnasnet-b1", "--threads", "100000"], "--threads is '100000'"),
        (["mnasnet-b1", "--size", "0"], "--size is 0"),
        (["mnasnet-b1", "--seconds", "0"], "--seconds is 0"),
        (["mnasnet-b1", "--seconds", "nan"], "--seconds is nan"),
        (["mnasnet-b1", "--peers", "ort,caffe"], "no peer 'caffe'"),
        (["mnasnet-b1", "--dialect", "caffe"], "no source 'caffe'"),
        (["--layers", "mnasnet-b2"], "did you mean"),
        (["--ops", "("], "no regular expression"),
        (["--ops", "softmax"], "no op matches 'softmax'"),
        (["--ops", "conv", "--cases", "0"], "--cases is 0"),
        (["mnasnet-b1", "--html", "no/such/folder/x.html"], "no/such/folder/x.html"),
        (["mnasnet-b1", "--csv", "no/such/folder/x.csv"], "no/such/folder/x.csv"),
        (["mnasnet-b1", "--json=/"], "/: Is a directory"),
        (["--history", "no/such/folder"], "no folder no/such/folder"),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_2_before_anything_is_measured(jobs, words, said, capsys):
    assert main(["bench", *words]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert jobs == []


def test_without_c_there_is_nothing_to_measure(jobs, monkeypatch, capsys):
    monkeypatch.setattr(kernels, "built", lambda: False)
    assert main(["bench", "mnasnet-b1"]) == 2
    assert "not built" in capsys.readouterr().err
    assert jobs == []


def test_files_are_written_and_json_has_standard_output_alone(jobs, tmp_path, capsys):
    html, table = tmp_path / "b.html", tmp_path / "b.csv"
    assert main(["bench", "mnasnet-b1", "--html", str(html), "--csv", str(table), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["kind"], record["schema"], record["is_partial"]) == ("refmnas bench", 1, False)
    assert html.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert table.read_text(encoding="utf-8").startswith("network,dialect,")


@pytest.mark.parametrize("name", ["is_wrong", "criterion", "failed"])
def test_our_own_fault_is_exit_1(monkeypatch, name):
    given = result()
    if name == "is_wrong":
        given["cells"][0]["competitors"][0]["is_wrong"] = True
    elif name == "criterion":
        given["cells"][0]["criterion"]["is_met"] = False
    else:
        given["failed"] = [{"model": "mnasnet-b1", "threads": 1, "why": "its process ended"}]
    monkeypatch.setattr(bench, "bench", lambda *given_, **options: given)
    assert main(["bench", "mnasnet-b1"]) == 1


def test_a_peers_fault_is_not(jobs):
    """In the fixed result OpenVINO is wrong."""
    assert main(["bench", "mnasnet-b1"]) == 0


def test_an_interrupted_bench_writes_what_there_is_and_ends_with_130(monkeypatch, tmp_path, capsys):
    partial = result() | {"is_partial": True}
    monkeypatch.setattr(bench, "bench", lambda *given, **options: partial)
    path = tmp_path / "b.json"
    assert main(["bench", "mnasnet-b1", f"--json={path}"]) == 130
    assert json.loads(path.read_text(encoding="utf-8"))["is_partial"]
    assert "partial" in capsys.readouterr().err


def test_history_puts_results_side_by_side(tmp_path, capsys):
    new = result() | {"date": "2026-05-05 00:00 UTC"}
    new["cells"][0]["competitors"][0]["median_ms"] = 3.0
    new["cells"][0]["is_noisy"] = True
    (tmp_path / "a-new.json").write_text(json.dumps(new), encoding="utf-8")
    (tmp_path / "z-old.json").write_text(json.dumps(result()), encoding="utf-8")
    (tmp_path / "other.json").write_text("[1, 2]", encoding="utf-8")
    assert main(["bench", "--history", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert text.index("z-old") < text.index("a-new")
    assert "3.570 1.20x ort" in text
    assert "(3.000 1.20x ort)" in text
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    assert main(["bench", "--history", str(tmp_path)]) == 2
    assert "broken.json is no JSON" in capsys.readouterr().err


def test_history_of_nothing_is_refused(tmp_path, capsys):
    assert main(["bench", "--history", str(tmp_path)]) == 2
    assert "has no result" in capsys.readouterr().err


@C
def test_a_real_cell_without_peers(tmp_path, capsys):
    """The whole way once: a process, the engine, the reference, a page; nothing is said about speed."""
    html = tmp_path / "b.html"
    words = ["bench", "mnasnet-small", "--size", "33", "--peers", "none", "--seconds", "0.2", "--html", str(html), "--json"]
    assert main(words) == 0
    (cell,) = json.loads(capsys.readouterr().out)["cells"]
    (ours,) = cell["competitors"]
    assert ours["error"] <= 1e-5
    assert not ours["is_wrong"]
    assert ours["runs"] >= 3
    assert "mnasnet-small" in html.read_text(encoding="utf-8")


@C
def test_compile_report_is_a_table_a_picture_and_a_record(tmp_path, capsys):
    html = tmp_path / "p.html"
    assert main(["compile-report", "mnasnet-small", "--size", "65", "--batch", "2", "--threads", "3", "--html", str(html)]) == 0
    text = capsys.readouterr().out
    assert "mnasnet-small, timm, 65 x 65, batch 2, 3 threads" in text
    assert "beyond weights, input and output" in text
    assert "<svg" in html.read_text(encoding="utf-8")
    assert main(["compile-report", "mnasnet-small", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["size"] == [224, 224]
    assert len(record["steps"]) > 10


@C
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mnasnet-b2"], "did you mean"),
        (["mnasnet-b1", "--batch", "0"], "batch is 0"),
        (["mnasnet-b1", "--threads", "0"], "threads is 0"),
        (["mnasnet-b1", "--size", "-1"], "size is -1"),
        (["mnasnet-b1", "--html", "no/such/folder/x.html"], "no/such/folder/x.html"),
    ],
)
def test_a_plan_that_cannot_be_is_one_line_and_exit_2(words, said, capsys):
    assert main(["compile-report", *words]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("isa", ["avx2", "avx512", "neon", "scalar", "wide16"])
def test_doctor_prints_a_tile_of_any_instruction_set(isa, capsys):
    assert main(["doctor", "--tile", "pw_n2m3", "--isa", isa]) == 0
    text = capsys.readouterr().out
    assert text.startswith("static void RM_NAME(pw_n2m3)(")
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tile", "pw_n99", "--isa", "avx2"], "there are pw_n1m1"),
        (["--tile", "pw_n1m1", "--isa", "sse"], "no tiles for 'sse', wanted one of avx2"),
        (["--isa", "avx2"], "goes with --tile"),
    ],
)
def test_a_tile_that_there_is_not_is_refused(words, said, capsys):
    assert main(["doctor", *words]) == 2
    assert said in capsys.readouterr().err
