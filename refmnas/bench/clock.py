"""Competitors in alternating blocks, until the ratio of their medians is known or the time is up.

A block is a pause, two runs that are not recorded, and some that are: in the pause the
threads of the one before stop spinning, and the two runs bring caches and clock back.
One block of each competitor is a round; each round begins with another one, and every
second one goes the other way, so that no competitor always follows the same.

Within a round the machine is much the same for all, so ratios are taken per round and
their median is reported, with the interval of `order.interval`.  A cell is narrow where
that interval is within 1 % of the median either way, noisy where some competitor's median
exceeds its minimum by more than 15 %; a noisy one is measured again, and kept, marked,
where it never becomes quiet.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter, sleep

from . import order

NOISY = 1.15  # median over minimum
NARROW = 0.01  # half an interval over its median


@dataclass(frozen=True)
class Clock:
    """What tells the time, and what waits."""

    now: Callable[[], float] = perf_counter
    sleep: Callable[[float], None] = sleep


@dataclass(frozen=True)
class Rules:
    """How a cell is measured."""

    seconds: float = 20.0  # of one measurement
    pause_s: float = 0.03
    unrecorded: int = 2
    block_s: float = 0.08  # of recorded runs, about
    runs_least: int = 3
    runs_most: int = 10
    rounds_least: int = 20  # before an interval is trusted
    again: int = 5  # times, where it was noisy


@dataclass
class Cell:
    """The recorded times of one cell: {competitor: [seconds of the runs of each block]}."""

    blocks: dict[str, list[list[float]]]
    attempts: int = 1
    is_interrupted: bool = False
    seconds: float = 0.0

    @property
    def rounds(self):
        return min((len(b) for b in self.blocks.values()), default=0)

    def runs(self, name):
        """Every recorded run of a competitor."""
        return [t for block in self.blocks[name] for t in block]

    def noise(self):
        """The largest ratio of a competitor's median to its minimum; 1 where nothing was recorded."""
        return max((order.median(r) / min(r) for name in self.blocks if (r := self.runs(name))), default=1.0)

    @property
    def is_noisy(self):
        return self.noise() > NOISY

    def medians(self, name):
        """The median of each block."""
        return [order.median(block) for block in self.blocks[name]]

    def ratios(self, name, base):
        """How many times as long `base` took as `name`, round by round."""
        return [b / a for a, b in zip(self.medians(name), self.medians(base), strict=False)]

    def fastest(self, names):
        """The one of `names` with the least median; None where none was recorded."""
        known = [name for name in names if self.blocks.get(name)]
        return min(known, key=lambda name: order.median(self.runs(name)), default=None)


def cell(runs, rules=None, clock=None, *, first=None, tell=lambda text: None):
    """A Cell of {competitor: a function that runs it once}; measured again while it is noisy.

    `first` is the competitor whose ratio to the fastest other must become narrow (the
    first of them).  A KeyboardInterrupt ends it: what whole rounds there are is returned.
    """
    rules, clock, best = rules or Rules(), clock or Clock(), None
    for attempt in range(1, rules.again + 2):
        one = _measured(runs, rules, clock, first or next(iter(runs)), lambda text, n=attempt: tell(f"try {n}, {text}"))
        if best is None or (not one.is_interrupted and one.noise() < best.noise()):
            best = one
        best.attempts = attempt
        if one.is_interrupted:
            best.is_interrupted = True
            break
        if not one.is_noisy:
            break
    return best


def _measured(runs, rules, clock, first, tell):
    """One measurement."""
    names, begin = list(runs), clock.now()
    one = Cell({name: [] for name in names})
    counts: dict[str, int] = {}
    try:
        while True:
            blocks = {name: _block(runs[name], name, counts, rules, clock) for name in turn(names, one.rounds)}
            for name, block in blocks.items():
                one.blocks[name].append(block)
            one.seconds = clock.now() - begin
            tell(f"round {one.rounds}")
            if one.seconds >= rules.seconds or (one.rounds >= rules.rounds_least and is_narrow(one, first)):
                return one
    except KeyboardInterrupt:
        one.is_interrupted, one.seconds = True, clock.now() - begin
        return one


def turn(names, number):
    """The order of a round: begun one further each time, every second one backwards.

    >>> [turn("abc", k) for k in range(3)]
    [['a', 'b', 'c'], ['a', 'c', 'b'], ['c', 'a', 'b']]
    """
    at = number % len(names) if names else 0
    order = [*names[at:], *names[:at]]
    return order[::-1] if number % 2 else order


def _block(run, name, counts, rules, clock):
    """The recorded times of one block."""
    clock.sleep(rules.pause_s)
    for _ in range(rules.unrecorded):
        spent = _timed(run, clock)
    if name not in counts:
        wanted = math.ceil(rules.block_s / spent)
        counts[name] = min(max(wanted, rules.runs_least), rules.runs_most)
    return [_timed(run, clock) for _ in range(counts[name])]


def _timed(run, clock):
    begin = clock.now()
    run()
    return max(clock.now() - begin, 1e-9)  # a clock may not have moved


def is_narrow(one, first):
    """Whether the interval of the ratio of the fastest other to `first` (alone: of its own median) is narrow."""
    other = one.fastest(name for name in one.blocks if name != first)
    values = one.ratios(first, other) if other else one.medians(first)
    found = order.interval(values)
    return found is not None and found[1] - found[0] <= 2 * NARROW * order.median(values)


# -- pairs of small functions: benchmarks/depthwise.py -------------------------------------


def seconds_per_call(function, calls, now=perf_counter):
    """Of `calls` calls in a row."""
    begin = now()
    for _ in range(calls):
        function()
    return (now() - begin) / calls


def alternate(functions, *, pairs, span_s, now=perf_counter):
    """Seconds of each function, `pairs` times in turn, each time for at least `span_s`: a list of tuples.

    As in a block, two calls before each span are not recorded: they fetch what the other displaced.
    """
    calls = []
    for f in functions:
        once = min(seconds_per_call(f, 3, now), seconds_per_call(f, 3, now))
        calls.append(max(1, math.ceil(span_s / once)))

    def span(f, n):
        for _ in range(Rules.unrecorded):
            f()
        return seconds_per_call(f, n, now)

    return [tuple(map(span, functions, calls)) for _ in range(pairs)]
