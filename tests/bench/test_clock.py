"""Blocks in turns: pauses, runs that do not count, who follows whom, when it ends, what is measured again."""

from itertools import groupby, pairwise

import pytest

from refmnas.bench import clock as clocks
from refmnas.bench import order
from refmnas.bench.clock import Cell, Rules

FEW = Rules(seconds=1e9, rounds_least=6, runs_least=3, runs_most=3)


def blocks(events):
    """[(pause, name, runs)] in order of time."""
    parts = [(name, len(list(group))) for name, group in groupby(name for name, _ in events)]
    assert [name == "pause" for name, _ in parts] == [k % 2 == 0 for k in range(len(parts))]
    return [(n, name, runs) for (_, n), (name, runs) in zip(parts[::2], parts[1::2], strict=True)]


def test_each_block_follows_a_pause_and_begins_with_runs_that_do_not_count(time):
    one = clocks.cell(time.runs(ours=0.007, ort=0.008), FEW, time.clock)
    assert {event[1] for event in time.events if event[0] == "pause"} == {Rules.pause_s} == {0.03}
    for pauses, name, runs in blocks(time.events):
        assert (pauses, runs) == (1, 2 + 3), name
    assert all(len(block) == 3 for block in one.blocks["ours"])


def test_competitors_take_turns_and_none_always_follows_the_same(time):
    clocks.cell(time.runs(a=0.01, b=0.02, c=0.03), FEW, time.clock)
    names = [name for _, name, _ in blocks(time.events)]
    rounds = ["".join(names[k : k + 3]) for k in range(0, len(names), 3)]
    assert all(sorted(r) == ["a", "b", "c"] for r in rounds)
    assert {r[0] for r in rounds} == {"a", "b", "c"}
    assert len(set(pairwise(names))) >= 6


def test_runs_that_do_not_count_are_not_in_the_result(time):
    def cold(number):
        return 0.5 if number % 5 < 2 else 0.01

    one = clocks.cell(time.runs(ours=cold, ort=0.02), FEW, time.clock)
    assert one.runs("ours") == pytest.approx([0.01] * len(one.runs("ours")))


def test_steady_times_end_after_the_least_rounds(time):
    one = clocks.cell(time.runs(ours=0.010, ort=0.012), Rules(), time.clock)
    assert one.rounds == Rules.rounds_least
    assert not one.is_noisy
    assert one.ratios("ours", "ort") == pytest.approx([1.2] * one.rounds)


def test_wavering_times_go_on_until_the_time_is_up(time):
    def drifting(number):
        return 0.01 * (1 + 0.01 * number)

    one = clocks.cell(time.runs(ours=drifting, ort=0.012), Rules(seconds=30, again=0), time.clock)
    assert one.seconds >= 30
    assert one.rounds > Rules.rounds_least


def test_one_round_is_measured_however_short_the_time(time):
    one = clocks.cell(time.runs(ours=10.0, ort=12.0), Rules(seconds=1), time.clock)
    assert one.rounds == 1
    assert order.interval(one.ratios("ours", "ort")) is None


def test_blocks_last_about_as_long_as_is_asked(time):
    one = clocks.cell(time.runs(fast=0.0001, slow=0.02, slowest=3.0), Rules(seconds=1), time.clock)
    assert {name: len(one.blocks[name][0]) for name in one.blocks} == {"fast": 10, "slow": 4, "slowest": 3}


def test_a_noisy_cell_is_measured_again_until_it_is_quiet(time):
    until = [3 * 6 * 5]  # three tries of six rounds of five runs are disturbed

    def disturbed(number):
        return 0.010 if number >= until[0] or number % 5 == 2 else 0.020

    one = clocks.cell(time.runs(ours=0.01, ort=disturbed), FEW, time.clock)
    assert (one.attempts, one.is_noisy) == (4, False)


def test_a_cell_that_stays_noisy_keeps_its_quietest_try(time):
    def worse(number):
        attempt = number // 30
        return 0.010 if number % 5 == 2 else 0.020 + 0.001 * abs(attempt - 2)

    one = clocks.cell(time.runs(ours=0.01, ort=worse), FEW, time.clock)
    assert one.attempts == 1 + FEW.again == 6
    assert one.is_noisy
    assert one.noise() == pytest.approx(2.0)


@pytest.mark.parametrize("at", [0, 4, 17, 27])
def test_an_interrupt_leaves_whole_rounds(time, at):
    def cut(number):
        if number == at:
            raise KeyboardInterrupt
        return 0.02

    one = clocks.cell(time.runs(ours=0.01, ort=cut), FEW, time.clock)
    assert one.is_interrupted
    assert one.rounds == at // 5
    assert len(one.blocks["ours"]) == len(one.blocks["ort"]) == one.rounds


def test_ratios_are_per_round():
    one = Cell({"ours": [[1.0, 1.0], [2.0, 2.0]], "ort": [[2.0, 2.0], [4.4, 4.4]]})
    assert one.ratios("ours", "ort") == pytest.approx([2.0, 2.2])
    assert one.fastest(["ours", "ort"]) == "ours"
    assert one.fastest([]) is None


def test_pairs_alternate_for_at_least_their_span_after_two_runs_unrecorded(time):
    pairs = clocks.alternate(list(time.runs(a=0.001, b=0.004).values()), pairs=3, span_s=0.004, now=time.now)
    assert [tuple(round(t, 9) for t in pair) for pair in pairs] == [(0.001, 0.004)] * 3
    assert [name for name, _ in time.events[-27:]] == [*"aaaaaa", *"bbb"] * 3
