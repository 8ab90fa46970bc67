"""Every step of our plan: its time, what bounds it, and ONNX Runtime's own profile of the same nodes."""

from __future__ import annotations

import numpy as np

from .. import peers
from ..engine import compile
from ..errors import RefmnasError
from ..models import fold
from . import ceilings, contest, entrants, machine, roofline

RUNS = 60


def profile(net, *, batch=1, threads=1, peer="ort", runs=RUNS):
    """The record; its errors stand first, as in any other bench."""
    x = entrants.images(net, batch)
    want = entrants.reference(net, x)
    plan = compile(net, batch=batch, threads=threads)
    rates = ceilings.measured()
    where = roofline.level(plan.memory.weights, machine.caches())
    plan.profile(x, 5)
    seconds = plan.profile(x, runs)
    rates.raise_to(ceilings.peak())
    theirs = _theirs(peer, net, x, want, batch, threads, runs)
    rows = [_row(step, s, rates, where, threads, theirs["us"]) for step, s in zip(plan.steps, seconds, strict=True)]
    return {
        "batch": batch,
        "threads": threads,
        "error": contest.error(plan(x), want),
        "ceilings": rates.record(),
        "weights_in": where,
        "peer": {key: value for key, value in theirs.items() if key != "us"},
        "steps": rows,
        "total": _total(rows),
    }


def _theirs(name, net, x, want, batch, threads, runs):
    """The peer's profile by node, in us; empty, with the reason, where there is none."""
    try:
        with peers.build(name, net, batch=batch, threads=threads) as peer:
            found = {"name": name, "version": peer.version, "error": contest.error(peer.run(x), want)}
            return found | {"us": peer.profile(x, runs)}
    except RefmnasError as error:
        return {"name": name, "absent": str(error), "us": {}}


def _row(step, seconds, rates, where, threads, theirs):
    """One step; microseconds of a run."""
    work = roofline.Work(step.flops, step.bytes)
    bound, by = roofline.bound_s(work, rates.peak, rates.bytes.get(where), threads)
    known = [theirs[name] for name in step.names if name in theirs]
    return {
        "kind": step.kind,
        "names": list(step.names),
        "shape": list(step.shape),
        "flops": step.flops,
        "bytes": step.bytes,
        "us": 1e6 * float(seconds),
        "bound_us": 1e6 * bound,
        "bound_by": by,
        "share": float(bound / seconds) if seconds > 0 else None,
        "peer_us": float(np.sum(known)) if known else None,
    }


def _total(rows):
    """The sums."""
    known = [row["peer_us"] for row in rows if row["peer_us"] is not None]
    return {
        "us": sum(row["us"] for row in rows),
        "bound_us": sum(row["bound_us"] for row in rows),
        "peer_us": sum(known) if known else None,
        "flops": sum(row["flops"] for row in rows),
    }


def work(net, batch=1):
    """The Work of a whole network."""
    return roofline.of(fold.nodes(net), batch)
