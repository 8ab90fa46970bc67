"""A plan as data: its steps, its memory, and where every buffer lies and how long it lives."""

from __future__ import annotations

from .run import compile


def describe(net, *, batch=1, size=None, threads=1):
    """The record of `compile(net, ...)`; sizes and places are in bytes."""
    plan = compile(net, batch=batch, size=size, threads=threads)
    return {
        "network": net.spec.name,
        "dialect": net.dialect.source,
        "size": list(plan.size),
        "batch": plan.batch,
        "threads": plan.threads,
        "isa": plan.isa,
        "block": plan._built.shape.block,
        "memory": plan.memory._asdict(),
        "steps": [row._asdict() for row in plan.steps],
        "buffers": [
            {"name": b.name, "at": 4 * b.at, "bytes": 4 * b.size, "first": b.first, "last": b.last}
            for b in plan._buffers.values()
            if b.name not in plan._built.laid.places  # those lie in others
        ],
    }
