"""A plan's memory: steps to the right, addresses downwards, one rectangle per buffer for as long as it lives."""

from __future__ import annotations

from . import svg

WIDTH, LEFT, TOP = 1180, 66, 24
HUES = (212, 168, 30, 280, 340, 96)


def picture(record):
    """The arena of a plan's record (`refmnas.engine.describe`); the threads' scratch beneath it."""
    steps, buffers, memory = record["steps"], record["buffers"], record["memory"]
    tall = 330
    total = memory["arena"] + memory["scratch"]
    column = (WIDTH - LEFT - 12) / len(steps)

    def y(at):
        return TOP + tall * at / total

    marks = _frame(steps, column, y, total, tall)
    for number, b in enumerate(buffers):
        marks += _buffer(b, number, column, y, len(steps))
    begin = memory["arena"]
    wide = column * len(steps)
    tip = f"scratch of {record['threads']} thread{'s' * (record['threads'] > 1)}: {size(memory['scratch'])}"
    marks.append(svg.rect(LEFT, y(begin), wide, y(total) - y(begin), style=_colour(None), tip=tip))
    if y(total) - y(begin) > 14:
        marks.append(svg.text(LEFT + 8, (y(begin) + y(total)) / 2 + 4, tip))
    return svg.drawing(WIDTH, TOP + tall + 66, marks, title=f"memory of {record['network']}")


def _frame(steps, column, y, total, tall):
    """Addresses at the left, the steps' kinds beneath."""
    marks = []
    for tick in svg.ticks(total / 1024, 6):
        marks.append(svg.line(LEFT - 4, y(tick * 1024), LEFT + column * len(steps), y(tick * 1024), "grid"))
        marks.append(svg.text(LEFT - 8, y(tick * 1024) + 4, f"{tick:g} K", "soft r"))
    for k, step in enumerate(steps):
        x, below = LEFT + column * (k + 0.5) + 4, TOP + tall + 10
        turned = f'transform="rotate(-90 {x:.1f} {below})"'
        marks.append(f'<text x="{x:.1f}" y="{below}" class="soft r" {turned}>{step["kind"]}</text>')
    marks.append(svg.text(LEFT, TOP - 8, f"bytes beyond weights, input and output: {size(total)}", "soft"))
    return marks


def _buffer(b, number, column, y, count):
    last = min(b["last"], count - 1)
    x, wide = LEFT + column * b["first"], column * (last - b["first"] + 1)
    tall = y(b["at"] + b["bytes"]) - y(b["at"])
    tip = f"{b['name']}: {size(b['bytes'])} at {b['at']}, steps {b['first']} to {last}"
    return [svg.rect(x + 0.5, y(b["at"]), wide - 1, max(tall, 1.5), tip=tip, style=_colour(number))]


def _colour(number):
    """A hue, translucent, so that it reads on light and dark paper alike."""
    if number is None:
        return "fill:hsl(220 10% 55% / .35);stroke:hsl(220 10% 55%);stroke-width:.8"
    hue = HUES[number % len(HUES)]
    return f"fill:hsl({hue} 60% 55% / .45);stroke:hsl({hue} 60% 45%);stroke-width:.8"


def size(count):
    """Bytes as a person reads them.

    >>> size(519936), size(15553024), size(12)
    ('507.8 KiB', '14.83 MiB', '12 bytes')
    """
    if count >= 1 << 20:
        return f"{count / (1 << 20):.2f} MiB"
    return f"{count / 1024:.1f} KiB" if count >= 1024 else f"{count} bytes"
