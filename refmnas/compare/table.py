"""One record of all networks, which the command prints and `refmnas.report.compare` draws.

    kind, schema, date, command, machine     as of `refmnas.bench.run`
    threads, is_partial                      interrupted: what was measured until then
    networks                                 a record each:
        network, dialect, width, size, weights
        multiplier                           the width over that of the network's own table
        parameters, macs                     `refmnas.models.cost`
        memory                               bytes of the plan: weights, arena, scratch; None without a plan
        latency                              ours, ms per image: min_ms, q1_ms, median_ms, q3_ms, is_wrong, is_noisy
        peers                                {name: the same, or {"absent": why}}
        why                                  why there is no latency
        published                            a `refmnas.models.published.Figure`, of another dialect or size where
                                             it says so; None: no figure that was checked
        measured                             {"top1", "top5", "images"} of the folder given
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import kernels
from ..bench import entrants
from ..bench import run as bench
from ..io import classes
from ..models import cost, dialect, published, zoo

KIND, SCHEMA = "refmnas compare", 1
SECONDS, AGAIN = 0.75, 1  # of one measurement, and how often a noisy one is repeated: four seconds a network in all
KEYS = ("min_ms", "q1_ms", "median_ms", "q3_ms", "is_wrong", "error")


@dataclass(frozen=True)
class Entry:
    """A network to compare."""

    model: str
    source: str  # of its dialect
    width: float = 1.0
    weights: str | None = None
    spec: Any = None  # its table with its weights' classes; None: the zoo's or the file's own
    measured: dict | None = None


def compared(entries, *, size=None, threads=1, peers=(), seconds=SECONDS, command="", tell: Callable = lambda *a: None):
    """The record of [Entry], each measured in a process of its own."""
    found: dict[int, dict] = {}
    jobs = [_job(number, e, size, threads, list(peers), seconds) for number, e in enumerate(entries)]
    result = bench.bench(
        jobs if kernels.built() else [],
        command=command,
        tell=lambda job, text: tell(job["number"], text),
        done=lambda job, event: found.setdefault(job["number"], {}).update({event["event"]: event}),
    )
    failed = {job["model"]: job["why"] for job in result["failed"]}
    return {
        "kind": KIND,
        "schema": SCHEMA,
        "date": result["date"],
        "command": result["command"],
        "machine": result["machine"],
        "threads": threads,
        "is_partial": result["is_partial"],
        "networks": [_network(e, size, found.get(number, {}), failed) for number, e in enumerate(entries)],
    }


def _job(number, e, size, threads, peers, seconds):
    return {
        "number": number, "kind": "cells", "model": e.model, "source": e.source, "width": e.width, "size": size,
        "batches": [1], "threads": threads, "peers": peers, "seconds": seconds, "again": AGAIN,
    }  # fmt: skip


def _network(e, size, events, failed):
    """One network's record; `events` are what its process told."""
    spec = e.spec or zoo.find(e.model, e.width)
    record = dialect.of(e.source, spec.name)
    parameters, macs, _ = cost.totals(cost.of(spec, record, size))
    cell = events.get("cell", {}).get("record")
    is_imagenet = spec.head.classes == classes.COUNT
    figure = published.choose(spec.name, e.source, size or spec.size, e.width) if is_imagenet else None
    return {
        "network": spec.name, "dialect": e.source, "width": spec.width, "size": size or spec.size, "weights": e.weights,
        "multiplier": e.width,
        "parameters": parameters, "macs": macs,
        "memory": cell["memory"] if cell else None,
        **_times(cell),
        "why": None if cell else _why(e, events, failed),
        "published": figure._asdict() if figure else None,
        "measured": e.measured,
    }  # fmt: skip


def _times(cell):
    if cell is None:
        return {"latency": None, "peers": {}}
    rows = {row["name"]: _time(row, cell) for row in cell["competitors"]}
    ours = rows.pop(entrants.OURS)
    return {"latency": ours if "median_ms" in ours else None, "peers": rows}


def _time(row, cell):
    if "median_ms" not in row:
        return {"absent": row.get("absent", "not measured: interrupted")}
    return {key: row[key] for key in KEYS} | {"is_noisy": cell["is_noisy"], "version": row["version"]}


def _why(e, events, failed):
    if not kernels.built():
        return f"the engine is C, which is not built ({kernels.why_not()})"
    if "refused" in events:
        return events["refused"]["message"].removeprefix("compile: ")
    return failed.get(e.model, "interrupted")
