"""refmnas verify tolerance: what a criterion lets through is told as it is, and the judge lets none of it through."""

import json

import numpy as np
import pytest
from pages import checked

from refmnas.cli import main
from refmnas.errors import SpecError
from refmnas.report import tolerance as html
from refmnas.verify.planted import FAULTS, MORE, example
from refmnas.verify.tolerance import criteria, tried
from refmnas.verify.tolerance.criterion import least_cosine
from refmnas.verify.tolerance.runs import Sound

MODEL = ("verify", "tolerance", "--model", "mobilenet-v2", "--width", "0.35", "--size", "32")


@pytest.fixture(scope="module")
def small():
    _, parts, x = example()
    return parts, x


@pytest.fixture(scope="module")
def found(small):
    return tried(*small, criteria(rtol=1e-3, atol=1e-2, cosine=0.999, top1=True), rtol=1e-3)


def test_every_place_is_told_once(found, small):
    assert not found.is_partial
    assert found.done == found.total == sum(len(f.places(small[0])) for f in (*FAULTS, *MORE))
    assert len({(row.told, row.where) for row in found.rows}) == len(found.rows) > 120
    assert {row.code for row in found.rows} >= {"PAD-SAME", "SE-GATE", "PREC-FP16", "TILE", "RES-MISSING", "CLASS-SHIFT"}


def test_the_judge_sees_all_that_has_an_effect(found):
    assert [row for row in found.rows if not row.refmnas] == []


def test_what_gets_through_is_what_no_criterion_sees(found):
    assert 0 < len(found.through) < len(found.rows)
    assert all(not any(row.seen.values()) for row in found.through)
    assert found.exit_code == 1
    assert any(row.seen["top-1"] for row in found.rows)
    assert all(row.of_layers["top-1"] is None for row in found.rows)


def test_a_layer_is_named_where_the_criterion_sees_one(found, small):
    names = [part.name for part in small[0]]
    one = [row for row in found.rows if row.told == "no scaling in one block"][1]
    assert one.of_layers["cosine >= 0.999"] in names[names.index(one.where) :]


def test_sound_runs_pass_what_is_told_of_them(found, small):
    sound, measured = Sound(*small), found.deviation["measured"]
    y, other = sound.values[sound.last], sound.by_numpy
    assert np.allclose(other, y, rtol=0, atol=measured["atol"])
    assert np.allclose(other, y, rtol=measured["rtol"] * (1 + 1e-6), atol=0)
    assert 0 < measured["atol"] < found.deviation["bounded_last_layer"]["atol"]
    assert not any(found.refuses_sound.values())


def test_a_criterion_of_bits_sees_all_and_refuses_sound_runs_too(small):
    exact = tried(*small, criteria(rtol=0.0))
    assert [row for row in exact.through if row.logits > 0] == []
    refused = not np.array_equal(Sound(*small).by_numpy, _logits(small))
    assert exact.refuses_sound == {"allclose(rtol 0, atol 0)": refused}
    assert html.last(exact.to_dict()).endswith("refuses sound runs, too") == refused


def _logits(small):
    sound = Sound(*small)
    return sound.values[sound.last]


def test_a_wrong_run_is_that_of_the_whole_computation(small):
    parts, x = small
    sound = Sound(parts, x)
    fault = next(f for f in FAULTS if f.told == "one shortcut added twice")
    wrong = fault.plant(parts)
    whole, pruned = Sound(wrong, x).values, sound.wrong(wrong, x)
    assert all(np.array_equal(whole[name], pruned.get(name, sound.values[name])) for name in whole)


def test_an_interruption_leaves_a_partial_table(small):
    def note(k, total, told):
        if k == 5:
            raise KeyboardInterrupt

    part = tried(*small, criteria(rtol=1.0, atol=1e9), note=note)
    assert part.is_partial
    assert part.done == 5
    assert part.headline().startswith("partial, interrupted after 5 of ")
    none = tried(*small, criteria(atol=0.0), note=note)
    assert none.exit_code == 130


def test_other_shapes_are_no_faults():
    _, parts, x = example(size=65)
    told = tried(parts, x[:1], criteria(top1=True))
    assert any(line.startswith("the other rule in all strided layers") for line in told.not_here)
    assert not told.is_partial


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "no criterion, wanted at least one of rtol, atol, cosine, top1"),
        ({"rtol": -1.0}, "rtol is -1, wanted a finite number of at least 0"),
        ({"atol": float("nan")}, "atol is nan, wanted a finite number"),
        ({"cosine": 1.5}, "cosine is 1.5, wanted a number from -1 to 1"),
    ],
)
def test_a_criterion_that_is_none_is_named(given, words):
    with pytest.raises(SpecError, match=words):
        criteria(**given)


def test_what_is_not_finite_is_seen():
    y = np.array([[1.0, 2.0], [0.0, 0.0]])
    nan = np.where(y == 2, np.nan, y)
    for criterion in criteria(rtol=1.0, atol=1.0, cosine=-1):
        assert not criterion.sees(y, y)
        assert criterion.sees(y, nan)
    assert np.isnan(least_cosine(y, nan))


def test_the_command_tells_all_of_it(tmp_path, capsys):
    page, record = tmp_path / "a.html", tmp_path / "a.json"
    assert main([*MODEL, "--rtol", "1e-3", "--atol", "1e-2", "--html", str(page), f"--json={record}"]) == 1
    out = capsys.readouterr().out
    told = json.loads(record.read_text())
    assert told["schema"] == "refmnas-tolerance-1"
    assert out.splitlines()[-1].startswith(f"{told['through']} of {told['tried']} planted faults get through")
    assert "once more: refmnas verify tolerance --rtol 0.001 --atol 0.01 --model mobilenet-v2 --width 0.35 --size 32" in out
    assert "drawn from a seed" in out
    assert html.whole(told) == page.read_text()
    assert "Every fault and place" in checked(page.read_text())


def test_usage_is_exit_2(capsys):
    assert main([*MODEL]) == 2
    assert "no criterion" in capsys.readouterr().err
    assert main([*MODEL, "--top1", "--images", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert main(["verify", "tolerance", "--top1", "--model", "a.onnx"]) == 2
    assert "a.onnx is a graph" in capsys.readouterr().err
