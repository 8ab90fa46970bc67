"""Every topic computes its numbers, and is found by its names and the dialect's fields."""

import dataclasses
import json

import pytest

from refmnas.cli import main
from refmnas.errors import SpecError
from refmnas.explain import TOPICS, find
from refmnas.models.dialect import Dialect
from refmnas.verify.codes import CODES

# The codes of `refmnas verify` plant a fault each: the quick ones here, all of them with the slow tests.
QUICK = {"PAD-SAME", "BN-EPS", "SE-GATE", "UNKNOWN", "KINK", "QUANT-ROUND"}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n in CODES and n not in QUICK else ()) for n in TOPICS]
)
def test_a_topic_computes_its_numbers(name, capsys):
    assert main(["explain", name, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["name"] == name
    assert len(told["example"]) >= 1
    assert "FAILS" not in "\n".join(told["example"])


def test_the_list_names_all(capsys):
    assert main(["explain"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in TOPICS)


def test_every_field_of_the_dialect_has_a_topic():
    told_elsewhere = {"source", "unverified"}  # the record's own label, and marks on the others
    for field in dataclasses.fields(Dialect):
        if field.name not in told_elsewhere:
            assert find(field.name), field.name


def test_topics_refer_to_topics_that_exist():
    for topic in TOPICS.values():
        assert set(topic.see) <= TOPICS.keys(), topic.name
    aliases = [alias for topic in TOPICS.values() for alias in (topic.name, *topic.aliases)]
    assert len(aliases) == len(set(aliases))


def test_a_typo_names_the_nearest(capsys):
    with pytest.raises(SpecError, match="did you mean 'padding'"):
        find("paddign")
    assert main(["explain", "paddign"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1


def test_padding_tells_the_shift_by_one_pixel(capsys):
    assert main(["explain", "padding"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert next(line for line in lines if line.split()[:1] == ["SAME"]).split()[1:] == ["1", "3", "5", "7"]
    assert next(line for line in lines if line.split()[:1] == ["symmetric"]).split()[1:] == ["0", "2", "4", "6"]
