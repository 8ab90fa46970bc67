"""What a network costs, layer by layer, from its table alone: nothing is built or run.

    multiply-adds   P*Q*D*C*Kh*Kw / groups of a convolution, C*D of a dense layer; SE's two
                    layers count once per image; activations, sums and pools count none
    parameters      weights, biases, batch norm's gamma and beta (not its running statistics)
    activation      bytes of the output, per image
"""

from __future__ import annotations

from typing import NamedTuple

from ..geometry import extent, same_pad, symmetric_pad
from . import plan


class Row(NamedTuple):
    """One layer."""

    name: str
    kind: str
    shape: tuple[int, ...]  # of the output, without the batch
    parameters: int
    macs: int
    activation_bytes: int


def of(spec, dialect, size=None, itemsize=4):
    """The rows of every layer with weights, for a square image of `size` (None: the table's own)."""
    size, rows = size or spec.size, []

    def add(name, kind, shape, parameters, macs):
        pixels = 1
        for n in shape:
            pixels *= n
        rows.append(Row(name, kind, shape, parameters, macs, pixels * itemsize))

    size = _extent(dialect, size, spec.stem.kernel, spec.stem.stride)
    stem = plan.stem_channels(spec)
    taps = spec.stem.kernel**2 * 3
    add("stem.conv", "conv", (size, size, stem), taps * stem + 2 * stem, size**2 * taps * stem)
    c_last = stem
    for b in plan.blocks(spec, dialect):
        size = _block(add, dialect, b, size)
        c_last = b.c_out
    head, classes = plan.head_channels(spec), spec.head.classes
    add("head.conv", "pointwise", (size, size, head), c_last * head + 2 * head, size**2 * c_last * head)
    add("head.dense", "linear", (classes,), head * classes + classes, head * classes)
    return rows


def _block(add, dialect, b, size):
    if b.expands:
        weights = b.c_in * b.mid
        add(f"{b.prefix}.expand", "pointwise", (size, size, b.mid), weights + 2 * b.mid, size**2 * weights)
    size = _extent(dialect, size, b.kernel, b.stride)
    taps = b.kernel**2 * b.mid
    add(f"{b.prefix}.depthwise", "depthwise", (size, size, b.mid), taps + 2 * b.mid, size**2 * taps)
    if b.squeeze:
        weights = 2 * b.mid * b.squeeze
        add(f"{b.prefix}.se", "squeeze-excite", (b.mid,), weights + b.squeeze + b.mid, weights)
    weights = b.mid * b.c_out
    add(f"{b.prefix}.project", "pointwise", (size, size, b.c_out), weights + 2 * b.c_out, size**2 * weights)
    return size


def _extent(dialect, size, kernel, stride):
    pad = same_pad(size, kernel, stride) if dialect.padding == "same" else symmetric_pad(kernel)
    return extent(size, kernel, stride, *pad)


def totals(rows):
    """(parameters, multiply-adds, largest activation in bytes) of all rows."""
    return sum(r.parameters for r in rows), sum(r.macs for r in rows), max(r.activation_bytes for r in rows)
