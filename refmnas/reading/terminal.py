"""A Page as text for a terminal: row by row, the texts one under the other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from . import sources

RULE = "-" * 78


def lines(page, *, bold=str, full=False) -> Iterator[str]:
    """The page; `full` also prints the files that the C template includes, and whole docstrings."""
    yield bold(f"{page.name}: {page.title}")
    yield ""
    yield page.prose
    for row in page.rows:
        yield ""
        yield bold(RULE)
        yield bold(f"{page.name}.{row.function}" if page.room == "ops" else row.function)
        yield from _equations(row)
        yield from _pieces(bold("Oracle, the definition"), row.oracle, full)
        heading = "NumPy reference" if page.room == "ops" else "Text"
        yield from _pieces(bold(heading), row.reference, full)
        yield from _c(bold("C template"), row, full)
        if row.worked is not None:
            yield from example(row.worked, bold)
    if page.uses:
        yield ""
        yield "Built from: " + ", ".join(f"refmnas read {name}" for name in page.uses)


def _equations(row):
    yield ""
    for text in row.equations.values():
        yield from (f"  {line}" for line in text.splitlines())


def _pieces(heading, pieces, full):
    for position, piece in enumerate(pieces):
        yield ""
        yield f"{heading}  {piece.where}" if position == 0 else f"  {piece.where}"
        code = piece.code if full else sources.shortened(piece.code)
        yield from (f"  {line}" if line else "" for line in code.splitlines())


def _c(heading, row, full):
    if not row.oracle:
        return
    if not row.c:
        yield ""
        yield f"{heading}  none: this op runs on NumPy"
        return
    shown = [piece for piece in row.c if full or not piece.name.endswith(".h")]
    yield from _pieces(heading, shown or row.c[:1], True)
    hidden = [piece for piece in row.c if shown and piece not in shown]
    if hidden:
        yield ""
        yield "  with " + ", ".join(piece.where.partition(":")[0] for piece in hidden) + " (--full prints them)"


def example(worked, bold=str) -> Iterator[str]:
    """The worked example: inputs, outputs, one of them written out, agreement, errors and bounds."""
    yield ""
    yield f"{bold('In numbers')}  {worked.case}"
    for name, a in (*worked.inputs.items(), *worked.outputs.items()):
        yield from array_lines(name, a)
    if worked.terms:
        yield f"  {worked.terms}"
    yield from verdicts(worked)


def verdicts(worked) -> Iterator[str]:
    """Who agrees with the oracle exactly, and on real numbers each text's error beside its bound."""
    if worked.agree:
        yield f"  exactly the oracle's numbers: {', '.join(worked.agree)}"
    if worked.differ:
        yield f"  the oracle's numbers up to rounding: {', '.join(worked.differ)}"
    for j in worked.judged:
        yield f"  on real numbers {j.text}: error {j.error:.2e}, allowed {j.bound:.2e}, margin {j.margin:.2f}"


def array_lines(name, a) -> Iterator[str]:
    """A small array by rows of its last two image axes, or flat where it has none."""
    yield f"  {name} {a.shape}"
    with np.printoptions(precision=4, suppress=True, linewidth=96, threshold=64, edgeitems=3):
        text = np.array2string(_flattened(a))
    yield from (f"    {line}" for line in text.splitlines())


def _flattened(a):
    """An image or kernel of one channel as its rows; other arrays with axes of extent 1 left out."""
    if a.size == 1:
        return a.reshape(1)
    return a.reshape([extent for extent in a.shape if extent > 1])
