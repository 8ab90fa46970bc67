"""A report of `refmnas.verify` as lines of text."""

from __future__ import annotations

from ..report import verify as words
from ._output import bold, table

HEADER = ("layer", "op", "verdict", "cause", "shape", "n", "error", "margin", "bad", "ulp max", "SNR dB")
FEW = 8  # sound layers that are shown where not all are asked for: of those with weights the largest margins


def lines(record, everything=False):
    """The text of `Report.to_dict()`; `everything`: a row for every layer."""
    yield bold(record["headline"])
    first = record["first"]
    layout = f"names of {record['names']}, {record['layout']}; claim {record['claim']}"
    yield f"  {record['model']}; {layout}"
    yield from (f"  {run['name']}: {run['told']}" for run in record["runs"])
    if first is not None:
        yield f"  first divergence: {first['theirs']} ({first['name']})"
    for cause in record["causes"]:
        many = ", ".join(cause["layers"][:4]) + (f" and {len(cause['layers']) - 4} more" if len(cause["layers"]) > 4 else "")
        also = f"; also {', '.join(cause['also'])}" if cause["also"] else ""
        yield f"  {cause['code']} ({cause['confidence']:.2f}): {many}: {cause['evidence']}{also}"
    yield ""
    yield from table(HEADER, [_row(layer) for layer in _shown(record["layers"], everything)])
    yield from _faults(record["layers"])
    yield from _rest(record, everything)


def _shown(layers, everything):
    """All, or those that are not sound and the sound ones that came nearest to their bound."""
    if everything:
        return layers
    sound = [each for each in layers if each["verdict"] == "within-rounding"]
    near = sorted(sound, key=lambda each: (each["n"] == 0, -float(each["margin"] or 0)))[:FEW]
    return [each for each in layers if each["verdict"] != "within-rounding" or each in near]


def _row(layer):
    theirs, _, op, verdict, cause, _, shape, n, error, margin, bad, _, ulps, snr, _ = words.cells(layer)
    return theirs, op, verdict, cause, shape, n, error, margin, bad, ulps, snr


def _faults(layers):
    """The worst element and where the bad ones lie, of the first three faults."""
    for layer in [each for each in layers if each["verdict"] == "fault"][:3]:
        yield ""
        yield bold(layer["theirs"])
        yield f"  {words.worst(layer['worst'])}"
        yield from (f"  {line}" for line in words.places(layer["where"]))
        if layer["reason"]:
            yield f"  {layer['evidence']}: {layer['reason']}"
        yield from (f"    {line}" for line in picture((layer["where"] or {}).get("map", [])))


def picture(plane):
    """A heat map in characters, every other row.

    >>> picture([[0, 0.2, 1.0], [0, 0, 0]])
    ['.:#']
    """
    marks = ".:+#"
    return ["".join(marks[0] if not v else marks[min(1 + int(v * 3), 3)] for v in row) for row in plane[::2]]


def _rest(record, everything):
    hidden = sum(each["verdict"] == "within-rounding" for each in record["layers"]) - FEW
    notes = words.notes(record)
    if hidden > 0 and not everything:
        notes = [f"{hidden} sound layers with smaller margins are not shown (--all)", *notes]
    if notes:
        yield ""
    yield from (f"  {line}" for line in notes)
    if record["reproduce"]:
        yield f"  once more: {record['reproduce']}"
