"""Marks of SVG as text, scales and their ticks."""

from __future__ import annotations

import math
from html import escape


def drawing(width, height, marks, *, title):
    """A picture that shrinks with its page, and never grows beyond its own width."""
    body = "\n".join(marks)
    return (
        f'<svg viewBox="0 0 {_n(width)} {_n(height)}" style="max-width:{_n(width)}px" role="img" '
        f'aria-label="{escape(title)}">\n{body}\n</svg>'
    )


def text(x, y, content, kind=""):
    return f'<text x="{_n(x)}" y="{_n(y)}"{_kind(kind)}>{escape(str(content))}</text>'


def rect(x, y, width, height, kind="", *, tip="", style=""):
    inside = f"<title>{escape(tip)}</title>" if tip else ""
    styled = f' style="{style}"' if style else ""
    size = f'width="{_n(max(width, 0))}" height="{_n(max(height, 0))}"'
    return f'<rect x="{_n(x)}" y="{_n(y)}" {size}{_kind(kind)}{styled}>{inside}</rect>'


def line(x1, y1, x2, y2, kind="axis"):
    return f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"{_kind(kind)}/>'


def circle(x, y, radius, kind="", *, tip="", style=""):
    inside = f"<title>{escape(tip)}</title>" if tip else ""
    styled = f' style="{style}"' if style else ""
    return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}"{_kind(kind)}{styled}>{inside}</circle>'


def _kind(kind):
    return f' class="{kind}"' if kind else ""


def _n(value):
    """A coordinate, short.

    >>> _n(3.0), _n(0.125)
    ('3', '0.12')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".")


def ticks(most, about=5):
    """Round numbers from 0 to `most`, about so many.

    >>> ticks(8.7)
    [0.0, 2.0, 4.0, 6.0, 8.0]
    """
    if not most > 0:
        return [0.0]
    raw = most / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * k for k in (1, 2, 5, 10) if raw <= power * k)
    return [round(k * step, 12) for k in range(int(most / step + 1e-9) + 1)]


def decades(low, high):
    """The powers of two from `low` to `high`, where both are powers of two themselves.

    >>> decades(0.5, 4)
    [0.5, 1.0, 2.0, 4.0]
    """
    first, last = round(math.log2(low)), round(math.log2(high))
    return [2.0**k for k in range(first, last + 1)]


def log_place(value, low, high, begin, end):
    """Where `value` stands on a logarithmic scale from low (at begin) to high (at end)."""
    return begin + (end - begin) * (math.log2(value) - math.log2(low)) / (math.log2(high) - math.log2(low))


def apart(places, gap):
    """The places moved as little as a pass down allows, so that neighbours are `gap` apart; same order as given.

    >>> apart([5.0, 4.0, 30.0], 10.0)
    [14.0, 4.0, 30.0]
    """
    moved, last = list(places), -math.inf
    for k in sorted(range(len(places)), key=lambda k: places[k]):
        last = moved[k] = max(places[k], last + gap)
    return moved
