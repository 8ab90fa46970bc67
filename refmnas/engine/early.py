"""Weights that are asked for long before they are wanted.

A product over one pixel reads each weight once, faster than memory gives them: the last layer,
squeeze and excitation, a dense layer in the head.  The products before it read theirs slowly,
and ask for a line of the later ones now and then (csrc/engine.h, rm_pw).
"""

from __future__ import annotations

from . import pack, steps

TILE_MACS = 4 * 24 * 8  # multiply-adds for which a tile asks once
LINES = 2  # so many at once: LATER in csrc/tiles.py


def ask(program):
    """Write `later` and `later_size` into the steps' records: which weights each asks for, in floats.

    From the last step to the first, each step serves the nearest one behind it that still lacks some; the one
    that runs first asks for those that are read first.
    """
    lacking = []  # [begin, floats] of those behind, the nearest last
    for step in reversed(program):
        begin = _one_pixel(step)
        if begin is not None:
            lacking.append([begin, step.macs])
            continue
        if not lacking:
            continue
        share = min(lacking[-1][1], step.asking // TILE_MACS * LINES * pack.LINE)
        lacking[-1][1] -= share
        step.record |= {"later": sum(lacking[-1]), "later_size": share}
        if not lacking[-1][1]:
            lacking.pop()


def _one_pixel(step):
    """Where the weights of a step that sees one pixel begin; None for another step."""
    if step.kind == steps.SCALE:
        return step.record["squeeze"]["w"]
    if step.kind == steps.DENSE or (step.kind == steps.POINT and step.record["p"] * step.record["q"] == 1):
        return step.record["project"]["w"]
    return None
