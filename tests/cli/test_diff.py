"""`refmnas diff`: two networks or two dialects side by side."""

import json

import pytest

from refmnas.cli import main
from refmnas.models import cost, difference, text, zoo
from refmnas.models import dialect as dialects


def record(words, capsys):
    assert main(["diff", *words, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return json.loads(captured.out)


def changed(lines):
    return {line["field"]: (line["a"], line["b"]) for line in lines if line["differs"]}


def test_two_dialects_of_one_network_differ_where_their_records_do(capsys):
    found = record(["mnasnet-b1@tf", "mnasnet-b1@torchvision"], capsys)
    assert changed(found["network"]) == {}
    assert not any(place["differs"] for place in found["blocks"])
    told = changed(found["dialect"])
    assert told["bn_momentum"] == (0.01, 0.0003)
    assert told["padding"] == ("same", "symmetric")
    assert "bn_unbiased" not in told


def test_two_networks_differ_by_their_true_numbers(capsys):
    found = record(["mnasnet-a1", "mnasnet-b1", "--dialect-a", "timm", "--dialect-b", "timm"], capsys)
    assert changed(found["network"])["parameters"] == (3_887_038, 4_383_312)
    assert changed(found["dialect"]) == {}
    places = {place["place"]: place for place in found["blocks"]}
    assert len(places) == 18
    assert places["stages.0.0"]["differs"] == []
    assert places["stages.2.0"]["differs"] == ["squeeze"]
    assert places["stages.1.2"]["a"] is None
    assert places["stages.5.3"]["differs"] == ["block"]


def test_a_network_does_not_differ_from_itself(capsys):
    found = record(["efficientnet-b0@timm", "efficientnet-b0", "--dialect-b", "timm"], capsys)
    assert not changed(found["network"]) | changed(found["dialect"])
    assert not any(place["differs"] for place in found["blocks"])


def test_the_width_rule_of_torchvision_makes_another_regnet(capsys):
    found = record(["regnetx-400mf@timm", "regnetx-400mf@torchvision"], capsys)
    assert changed(found["network"])["parameters"] == (5_157_512, 5_495_976)
    assert {p["b"]["c_out"] for p in found["blocks"] if p["differs"]} == {400}


def test_cells_stand_beside_cells_and_beside_blocks(capsys):
    found = record(["nasnet-a-mobile@slim", "nasnet-a-large@slim"], capsys)
    told = changed(found["network"])
    assert (told["parameters"], told["filters"], told["skips"]) == ((5_289_978, 88_753_150), (44, 168), (False, True))
    places = {place["place"]: place for place in found["blocks"]}
    assert places["cell_1"]["differs"] == ["filters"]
    assert places["cell_17"]["a"] is None
    assert list(places)[:3] == ["stem_0", "stem_1", "cell_0"]
    found = record(["nasnet-a-large@timm", "nasnet-a-large@pretrainedmodels"], capsys)
    assert not changed(found["network"])
    assert changed(found["dialect"])["even_cells"] == ([], ["reduction_0"])
    assert main(["diff", "enas-micro", "mnasnet-small"]) == 0
    out = capsys.readouterr().out
    assert "normal 36 of stem, stem" in out
    assert "stages.6.0" in out


def test_a_file_stands_beside_a_name(tmp_path, capsys):
    path = tmp_path / "mine.json"
    path.write_text(text.to_json(zoo.get("mnasnet-small")), encoding="utf-8")
    found = record([f"{path}@timm", "mnasnet-small@timm"], capsys)
    assert not any(place["differs"] for place in found["blocks"])
    assert main(["diff", str(path), "mnasnet-small"]) == 0
    assert "stages.6.0" in capsys.readouterr().out


def test_only_what_differs_can_be_asked_for(capsys):
    assert main(["diff", "mnasnet-b1@tf", "mnasnet-b1@timm", "--changed"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "blocks: 0 of 17 differ" in lines
    assert any(line.split() == ["*", "bn_eps", "0.001", "1e-05"] for line in lines)
    assert not any("stages." in line for line in lines)
    assert main(["diff", "mnasnet-b1@tf", "mnasnet-b1@timm"]) == 0
    assert "stages.0.0" in capsys.readouterr().out


def test_the_totals_are_those_of_the_cost():
    a, b = ((zoo.get(n), dialects.of("tf", n)) for n in ("mnasnet-a1", "efficientnet-b7"))
    told = {line.field: (line.a, line.b) for line in difference.network(a, b)}
    for k, side in enumerate((a, b)):
        totals = cost.totals(cost.of(*side))
        assert (told["parameters"][k], told["macs"][k]) == totals[:2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mnasnet-a2", "mnasnet-a1"], "did you mean 'mnasnet-a1'"),
        (["mnasnet-a1@jax", "mnasnet-a1"], "no source 'jax', wanted one of tf"),
        (["mnasnet-a1@tf", "mnasnet-b1", "--dialect-a", "timm"], "wanted one of the two"),
        (["mnasnet-a1", "no/such.json"], "no/such.json"),
        (["mnasnet-a1"], "the following arguments are required: B"),
    ],
)
def test_what_cannot_be_laid_side_by_side_is_one_line(words, said, capsys):
    assert main(["diff", *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert captured.err.count("\n") == 1
