"""Bars with their quartiles, and the roofline."""

from __future__ import annotations

import math

from . import svg

WIDTH, LABEL, ROW = 760, 170, 26


def bars(rows, *, unit, title, bound=None, label=LABEL, width=WIDTH):
    """Horizontal bars: rows of {label, value, low, high, kind, note}; low and high may be absent."""
    most = max([row.get("high") or row["value"] for row in rows] + [bound or 0.0]) * 1.02
    end, top = width - 150, 8
    height = top + ROW * len(rows) + 26

    def x(value):
        return label + (end - label) * value / most

    marks = []
    for tick in svg.ticks(most):
        marks.append(svg.line(x(tick), top, x(tick), height - 24, "grid"))
        marks.append(svg.text(x(tick), height - 8, f"{tick:g}", "soft m"))
    marks.append(svg.text(end + 12, height - 8, unit, "soft"))
    for k, row in enumerate(rows):
        marks += _bar(row, x, top + ROW * k, label)
    if bound:
        marks.append(svg.line(x(bound), top - 4, x(bound), height - 24, "bound"))
    return svg.drawing(width, height, marks, title=title)


def _bar(row, x, y, label):
    """One bar, its quartiles as a line with ends, its value and note to the right."""
    middle, low, high = y + ROW / 2, row.get("low"), row.get("high")
    marks = [
        svg.text(label - 8, middle + 4, row["label"], "r"),
        svg.rect(x(0), y + 4, x(row["value"]) - x(0), ROW - 8, row["kind"], tip=row.get("tip", "")),
    ]
    if low is not None and high is not None:
        marks.append(svg.line(x(low), middle, x(high), middle, "range"))
        marks += [svg.line(x(v), middle - 4, x(v), middle + 4, "range") for v in (low, high)]
    marks.append(svg.text(x(high or row["value"]) + 6, middle + 4, f"{row['value']:#.3g} {row.get('note', '')}".strip()))
    return marks


def pairs(rows, *, unit, title, width=WIDTH, label=250, most=None):
    """A row each for (label, {bound, ours, peer}): the bound within our bar, the peer's beneath it."""
    most = (most or max(max(filter(None, (r["ours"], r["peer"], r["bound"]))) for r in rows)) * 1.02
    end, height = width - 110, 8 + 20 * len(rows) + 26

    def x(value):
        return label + (end - label) * value / most

    marks = []
    for tick in svg.ticks(most):
        marks.append(svg.line(x(tick), 8, x(tick), height - 24, "grid"))
        marks.append(svg.text(x(tick), height - 8, f"{tick:g}", "soft m"))
    marks.append(svg.text(end + 12, height - 8, unit, "soft"))
    for k, row in enumerate(rows):
        y = 8 + 20 * k
        marks.append(svg.text(label - 8, y + 13, row["label"], "r"))
        marks.append(svg.rect(x(0), y + 3, x(row["ours"]) - x(0), 8, "ours", tip=row["tip"]))
        if row["peer"]:
            marks.append(svg.rect(x(0), y + 12, x(row["peer"]) - x(0), 5, "peer"))
        marks.append(svg.line(x(row["bound"]), y + 1, x(row["bound"]), y + 13, "bound"))
        longest = max(row["ours"], row["peer"] or 0)
        marks.append(svg.text(x(longest) + 6, y + 13, row["note"], "soft"))
    return svg.drawing(width, height, marks, title=title)


def roofline(points, flops, bandwidths, *, title, width=WIDTH, height=430):
    """Operations per second over operations per byte, both logarithmic.

    points       {label, intensity, gflops, kind, tip}; a label may be empty
    flops        {name of a width: GFLOP/s}
    bandwidths   {level: GB/s}
    """
    peak = max(flops.values())
    xs = [p["intensity"] for p in points] + [peak / b for b in bandwidths.values()] + [1.0]
    ys = [p["gflops"] for p in points] + list(flops.values())
    low_x, high_x = _down(min(xs) / 1.5), _up(max(xs) * 2)
    low_y, high_y = _down(min(ys) / 1.5), _up(peak * 1.1)
    left, right, top, bottom = 52, width - 150, 24, height - 44

    def at(intensity, gflops):
        return (
            svg.log_place(intensity, low_x, high_x, left, right),
            svg.log_place(gflops, low_y, high_y, bottom, top),
        )

    marks = _axes(at, (low_x, high_x), (low_y, high_y), (left, right, top, bottom), height)
    marks += _roofs(at, flops, bandwidths, (low_x, high_x, low_y), right)
    return svg.drawing(width, height, marks + _points(at, points), title=title)


def _down(value):
    return 2.0 ** math.floor(math.log2(value))


def _up(value):
    return 2.0 ** math.ceil(math.log2(value))


def _axes(at, x_range, y_range, box, height):
    left, right, top, bottom = box
    marks = []
    for value in _thinned(svg.decades(*x_range)):
        x = at(value, y_range[0])[0]
        marks += [svg.line(x, top, x, bottom, "grid"), svg.text(x, bottom + 16, f"{value:g}", "soft m")]
    for value in _thinned(svg.decades(*y_range)):
        y = at(x_range[0], value)[1]
        marks += [svg.line(left, y, right, y, "grid"), svg.text(left - 6, y + 4, f"{value:g}", "soft r")]
    marks.append(svg.text((left + right) / 2, height - 8, "floating-point operations per byte", "soft m"))
    marks.append(svg.text(8, top - 10, "GFLOP/s of a core", "soft"))
    return marks


def _thinned(values):
    """At most a dozen."""
    return values[:: -(-len(values) // 12)]


def _roofs(at, flops, bandwidths, limits, right):
    """A horizontal line for each width, a slope for each level of memory."""
    low_x, high_x, low_y = limits
    peak, marks = max(flops.values()), []
    ends = []
    for name, value in flops.items():
        kind = "roof" if value == peak else "slope"
        begin = max(low_x, value / max(bandwidths.values(), default=value / low_x))
        (x1, y), (x2, _) = at(begin, value), at(high_x, value)
        marks.append(svg.line(x1, y, x2, y, kind))
        ends.append((y + 4, f"{name} {value:.3g}"))
    for y, (_, words) in zip(svg.apart([y for y, _ in ends], 14), ends, strict=True):
        marks.append(svg.text(right + 6, y, words, "soft"))
    for k, (name, value) in enumerate(bandwidths.items()):
        low = at(low_x, low_y)[1] - 14 * (len(bandwidths) - 1 - k)
        marks.append(svg.text(right + 6, low, f"{name} {value:.3g} GB/s", "soft"))
        begin = max(low_x, low_y / value)
        (x1, y1), (x2, y2) = at(begin, begin * value), at(peak / value, peak)
        marks.append(svg.line(x1, y1, x2, y2, "slope"))
        angle = math.degrees(math.atan2(y2 - y1, x2 - x1))
        part = 0.04 + 0.1 * k
        x, y = x1 + part * (x2 - x1) - 3, y1 + part * (y2 - y1) - 3
        turned = f'transform="rotate({angle:.1f} {x:.1f} {y:.1f})"'
        marks.append(f'<text x="{x:.1f}" y="{y:.1f}" class="soft" {turned}>{name}</text>')
    return marks


def _points(at, points):
    """The marks, then the labels, moved apart where they would cover one another."""
    places = [at(p["intensity"], p["gflops"]) for p in points]
    marks = [
        svg.circle(x, y, 5 if p["label"] else 4, p["kind"], tip=p["tip"]) for p, (x, y) in zip(points, places, strict=True)
    ]
    named = [(p["label"], x, y) for p, (x, y) in zip(points, places, strict=True) if p["label"]]
    for y, (label, x, _) in zip(svg.apart([y + 4 for _, _, y in named], 13), named, strict=True):
        marks.append(svg.text(x + 9, y, label, "halo"))
    return marks
