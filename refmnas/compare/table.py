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
SECONDS = 1.5  # of each network, of all its turns together
KEYS = ("min_ms", "q1_ms", "median_ms", "q3_ms", "is_wrong", "error", "is_noisy", "version")


@dataclass(frozen=True)
class Entry:
    """A network to compare."""

    model: str
    source: str  # of its dialect
    width: float = 1.0
    weights: str | None = None
    spec: Any = None  # its table with its weights' classes; None: the zoo's or the file's own
    measured: dict | None = None


def compared(entries, *, size=None, threads=1, peers=(), seconds=SECONDS, command="", tell: Callable = lambda text: None):
    """The record of [Entry]: all of them in one process, where they take turns."""
    told: dict[int, dict] = {}
    networks = [{"model": e.model, "source": e.source, "width": e.width, "size": size} for e in entries]
    total = seconds * len(networks) * (1 + len(peers))
    job = {"kind": "turns", "networks": networks, "threads": threads, "peers": list(peers), "seconds": total}
    result = bench.bench(
        [job | {"model": "the networks"}] if kernels.built() and entries else [],
        command=command,
        tell=lambda job, text: tell(text),
        done=lambda job, event: told.setdefault(event.get("number", -1), {}).update({event["event"]: event}),
    )
    lost = next((job["why"] for job in result["failed"]), "interrupted")  # of the whole process, where it has no word
    return {
        "kind": KIND,
        "schema": SCHEMA,
        "date": result["date"],
        "command": result["command"],
        "machine": result["machine"],
        "threads": threads,
        "is_partial": result["is_partial"],
        "networks": [_network(e, size, told.get(number, {}), lost) for number, e in enumerate(entries)],
    }


def _network(e, size, events, lost):
    """One network's record; `events` are what was told of it, `lost` why nothing was."""
    spec = e.spec or zoo.find(e.model, e.width)
    record = dialect.of(e.source, spec.name)
    parameters, macs, _ = cost.totals(cost.of(spec, record, size))
    told = events.get("network", {}).get("record")
    is_imagenet = spec.head.classes == classes.COUNT
    figure = published.choose(spec.name, e.source, size or spec.size, e.width) if is_imagenet else None
    return {
        "network": spec.name, "dialect": e.source, "width": spec.width, "size": size or spec.size, "weights": e.weights,
        "multiplier": e.width,
        "parameters": parameters, "macs": macs,
        "memory": told["memory"] if told else None,
        **_times(told),
        "why": None if told else _why(events, lost),
        "published": figure._asdict() if figure else None,
        "measured": e.measured,
    }  # fmt: skip


def _times(told):
    if told is None:
        return {"latency": None, "peers": {}}
    rows = {row["name"]: _time(row) for row in told["competitors"]}
    ours = rows.pop(entrants.OURS)
    return {"latency": ours if "median_ms" in ours else None, "peers": rows}


def _time(row):
    if "median_ms" not in row:
        return {"absent": row.get("absent", "not measured: interrupted")}
    return {key: row[key] for key in KEYS}


def _why(events, lost):
    if not kernels.built():
        return f"the engine is C, which is not built ({kernels.why_not()})"
    return events["refused"]["message"].removeprefix("compile: ") if "refused" in events else lost
