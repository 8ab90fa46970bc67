"""`refmnas kit` as its user runs it."""

import json
import shlex
import sys

import numpy as np
import pytest

from refmnas import io
from refmnas.cli import main

# A program: pools, declines what has more than one image, and is wrong of three channels and more where told to.
PROGRAM = """
import json, sys, time
import numpy as np
case, x, wrong = json.load(open(sys.argv[1])), np.load(sys.argv[2])["x"], sys.argv[4]
assert case["inputs"] == ["x"] and case["results"] == ["y"] and case["layout"] == "NHWC"
if wrong == "sleep":
    time.sleep(30)
if wrong == "exit":
    sys.exit("no such layout")
if len(x) != 1:
    sys.exit(77)
y = x.mean(axis=(1, 2))
if wrong == "values":
    y[:, 2:] += 1
if wrong != "nothing":
    np.savez(sys.argv[3], **{"z" if wrong == "names" else "y": y})
"""


@pytest.fixture
def line(tmp_path):
    (tmp_path / "pool.py").write_text(PROGRAM)
    return lambda wrong: f"{shlex.quote(sys.executable)} {tmp_path / 'pool.py'} {{case}} {{in}} {{out}} {wrong}"


def kit_run(line, *more):
    return main(["kit", "run", "--ops", "pool.forward", "--command", line, "--cases", "3", "--format", "npz", *more])


def test_a_program_is_judged(line, capsys):
    assert kit_run(line("-"), "--data", "reals", "--json", "--seed", "10", "--cases", "2") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["verdict"] == "within-rounding"
    assert record["functions"][0]["judged"] == {"reals": 1}
    assert record["functions"][0]["declined"] == 1


@pytest.mark.slow
def test_a_wrong_program_is_shrunk_and_its_line_repeats_it(line, capsys):
    words = ["--case", "pool n=1 h=1 w=1 c=4 seed=2", "--data", "integers"]
    assert kit_run(line("values"), *words) == 1
    again = next(text for text in capsys.readouterr().out.splitlines() if text.startswith("  again"))
    words = shlex.split(again.split("again", 1)[1])
    assert words[:3] == ["refmnas", "kit", "run"]
    assert "pool n=1 h=1 w=1 c=3 seed=2" in words
    assert main([*words[1:], "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["functions"][0]["fault"]["index"] == [0, 2]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [("exit", "exit code 1: no such layout"), ("nothing", "nothing at {out}"), ("names", "has z, wanted y"),
     ("sleep", "no answer within 0.3 s")],
)  # fmt: skip
def test_a_program_that_fails_is_named(line, wrong, words, capsys):
    case = ["--case", "pool n=1 h=1 w=1 c=1 seed=0", "--limit", "0.3"] if wrong == "sleep" else \
        ["--case", "pool n=1 h=1 w=1 c=1 seed=0"]  # fmt: skip
    assert kit_run(line(wrong), *case, "--seconds", "1") == 1
    text = capsys.readouterr().out
    assert words in text
    assert "RAISES" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["kit", "run", "--command", "mine"], "has no {in}"),
        (["kit", "run", "--command", "mine '{in} {out}"], "is no command"),
        (["kit", "run", "--command", "mine {in} {out}", "--ops", "pull"], "no op 'pull'"),
        (["kit", "run", "--command", "m {in} {out}", "--ops", "pool", "--case", "pool n=1 h=1 w=1 c=1 seed=0"], "2 functions"),
        (["kit", "run", "--command", "mine {in} {out}", "--ops", "pool.forward", "--keep", "x"], "--keep is 'x'"),
        (["kit", "make", "--out", "no/such/folder"], "no/such is no folder"),
        (["kit", "check", "nothing", "nothing"], "manifest.json cannot be opened"),
        (["kit", "check"], "required"),
        (["kit"], "required"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(words, said, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_make_and_check_tell_what_they_did(tmp_path, capsys):
    folder, answers = tmp_path / "kit", tmp_path / "answers"
    assert main(["kit", "make", "--ops", "pool.forward", "--cases", "2", "--out", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["functions"] == ["pool.forward"]
    answers.mkdir()
    assert main(["kit", "check", str(folder), str(answers)]) == 3
    assert "2 missing: pool.forward-000/y, pool.forward-001/y" in capsys.readouterr().out
    for number in range(2):
        x = io.load(folder / "cases" / f"pool.forward-00{number}.in.safetensors")["x"]
        io.save(answers / f"pool.forward-00{number}.npz", {"y": x.mean(axis=(1, 2)) + np.float32(number)})
    assert main(["kit", "check", str(folder), str(answers), "--json"]) == 1
    record = json.loads(capsys.readouterr().out)
    assert record["verdict"] == "fault"
    assert record["faults"][0]["case"] == "pool.forward-001"
