"""Accuracy against latency, and the networks that no other one beats in both."""

from __future__ import annotations

import math
from itertools import pairwise

from . import svg

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 900, 480, 56, 110, 38, 46
LETTER, LINE, AIR = 6.4, 14, 4  # pixels: a label's letter and line, about; between a label and an upright line
STEPS = ((1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8))  # round numbers of a scale, and more of them where few lie on it


def front(points):
    """The numbers of the points (latency, accuracy) that none beats: none is as fast and as right, and better in one.

    >>> front([(1.0, 60.0), (2.0, 70.0), (3.0, 65.0), (4.0, 75.0)])
    [0, 1, 3]
    """
    return [k for k, (t, a) in enumerate(points) if not any(u <= t and b >= a and (u, b) != (t, a) for u, b in points)]


def picture(points, *, title, unit="top-1, per cent"):
    """Points {label, ms, accuracy, tip}: time to the right on a logarithmic scale, accuracy upwards; a stair on the front.

    Filled: on the front.  Labels stand where they cover neither a point nor another label, if there is such a place.
    """
    best = front([(p["ms"], p["accuracy"]) for p in points])
    x_range, y_range = _times([p["ms"] for p in points]), _levels([p["accuracy"] for p in points])

    def at(ms, accuracy):
        share = (accuracy - y_range[0]) / (y_range[1] - y_range[0])
        return svg.log_place(ms, *x_range, LEFT, WIDTH - RIGHT), HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)

    places = [at(p["ms"], p["accuracy"]) for p in points]
    stair = _stair([places[k] for k in best])
    marks = [*_axes(at, x_range, y_range, unit), *(svg.line(*ends, "slope") for ends in stair)]
    for k, (p, (x, y)) in enumerate(zip(points, places, strict=True)):
        marks.append(svg.circle(x, y, 5, "ours" if k in best else "hollow", tip=p["tip"]))
    return svg.drawing(WIDTH, HEIGHT, marks + _labels([p["label"] for p in points], places, stair), title=title)


def _times(values):
    """Powers of two around the values with some air, or halves of them where they are near one another."""
    low, high = min(values) / 1.15, max(values) * 1.15
    return 2.0 ** (math.floor(2 * math.log2(low)) / 2), 2.0 ** (math.ceil(2 * math.log2(high)) / 2)


def _levels(values):
    """Whole numbers around the values, some air above and below."""
    air = max(0.5, 0.08 * (max(values) - min(values)))
    return max(0, math.floor(min(values) - air)), min(100, math.ceil(max(values) + air))


def _axes(at, x_range, y_range, unit):
    marks = []
    for ms in _round(*x_range):
        x = at(ms, y_range[0])[0]
        marks += [svg.line(x, TOP, x, HEIGHT - BOTTOM, "grid"), svg.text(x, HEIGHT - BOTTOM + 17, f"{ms:g}", "soft m")]
    step = next(s for s in (1, 2, 5, 10, 20) if (y_range[1] - y_range[0]) / s <= 8)
    for level in range(-(-y_range[0] // step) * step, y_range[1] + 1, step):
        y = at(x_range[0], level)[1]
        marks += [svg.line(LEFT, y, WIDTH - RIGHT, y, "grid"), svg.text(LEFT - 8, y + 4, level, "soft r")]
    marks.append(svg.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "ms per image (logarithmic)", "soft m"))
    return [*marks, svg.text(8, TOP - 20, unit, "soft")]


def _round(low, high):
    """Round numbers within a range, at least four where STEPS has them.

    >>> _round(2, 30)
    [2.0, 5.0, 10.0, 20.0]
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in STEPS:
        found = [s * 10.0**k for k in powers for s in steps if low * 0.999 <= s * 10.0**k <= high * 1.001]
        if len(found) >= 4:
            break
    return found


def _stair(places):
    """(x1, y1, x2, y2) of the lines from point to point of the front: right at the accuracy reached, then up."""
    ordered = sorted(places)
    found = []
    for (x1, y1), (x2, y2) in pairwise(ordered):
        found += [(x1, y1, x2, y1), (x2, y1, x2, y2)]
    return found


def _labels(labels, places, stair):
    """Each label beside its point: where it covers the least of points, labels and the stair, within the frame."""
    points = [(x - 6, y - 6, x + 6, y + 6) for x, y in places]
    lines = [(x1 - AIR, min(y1, y2) - 1, x2 + AIR, max(y1, y2) + 1) for x1, y1, x2, y2 in stair]
    taken, marks = points, []
    for label, (x, y) in sorted(zip(labels, places, strict=True), key=lambda one: one[1]):
        options = [_box(x, y, LETTER * len(label), dx, dy) for dx, dy in _AROUND]
        box, (at_x, at_y, kind) = min(options, key=lambda one: _cost(one[0], taken, lines))
        taken.append(box)
        marks.append(svg.text(at_x, at_y, label, f"halo {kind}".strip()))
    return marks


def _cost(box, taken, lines):
    return not _within(box), sum(_covers(box, b) for b in taken), sum(_covers(box, b) for b in lines)


# Right, left, the corners, above, below: (-1, 0, 1) of each axis.
_AROUND = ((1, 0), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1), (0, -1), (0, 1))


def _box(x, y, wide, dx, dy):
    """(left, top, right, bottom) of a label on one side of its point, and where its text begins, and how."""
    middle, base = y + dy * (10 if dx else 15), {1: "", -1: "r", 0: "m"}[dx]
    at = x + 9 * dx
    left = {1: at, -1: at - wide, 0: at - wide / 2}[dx]
    return (left, middle - LINE / 2, left + wide, middle + LINE / 2), (at, middle + 4, base)


def _covers(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _within(box):
    return box[0] >= LEFT and box[2] <= WIDTH and box[1] >= 0 and box[3] <= HEIGHT - BOTTOM
