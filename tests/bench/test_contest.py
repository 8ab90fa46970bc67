"""A cell: wrong outputs are marked and not ranked, noisy and partial cells rank nobody, the criterion is said."""

import numpy as np
import pytest

from refmnas.bench import contest
from refmnas.bench.clock import Rules
from refmnas.bench.entrants import Absent, Entrant

WANT = np.array([[4.0, -2.0, 1.0]])
X = np.zeros((1, 3), np.float32)
FEW = Rules(seconds=1e9, rounds_least=6)


def entrant(name, time, seconds, output=WANT):
    run = time.runs(**{name.replace("-", "_"): seconds})[name.replace("-", "_")]

    def runs(prepared):
        run()
        return output

    return Entrant(name, "1.0", f"a fake {name}", lambda x: x, runs)


def held(time, *found, rules=FEW):
    return contest.cell(list(found), X, WANT, threads=1, rules=rules, clock=time.clock)


def rows(record):
    return {row["name"]: row for row in record["competitors"]}


def test_the_fastest_that_is_right_stands_first(time):
    record = held(time, entrant("refmnas", time, 0.010), entrant("ort", time, 0.012), entrant("ncnn", time, 0.020))
    assert {name: row["rank"] for name, row in rows(record).items()} == {"refmnas": 1, "ort": 2, "ncnn": 3}
    assert record["best_peer"] == "ort"
    ours = rows(record)["refmnas"]
    assert ours["ratio"] == pytest.approx(1.2)
    assert ours["ratio_interval"] == pytest.approx([1.2, 1.2])
    assert ours["median_ms"] == pytest.approx(10.0)
    assert rows(record)["ort"]["ratio"] == pytest.approx(1.0)


def test_a_wrong_output_is_marked_and_not_ranked_however_fast(time):
    wrong = entrant("openvino", time, 0.001, WANT + 4 * 2e-4)
    record = held(time, entrant("refmnas", time, 0.010), wrong, entrant("ort", time, 0.012))
    row = rows(record)["openvino"]
    assert row["is_wrong"]
    assert row["error"] == pytest.approx(2e-4)
    assert "rank" not in row
    assert "ratio" not in row
    assert record["best_peer"] == "ort"
    assert any("openvino is wrong" in text for text in contest.warnings(record))


@pytest.mark.parametrize("output", [np.full_like(WANT, np.nan), WANT[:, :2], WANT * np.inf])
def test_no_numbers_or_another_shape_is_wrong(time, output):
    row = rows(held(time, entrant("refmnas", time, 0.01), entrant("ort", time, 0.02, output)))["ort"]
    assert row["is_wrong"]
    assert row["error"] is None


def test_an_error_is_relative_to_the_largest_logit():
    assert contest.error(WANT + 0.004, WANT) == pytest.approx(1e-3)
    assert contest.error(WANT.astype(np.float32), WANT) == 0


def test_a_competitor_that_fails_is_named_and_the_others_go_on(time):
    def fails(prepared):
        raise RuntimeError("no kernel for this")

    broken = Entrant("ncnn", "1.0", "fake", lambda x: x, fails)
    record = held(time, entrant("refmnas", time, 0.01), broken, Absent("torch-jit", "torch is not installed"))
    assert rows(record)["ncnn"]["absent"] == "fails: no kernel for this"
    assert rows(record)["torch-jit"] == {"name": "torch-jit", "absent": "torch is not installed"}
    assert rows(record)["refmnas"]["rank"] == 1
    assert record["best_peer"] is None
    assert record["criterion"] is None


def test_a_noisy_cell_ranks_nobody(time):
    record = held(time, entrant("refmnas", time, 0.01), entrant("ort", time, lambda n: 0.01 + 0.01 * (n % 3 > 0)))
    assert record["is_noisy"]
    assert record["attempts"] == 6
    assert not any("rank" in row for row in record["competitors"])
    assert any(text.startswith("noisy") for text in contest.warnings(record))


def test_an_interrupted_cell_is_partial_and_ranks_nobody(time):
    def cut(number):
        if number == 13:  # one run is for the output
            raise KeyboardInterrupt
        return 0.02

    record = held(time, entrant("refmnas", time, 0.01), entrant("ort", time, cut))
    assert record["is_partial"]
    assert record["rounds"] >= 1
    assert not any("rank" in row for row in record["competitors"])


def test_the_criterion_is_three_times_the_less_exact_peers_error():
    met = contest.criterion({"refmnas": 3e-6, "ort": 1e-6, "openvino": 2e-7})
    assert met == {"ours": 3e-6, "limit": pytest.approx(4e-6), "is_met": True}
    assert not contest.criterion({"refmnas": 5e-6, "ort": 1e-6})["is_met"]
    assert contest.criterion({"refmnas": 5e-6, "ort": 0.2}) is None


def test_shares_are_of_the_bound_of_all_threads(time):
    record = held(time, entrant("refmnas", time, 0.010))
    record["threads"] = 2
    contest.judged(record, 1_000_000_000, 100e9)
    assert record["bound_ms"] == pytest.approx(5.0)
    assert rows(record)["refmnas"]["share"] == pytest.approx(0.5)


def test_other_loads_and_throttled_clocks_are_said(time):
    record = held(time, entrant("refmnas", time, lambda n: 0.010 + 0.0012 * (n % 2)))
    text = "; ".join(contest.warnings(record, others=0.7, peaks=[90e9, 100e9], best=100e9))
    assert "other processes used 0.7 cores" in text
    assert "90 GFLOP/s here, 100 at best" in text
    assert "refmnas varies by" in text
    assert contest.warnings(held(time, entrant("refmnas", time, 0.01)), others=0.0, peaks=[99e9], best=100e9) == []
