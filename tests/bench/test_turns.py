"""Several networks by one clock: each has its own competitors, and what one lacks costs no other its record."""

from itertools import pairwise

import numpy as np
import pytest

from refmnas import kernels
from refmnas.bench import contest, entrants, turns
from refmnas.bench.entrants import Absent, Entrant
from refmnas.errors import SpecError

C = pytest.mark.skipif(not kernels.built(), reason="the C extension is not built")
RUNS: list[str] = []


def fails(x):
    raise RuntimeError("no memory left")


def entrant(name, run):
    return Entrant(name, "1", f"{name} of a test", lambda x: x, run)


@pytest.fixture
def fakes(monkeypatch):
    """Networks that are their names; the second is refused, the third's peer fails."""
    RUNS.clear()

    def network(model, **options):
        if model == "refused":
            raise SpecError("compile: not this one")
        return model

    def enter(net, names, *, batch, threads):
        def run(x):
            RUNS.append(net)
            return x

        found = [entrant("refmnas", run)]
        if net == "third":
            found += [entrant("ort", fails), entrant("ncnn", lambda x: x + 1), Absent("openvino", "not installed")]
        return found

    monkeypatch.setattr(entrants, "network", network)
    monkeypatch.setattr(entrants, "enter", enter)
    monkeypatch.setattr(entrants, "images", lambda net, batch: np.ones((1, 3)))
    monkeypatch.setattr(entrants, "reference", lambda net, x: x)


def asked(*names):
    return [{"model": name, "source": "tf", "size": None, "width": 1.0} for name in names]


def test_every_network_has_its_own_rows_and_takes_its_turn(fakes):
    refused = []
    records, is_interrupted = turns.measured(
        asked("first", "refused", "third"), peers=[], threads=1, seconds=0.4, refuse=lambda *told: refused.append(told)
    )
    assert not is_interrupted
    assert refused == [(1, "compile: not this one")]
    assert sorted(records) == [0, 2]
    (ours,) = records[0]["competitors"]
    assert (ours["name"], ours["error"], ours["is_wrong"]) == ("refmnas", 0.0, False)
    assert ours["runs"] >= 3
    rows = {row["name"]: row for row in records[2]["competitors"]}
    assert rows["ort"]["absent"] == "fails: no memory left"
    assert rows["ncnn"]["is_wrong"]
    assert rows["openvino"]["absent"] == "not installed"
    changes = sum(a != b for a, b in pairwise(RUNS))
    assert changes >= 3  # in turns, not one after the other


def test_what_is_closed_is_closed_whatever_happens(fakes, monkeypatch):
    closed = []

    def enter(net, names, **options):
        return [Entrant("refmnas", "1", "", lambda x: x, lambda x: x, lambda: closed.append(net))]

    monkeypatch.setattr(entrants, "enter", enter)
    monkeypatch.setattr(turns.clocks, "cell", fails)
    with pytest.raises(TypeError):
        turns.measured(asked("a", "b"), peers=[], threads=1, seconds=0.1)
    assert closed == ["a", "b"]


def test_no_network_is_no_record():
    assert turns.measured([], peers=[], threads=1, seconds=0.1) == ({}, False)


@C
def test_real_plans_give_the_logits_of_the_reference():
    networks = [{"model": "mnasnet-small", "source": s, "size": 33, "width": 0.5} for s in ("timm", "tf")]
    records, _ = turns.measured(networks, peers=[], threads=1, seconds=0.2)
    for record in records.values():
        (ours,) = record["competitors"]
        assert ours["error"] <= contest.WRONG
        assert ours["median_ms"] > 0
        assert record["memory"]["arena"] > 0
