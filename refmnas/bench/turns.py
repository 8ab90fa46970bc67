"""Several networks against one another: every plan, and its peers, are competitors of one clock.

They take turns as the competitors of a cell do, so whatever the machine does besides in
the course of the minute falls on all of them alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import RefmnasError
from . import clock as clocks
from . import contest, entrants, order
from .entrants import Entrant


@dataclass
class Seat:
    """One network's competitors, its image, and what each of them gave for it."""

    number: int
    found: list  # of Entrant and Absent
    prepared: dict[str, Any]
    errors: dict[str, float]
    broken: dict[str, str]


def measured(networks, *, peers, threads, seconds, tell: Callable = lambda text: None, refuse: Callable = lambda *a: None):
    """(records by number, whether it was interrupted) of networks {"model", "source", "size", "width"}.

    seconds   of all of them together, each competitor's part the same number of turns
    refuse    is told (number, why) of a network that the engine, or its table, does not give

    A record: memory (of our plan) and competitors, rows as of `contest`, each with is_noisy.
    """
    seats = []
    for number, asked in enumerate(networks):
        tell(f"{asked['model']}, building")
        try:
            seats.append(_seated(number, asked, peers, threads))
        except RefmnasError as error:
            refuse(number, " ".join(str(error).split()))
    runs = {(s.number, e.name): _run(s, e) for s in seats for e in s.found if e.name in s.errors}
    # Rounds until the time is up: an interval of two networks' ratio says nothing of the others.
    rules = clocks.Rules(seconds=seconds, rounds_least=1 << 30, again=0)
    try:
        times = clocks.cell(runs, rules, tell=tell) if runs else clocks.Cell({})
        return {s.number: _record(s, times) for s in seats}, times.is_interrupted
    finally:
        for s in seats:
            for e in s.found:
                getattr(e, "close", lambda: None)()


def _seated(number, asked, peers, threads):
    net = entrants.network(asked["model"], source=asked["source"], size=asked["size"], width=asked["width"])
    found = entrants.enter(net, peers, batch=1, threads=threads)
    x = entrants.images(net, 1)
    present = [e for e in found if isinstance(e, Entrant)]
    prepared = {e.name: e.prepare(x) for e in present}
    return Seat(number, found, prepared, *contest.outputs(present, prepared, entrants.reference(net, x)))


def _run(seat, e):
    return lambda: e.run(seat.prepared[e.name])


def _record(seat, times):
    rows = []
    for e in seat.found:
        key = (seat.number, e.name)
        mine = clocks.Cell({e.name: times.blocks[key]} if key in times.blocks else {e.name: []})
        row = contest.row(e, seat.errors, seat.broken, mine, 1)
        runs = mine.runs(e.name)
        rows.append(row | {"is_noisy": bool(runs) and order.median(runs) / min(runs) > clocks.NOISY})
    return {"memory": getattr(seat.found[0], "memory", None), "competitors": rows}
