"""`refmnas verify runtime` without a runtime: what is shown, how two runs become one verdict, files, refusals."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
from sound_runs import filled, run

from refmnas.cli import main
from refmnas.errors import DataError, PeerError, SpecError
from refmnas.io import tflite
from refmnas.models import fold
from refmnas.verify import runtime
from refmnas.verify.part import IMAGE
from refmnas.verify.runtime import base, litert
from refmnas.verify.runtime import open as opened
from refmnas.verify.runtime.subject import coarser

SIZE = 32


@pytest.fixture(scope="module")
def subject():
    return runtime.of_network(filled("mobilenet-v3-small", 0.35, "torchvision", classes=7), SIZE, 1)


class Fake(base.Runtime):
    """Our own ops in float32 as a runtime; what is fused, and wrong, is the test's choice."""

    name, PACKAGE, INSTALL, SUFFIX, LEVELS = "fake", "numpy", "numpy", ".onnx", ("none", "all")
    description = "a fake"
    fused: tuple[str, ...] = ()  # parts that round otherwise where they are not shown
    wrong: ClassVar[dict[str, float]] = {}

    def run(self, x, shown):
        values = {IMAGE: x}
        for part in self.subject.parts:
            y = run(part, [values[name] for name in part.inputs])
            if part.name in self.fused and part.name not in shown:
                y = y * np.float32(1 + 2.0**-22)
            if part.name in self.wrong and part.name not in shown:
                y = y * np.float32(1 + self.wrong[part.name])
            values[part.name] = y
        return {name: values[name] for name in (self.last, *shown) if name in values}


def fake(subject, **attributes):
    made = Fake(subject, base.Settings())
    for key, value in attributes.items():
        setattr(made, key, value)
    return made


def judged(made, **options):
    return runtime.judged(made, runtime.picture(SIZE), **options)


def of(subject, op, act=False):
    """The first part of that op that (no) activation reads."""
    acts = {name for part in subject.parts if part.op == "act" for name in part.inputs}
    return next(part.name for part in subject.parts if part.op == op and (part.name in acts) == act)


def every(subject, op):
    """All parts of that op that an activation reads."""
    acts = {name for part in subject.parts if part.op == "act" for name in part.inputs}
    return tuple(part.name for part in subject.parts if part.op == op and part.name in acts)


def test_the_same_bits_need_one_report(subject):
    report = judged(fake(subject))
    assert report.verdict == "within-rounding", report.headline()
    assert [(each.name, each.is_judged) for each in report.runs] == [("shown", True), ("untouched", False)]
    assert "the same bits" in report.runs[1].told
    assert {layer.name for layer in report.layers} >= {part.name for part in subject.parts if part.arrays}


def test_other_bits_are_judged_by_the_segments_of_a_run_that_has_them(subject):
    report = judged(fake(subject, fused=every(subject, "depthwise")))
    assert report.verdict == "within-rounding", report.headline()
    assert "leads into an activation" in report.runs[1].told
    assert any(layer.theirs.startswith("untouched: ") and "depthwise + act" in layer.op for layer in report.layers)
    assert report.to_dict()["false_alarm"] == 1e-9


def test_a_fault_that_only_the_untouched_run_has_is_a_fault(subject):
    report = judged(fake(subject, wrong={of(subject, "depthwise", act=True): 1e-3}))
    assert report.verdict == "fault"
    assert [each.verdict for each in report.runs] == ["within-rounding", "fault"]
    assert report.first.theirs.startswith("untouched: ")


def test_bits_that_no_choice_of_outputs_has_are_inconclusive(subject):
    last = [part.name for part in subject.parts if part.op == "pool"][-1]
    report = judged(fake(subject, fused=(last,)))
    assert report.verdict == "inconclusive"
    assert report.runs[0].verdict == "within-rounding"
    assert "one segment" in report.runs[1].told


def test_fewer_and_fewer_tensors_are_shown(subject):
    chosen = [set(names) for _, names in coarser(subject.parts, subject.last)]
    assert all(more > less for more, less in pairwise(chosen))
    acts = {name for part in subject.parts if part.op == "act" for name in part.inputs}
    assert not acts & chosen[0]


def test_images_of_another_size_are_refused(subject):
    with pytest.raises(DataError, match="1 images of 40 x 40, wanted a multiple of 1 of 32 x 32"):
        runtime.judged(fake(subject), runtime.picture(40))


def test_a_users_tflite_file_gets_outputs_by_its_bytes(tmp_path):
    steps = fold.nodes(filled("mobilenet-v3-small", 0.35, "torchvision", classes=7), SIZE)
    path = tmp_path / "a.tflite"
    model = tflite.encode(steps)
    names = _loaded(path, model).tensors
    shown = [names.index(name) for name in ("logits", "stem", "head.pool")]
    graph = _loaded(path, litert.with_outputs(model, shown))
    assert list(graph.outputs) == ["logits", "stem", "head.pool"]
    assert len(runtime.of_file(_written(path, model)).aliases()) > len(steps)


def _written(path, data):
    path.write_bytes(data)
    return path


def _loaded(path, data):
    return tflite.load(_written(path, data))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"level": "most"}, "level is 'most', wanted one of none, all"),
        ({"threads": 0}, "threads is 0"),
        ({"precision": "fp8"}, "precision is 'fp8'"),
        ({"precision": "bf16"}, "fake does not take precision='bf16'"),
        ({"channels_last": True}, "fake does not take channels_last=True"),
    ],
)
def test_settings_that_a_runtime_does_not_take_are_named(subject, settings, words):
    with pytest.raises(SpecError, match=words):
        Fake(subject, base.Settings(**settings))


def test_a_runtime_that_is_absent_says_how_to_get_it(subject):
    class Absent(Fake):
        name, PACKAGE, INSTALL = "absent", "no_such_runtime.core", "no-such-runtime"

    with pytest.raises(PeerError, match="absent is not installed: pip install no-such-runtime"):
        Absent(subject, base.Settings())
    with pytest.raises(SpecError, match="no runtime 'tvm', wanted one of ort, openvino"):
        runtime.open_runtime("tvm", subject)
    with pytest.raises(SpecError, match=r"fake with .*a.tflite, wanted a file .onnx or the name"):
        Fake(replace(subject, path=Path("a.tflite")), base.Settings())




@pytest.fixture
def fakes(monkeypatch):
    """The command's `--with fake`."""
    monkeypatch.setitem(opened._HOMES, "fake", ("fake", "Fake"))
    monkeypatch.setattr(opened, "import_module", lambda name: SimpleNamespace(Fake=Fake))


def test_the_command_tells_both_runs(fakes, tmp_path, capsys):
    args = ["verify", "runtime", "mobilenet-v3-small", "--with", "fake", "--width", "0.35", "--size", "32"]
    assert main([*args, "--dialect", "torchvision", f"--json={tmp_path / 'a.json'}"]) == 0
    text = capsys.readouterr().out
    for words in ("within-rounding: all ", "  shown: ", "  untouched: nothing shown", "once more: refmnas verify runtime"):
        assert words in text
    record = json.loads((tmp_path / "a.json").read_text())
    assert [each["name"] for each in record["runs"]] == ["shown", "untouched"]
    assert record["about"]["weights"].startswith("drawn")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["mnasnet-a1", "--with", "tvm"], "no runtime 'tvm'"),
        (["mnasnet-a1"], "--with"),
        (["a.onnx", "--with", "ort", "--weights", "w.pth"], "--weights with a.onnx"),
        (["a.onnx", "--with", "ort", "--images", "."], "wanted --dialect too"),
        (["none.onnx", "--with", "ort"], "none.onnx"),
    ],
)
def test_usage_errors_are_one_line_and_2(args, words, capsys):
    assert main(["verify", "runtime", *args]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
