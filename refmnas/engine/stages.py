"""Stages: steps that threads do side by side, because none reads or overwrites what another one writes.

Threads meet between stages alone (csrc/plan.c), so a network of cells, whose branches are
many small steps, meets once for a row of them.  With one thread every step is a stage.

    stage of a step = 1 + the last stage of a step that it must come after

A step comes after another where the other wrote what it reads or writes, or read what it
writes.  Within a stage all buffers live at once: memory.place puts none over another.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from . import steps

WRITTEN = ("y", "planes")  # fields of a record that name what a step writes, whatever its kind
WRITERS_OF_V = (steps.BAND, steps.SLAB, steps.GROUPS)
UNEVEN = 0.02  # of a step's units that one thread may have beyond its share, where the step is split


def ordered(given, threads, place):
    """(steps stage by stage, their records with `meets` and `owner`; the stages as ranges of their numbers).

    given    Steps in an order in which they may run one by one
    place    a buffer's name -> the name of the whole that it lies in, its own where it is no part
    """
    if threads == 1:
        given = [_marked(step, True, -1) for step in given]
        return given, [range(k, k + 1) for k in range(len(given))]
    found: dict[int, list] = defaultdict(list)
    for step, number in zip(given, _numbers(given, place), strict=True):
        found[number].append(step)
    result, stages = [], []
    for number in sorted(found):
        inside = found[number]
        stages.append(range(len(result), len(result) + len(inside)))
        owners = _owners(inside, threads)
        result += [_marked(step, k == 0, owner) for k, (step, owner) in enumerate(zip(inside, owners, strict=True))]
    return result, stages


def _marked(step, meets, owner):
    return replace(step, record=step.record | {"meets": int(meets), "owner": owner})


def _numbers(given, place):
    """The stage of every step."""
    wrote: dict[str, dict] = defaultdict(dict)  # the whole -> {a part's name: the last stage that wrote it}
    read: dict[str, dict] = defaultdict(dict)
    numbers = []
    for step in given:
        reads, writes = touched(step)
        number = 0
        for name in reads | writes:
            number = max(number, _last(wrote, name, place) + 1)
        for name in writes:
            number = max(number, _last(read, name, place) + 1)
        for table, names in ((read, reads), (wrote, writes)):
            for name in names:
                lasts = table[place(name)]
                lasts[name] = max(lasts.get(name, -1), number)
        numbers.append(number)
    return numbers


def _last(table, name, place):
    """The last stage in a table that touched `name` or what lies over it: a whole lies over its parts."""
    whole = place(name)
    return max((last for other, last in table[whole].items() if whole in (name, other) or other == name), default=-1)


def touched(step):
    """(names of the buffers that a step reads, of those that it writes)."""
    writes = {step.buffers[field] for field in WRITTEN if field in step.buffers}
    if step.kind in WRITERS_OF_V:
        writes |= {step.buffers[field] for field in ("v", "sums") if field in step.buffers}
    elif step.kind == steps.SCALE:
        writes.add(step.buffers["v"])
    reads = {name for field, name in step.buffers.items() if field not in WRITTEN}
    is_filler = step.kind in WRITERS_OF_V
    return reads - ({step.buffers.get("v"), step.buffers.get("sums")} if is_filler else set()), writes


def _owners(inside, threads):
    """For every step of a stage the part that does all of it, or -1: all parts.

    Steps whose units do not split evenly, dearest first, each to the part that has least so far, as
    long as that leaves the parts more even than splitting does.
    """
    costs, owners, loads = [_cost(step) for step in inside], [-1] * len(inside), np.zeros(threads)
    splits = [cost * _longest_share(step.record["units"], threads) for cost, step in zip(costs, inside, strict=True)]
    whole = [k for k in range(len(inside)) if splits[k] > costs[k] / threads * (1 + UNEVEN)]
    for k in sorted(whole, key=lambda k: -costs[k]):
        owners[k] = int(loads.argmin())
        loads[owners[k]] += costs[k]
    return owners if loads.max() < sum(splits[k] for k in whole) else [-1] * len(inside)


def _longest_share(units, threads):
    """The share of a step that one thread has at most."""
    return -(-units // threads) / units


def _cost(step):
    """About how long a step takes, in multiply-adds: a number that is moved is worth some."""
    return step.macs + 8 * int(np.prod(step.shape))


def times(spent, stages):
    """Seconds of every step, from those of every thread in every step (threads, steps).

    >>> times(np.array([[2.0, 1.0, 3.0], [1.0, 0.0, 1.0]]), [range(0, 1), range(1, 3)]).tolist()
    [2.0, 0.8, 3.2]
    """
    found = spent.sum(axis=0)
    for stage in stages:
        own = slice(stage[0], stage[-1] + 1)
        whole = found[own].sum()
        found[own] *= spent[:, own].sum(axis=1).max() / whole if whole > 0 else 0
    return found
