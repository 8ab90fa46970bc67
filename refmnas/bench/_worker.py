"""The process of one network and thread count: a job in, JSON lines out.

    python -m refmnas.bench._worker '{"kind": "cells", "model": "mnasnet-b1", ...}'

Standard output carries one JSON value a line, {"event": ...}; what a runtime prints goes
to standard error.  SIGINT ends the cell that is being measured, and the process after it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback

from ..errors import RefmnasError


def main(argv):
    """Do the job of argv[1]."""
    out = _own_output()

    def emit(event, **content):
        print(json.dumps({"event": event, **content}, allow_nan=False), file=out, flush=True)

    _interrupt_once()
    try:
        job = json.loads(argv[1])
        {"cells": _cells, "turns": _turns, "layers": _layers, "ops": _ops}[job["kind"]](job, emit)
    except KeyboardInterrupt:
        emit("interrupted")
    except RefmnasError as error:
        emit("refused", message=" ".join(str(error).split()))
    except Exception as error:  # a fault of ours or of a runtime: it ends this job, not the bench
        emit("refused", message=f"{type(error).__name__}: {' '.join(str(error).split())} ({_where(error)})")
    return 0


def _where(error):
    """The innermost line of Python that an exception came from."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{os.path.basename(last.filename)}:{last.lineno}"


def _own_output():
    """Standard output as it was; from now on descriptor 1 is standard error, for libraries that print."""
    kept = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(kept, "w", encoding="utf-8")


def _interrupt_once():
    """A terminal sends SIGINT to all of its processes, and so does our parent: the second one must not cut off the answer."""
    seen = []

    def handle(number, frame):
        if not seen:
            seen.append(number)
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, handle)


def _network(job):
    from . import entrants

    return entrants.network(job["model"], source=job["source"], size=job["size"], width=job.get("width"))


def _cells(job, emit):
    """Every batch of one network."""
    from . import ceilings, entrants, layers

    net = _network(job)
    rates = ceilings.measured()
    emit("ceilings", **rates.record())
    for batch in job["batches"]:
        emit("tell", text="building")
        found = entrants.enter(net, job["peers"], batch=batch, threads=job["threads"])
        try:
            record = _cell(net, found, batch, job, rates, emit)
        finally:
            for e in found:
                getattr(e, "close", lambda: None)()
        work = layers.work(net, batch)
        record |= {"flops": work.flops // batch, "bytes": work.bytes}
        emit("cell", record=_named(net, job) | record)
        if record["is_partial"]:
            return


def _cell(net, found, batch, job, rates, emit):
    """One cell, judged by the peak of its minute."""
    from . import ceilings, clock, contest, entrants, layers, machine

    emit("tell", text="the reference in float64")
    x = entrants.images(net, batch)
    want = entrants.reference(net, x)
    lanes = ceilings.widest()
    before, watch = ceilings.peak(lanes), machine.Watch()
    rules = clock.Rules(seconds=job["seconds"])
    record = contest.cell(found, x, want, threads=job["threads"], rules=rules, tell=lambda text: emit("tell", text=text))
    others, after = watch.others(), ceilings.peak(lanes)
    peaks = [p.peak for p in (before, after) if p.peak]
    rates.raise_to(before).raise_to(after)
    contest.judged(record, layers.work(net).flops, max(peaks, default=None))
    record |= {"peak_gflops": max(peaks) / 1e9 if peaks else None, "others": others}
    record["warnings"] = contest.warnings(record, others=others, peaks=peaks, best=rates.peak)
    return record


def _named(net, job):
    return {"network": net.spec.name, "dialect": net.dialect.source, "width": net.spec.width, "size": net.size}


def _turns(job, emit):
    """Every network of a job, all of them measured together."""
    from . import ceilings, turns

    emit("ceilings", **ceilings.measured().record())
    records, is_interrupted = turns.measured(
        job["networks"],
        peers=job["peers"],
        threads=job["threads"],
        seconds=job["seconds"],
        tell=lambda text: emit("tell", text=text),
        refuse=lambda number, why: emit("refused", number=number, message=why),
    )
    for number, record in records.items():
        emit("network", number=number, record=record)
    if is_interrupted:
        emit("interrupted")


def _layers(job, emit):
    from . import layers

    net = _network(job)
    for batch in job["batches"]:
        emit("tell", text="profiling")
        emit("layers", record=_named(net, job) | layers.profile(net, batch=batch, threads=job["threads"]))


def _ops(job, emit):
    from . import ops

    for record in ops.compared(job["ops"], job["count"]):
        emit("op", record=record)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
