"""The examples are built and run as their heads say, and pass."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from refmnas.cli import main
from refmnas.verify import kit, op

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    compiler = shutil.which("gcc")
    if not compiler:
        pytest.skip("no gcc")
    target = tmp_path_factory.mktemp("c") / "kit_depthwise"
    words = ["-O2", "-std=c11", "-Wall", "-Wextra", "-Werror", "-o", str(target), str(EXAMPLES / "kit_depthwise.c")]
    subprocess.run([compiler, *words], check=True)
    return target


def test_the_c_example_passes(program):
    line = f"{program} {{in}} {{out}}"
    report = op("depthwise.forward", kit.command(line, "depthwise.forward"), cases=5)
    assert report.verdict == "within-rounding", str(report)
    report = op("pool.forward", kit.command(line, "pool.forward"), cases=1)
    assert (report.verdict, report.declined > 0) == ("inconclusive", True)


def test_a_fault_in_the_c_example_is_found(program, tmp_path):
    text = (EXAMPLES / "kit_depthwise.c").read_text()
    assert text.count("q * S + j * L - pad[2]") == 1
    (tmp_path / "wrong.c").write_text(text.replace("q * S + j * L - pad[2]", "q * S + j - pad[2]"))
    subprocess.run(["gcc", "-O2", "-o", str(tmp_path / "wrong"), str(tmp_path / "wrong.c")], check=True)
    report = op("depthwise.forward", kit.command(f"{tmp_path / 'wrong'} {{in}} {{out}}", "depthwise.forward"))
    assert report.verdict == "fault"
    assert "dilation=2" in report.fault["case"]


def test_the_numpy_example_passes(tmp_path, capsys):
    made, answers = str(tmp_path / "kit"), str(tmp_path / "answers")
    assert main(["kit", "make", "--ops", "pointwise,linear,pool,gate", "--format", "npz", "--out", made, "--cases", "7"]) == 0
    subprocess.run([sys.executable, EXAMPLES / "kit_numpy.py", made, answers], check=True)
    assert main(["kit", "check", made, answers]) == 0
    assert "within-rounding: 56 cases answered" in capsys.readouterr().out
