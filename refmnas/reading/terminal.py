"""A Page as text for a terminal: row by row, the texts one under the other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from . import sources

RULE = "-" * 78


def lines(page, *, bold=str, full=False) -> Iterator[str]:
    """The page; `full` also prints the files that the C template includes, and whole docstrings."""
    yield bold(f"{page.name}: {page.title}")
    if page.prose:
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
    if page.built is not None:
        yield ""
        yield bold("In numbers") + f"  {page.built.call}, one image {shape(page.built.input_shape)}"
        yield from built_lines(page.built)
    if page.uses:
        yield ""
        yield "Built from: " + ", ".join(f"refmnas read {name}" for name in page.uses)


def _equations(row):
    yield ""
    for text in row.equations.values():
        yield from (f"  {line}" if line else "" for line in text.splitlines())


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
        yield f"  the oracle's numbers to the last bit: {', '.join(worked.agree)}"
    if worked.differ:
        yield f"  the oracle's numbers up to rounding: {', '.join(worked.differ)}"
    for j in worked.judged:
        yield f"  on real numbers {j.text}: error {j.error:.2e}, allowed {j.bound:.2e}, margin {j.margin:.2f}"


def built_lines(built) -> Iterator[str]:
    """Each step of a block with its output, and backward beside forward's differences."""
    width = max(len(name) for name, *_ in built.steps)
    for name, kind, output, parameters in built.steps:
        yield f"  {name:{width}}  {kind:12} {shape(output):12} {parameters or '':>6}".rstrip()
    yield (
        f"  derivative along a random direction, in training: by backward {built.claimed:.10g}, "
        f"by differences of forward {built.measured:.10g}"
    )
    yield f"  they differ by {abs(built.claimed - built.measured):.1e}, allowed {built.allowed:.1e} (refmnas read gradcheck)"


def shape(extents):
    """7 x 7 x 8."""
    return " x ".join(map(str, extents))


def array_lines(name, a) -> Iterator[str]:
    """A small array by rows, its axes of extent 1 left out; a large one by its corners."""
    yield f"  {name} {a.shape}"
    a = a.reshape([extent for extent in a.shape if extent > 1] or [1])
    width = max((len(_number(v)) for v in a.flat), default=0)

    def padded(v):
        return _number(v).rjust(width)

    text = np.array2string(a, formatter={"all": padded}, max_line_width=96, threshold=96, edgeitems=3)
    yield from (f"    {line}".rstrip() for line in text.splitlines())


def _number(value):
    """Four digits; whole numbers without a point, no negative zero."""
    return f"{value + 0.0:.4g}"
