"""The program around the commands: exit codes, what goes where, colours, files, its other name."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import refmnas
from refmnas import kernels
from refmnas.cli import COMMANDS, _output, main
from refmnas.ops import gate


def run(*words, **environment):
    """The program in a process of its own."""
    keep = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "REFMNAS_ISA", "REFMNAS_BACKEND")}
    command = [sys.executable, "-m", "refmnas", *words]
    return subprocess.run(command, env=keep | environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_tells_the_options_and_an_example(command, capsys):
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"Example: refmnas {command}" in text
    assert "--json" in text


def test_without_a_command_it_tells_what_there_is(capsys):
    assert main([]) == 0
    words = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("    ") and line.strip()]
    assert set(COMMANDS) <= set(words)


def test_the_version_is_the_packages(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"refmnas {refmnas.__version__}\n"
    declared = Path(__file__).resolve().parents[2] / "pyproject.toml"
    assert tomllib.loads(declared.read_text(encoding="utf-8"))["project"]["version"] == refmnas.__version__


@pytest.mark.parametrize("words", [["no-such-command"], ["show", "--size", "many"], ["classify"], ["show", "a", "b"]])
def test_wrong_usage_is_one_line_and_exit_2(words, capsys):
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "error:" in captured.err


def test_python_m_is_the_same_program():
    done = run("show", "mnasnet-a1", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["parameters"] == 3_887_038
    assert done.stderr == ""
    done = run("show", "mnasnet-a9")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("refmnas show: error: ")
    assert "Traceback" not in done.stderr


def test_a_reader_that_stops_early_is_no_error():
    command = f"'{sys.executable}' -m refmnas show mnasnet-a1 --full | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""


JSON = [
    ["show"],
    ["show", "mnasnet-small"],
    ["read"],
    ["read", "pool"],
    ["explain"],
    ["explain", "bn-eps"],
    ["selftest", "--op", "pool", "--cases", "2"],
    ["diff", "mnasnet-a1", "mnasnet-b1"],
    ["doctor"],
]


@pytest.mark.parametrize("words", JSON, ids=" ".join)
def test_json_has_standard_output_to_itself(words, capsys):
    assert main([*words, "--json"]) == 0
    json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("words", JSON, ids=" ".join)
def test_json_into_a_file_stands_beside_the_text(words, tmp_path, capsys):
    target = tmp_path / "result.json"
    assert main([*words, f"--json={target}"]) == 0
    json.loads(target.read_text(encoding="utf-8"))
    assert capsys.readouterr().out
    assert os.listdir(tmp_path) == ["result.json"]


def test_a_bare_json_does_not_take_the_next_word_for_a_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["show", "--json", "mnasnet-small"]) == 0
    assert json.loads(capsys.readouterr().out)["network"] == "mnasnet-small"
    assert os.listdir(tmp_path) == []


def test_a_file_that_cannot_be_written_is_exit_2(tmp_path, capsys):
    assert main(["show", f"--json={tmp_path / 'no' / 'such' / 'folder.json'}"]) == 2
    assert "error:" in capsys.readouterr().err


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    target = tmp_path / "a.txt"
    target.write_text("before")

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        _output.write_text(target, "after")
    assert target.read_text() == "before"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_colour_is_for_terminals_that_want_it(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\033[1m" in _output.bold("x")
    monkeypatch.setenv("NO_COLOR", "1")
    assert _output.bold("x") == "x"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    assert _output.bold("x") == "x"


def test_output_into_a_pipe_is_plain():
    assert "\033" not in run("show", TERM="xterm").stdout


def test_doctor_tells_what_is_demanded_and_missing():
    done = run("doctor", "--json", REFMNAS_ISA="no-such-set")
    assert done.returncode == 1
    facts = json.loads(done.stdout)
    assert "no-such-set" in facts["problems"][0]
    assert facts["environment"]["REFMNAS_ISA"] == "no-such-set"
    done = run("show", "mnasnet-a1", "--json", REFMNAS_BACKEND="fortran")
    assert done.returncode in (0, 2)
    assert "Traceback" not in done.stderr


def test_doctor_tells_of_c(capsys):
    assert main(["doctor", "--json"]) == 0
    c = json.loads(capsys.readouterr().out)["c"]
    assert c["built"] == kernels.built()
    if kernels.built():
        assert c["isa"] in c["isas"]
        assert c["isas"] == list(kernels.isas())
    else:
        assert "pip install" in c["why"]


def test_selftest_finds_a_fault_and_its_line_repeats_it(monkeypatch, capsys):
    right = gate.forward
    monkeypatch.setattr(gate, "forward", lambda x, g: right(x, g) + np.float32(1e-3) * (x.shape[3] > 3))
    assert main(["selftest", "--op", "gate", "--cases", "30", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert not report["holds"]
    line = report["ops"][0]["failures"][0]["case"]
    assert line.startswith("gate n=")
    assert main(["selftest", "--case", line]) == 1
    text = capsys.readouterr().out
    assert "FAILED" in text
    assert f"again: refmnas selftest --case '{line}'" in text
    monkeypatch.undo()
    assert main(["selftest", "--case", line]) == 0


def test_selftest_runs_the_text_asked_for(capsys):
    assert main(["selftest", "--op", "depthwise", "--cases", "2", "--backend", "numpy", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ops"][0]["texts"] == ["NumPy"]
    for isa in kernels.isas():
        assert main(["selftest", "--cases", "2", "--backend", "c", "--isa", isa, "--json"]) == 0
        ops = json.loads(capsys.readouterr().out)["ops"]
        assert [op["op"] for op in ops] == ["depthwise"]
        assert ops[0]["texts"] == [f"C {isa}"]


@pytest.mark.parametrize(
    "words", [["--case", "gate n=1"], ["--op", "("], ["--cases", "0"], ["--isa", "mmx"], ["--op", "gate", "--backend", "c"]]
)
def test_selftest_refuses_what_it_cannot_do(words, capsys):
    assert main(["selftest", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_progress_is_silent_where_no_terminal_is_and_all_is_quick(capsys):
    assert main(["selftest", "--op", "pool", "--cases", "3"]) == 0
    assert capsys.readouterr().err == ""


def test_progress_rewrites_its_line_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    progress = _output.Progress(2, "images")
    progress.step("first")
    progress.step()
    progress.end()
    text = capsys.readouterr().err
    assert "\rimages 1/2  first" in text
    assert "\rimages 2/2" in text
    assert text.endswith("\r")
    assert "\n" not in text
