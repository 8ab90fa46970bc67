"""What a network costs, layer by layer, from its table alone: nothing is run, no weight is drawn.

    multiply-adds   P*Q*D*C*Kh*Kw / groups of a convolution, C*D of a dense layer; SE's two
                    layers count once per image; activations, sums and pools count none
    parameters      weights, biases, batch norm's gamma and beta (not its running statistics)
    activation      bytes of the output, per image
"""

from __future__ import annotations

import math
from typing import NamedTuple

from . import cell_cost, heads, plan
from .cell_spec import CellSpec


class Row(NamedTuple):
    """One layer, its batch norm included."""

    name: str
    kind: str
    shape: tuple[int, ...]  # of the output, without the batch
    parameters: int
    macs: int
    activation_bytes: int


class Totals(NamedTuple):
    """Of a whole network; the activation is the largest of one layer."""

    parameters: int
    macs: int
    activation_bytes: int


def of(spec, dialect, size=None, itemsize=4):
    """The rows of every layer with weights, for an image of `size`: a side, (rows, columns), or None: the table's own.

    Units    `itemsize` is bytes per number: 4 for float32.
    Raises   SpecError for a size that is none.

    >>> from refmnas.models import dialect, zoo
    >>> totals(of(zoo.get("mnasnet-b1"), dialect.of("tf", "mnasnet-b1")))[:2]
    (4383312, 314415872)
    """
    if isinstance(spec, CellSpec):
        return [Row(*row, math.prod(row[2]) * itemsize) for row in cell_cost.rows(spec, dialect, size)]
    rows = []
    blocks = plan.blocks(spec, dialect, size)
    beside = 3 if dialect.conv_bias else 2  # gamma, beta, perhaps a bias

    def conv(name, kind, pixels, weights, c_out):
        """A convolution and its batch norm."""
        shape = (*pixels, c_out)
        rows.append(Row(name, kind, shape, weights + beside * c_out, math.prod(pixels) * weights, math.prod(shape) * itemsize))

    def dense(name, kind, c_in, c_out, has_bias=True):
        """A layer that sees one pixel."""
        rows.append(Row(name, kind, (c_out,), c_in * c_out + c_out * has_bias, c_in * c_out, c_out * itemsize))

    stem = plan.stem_channels(spec, dialect)
    conv("stem.conv", "conv", blocks[0].size_in, spec.stem.kernel**2 * 3 * stem, stem)
    for b in blocks:
        _block(b, conv, dense)
    if spec.merge:
        together = sum(plan.merge_channels(spec, blocks))
        conv("stages.merge.mix", "pointwise", blocks[-1].size_out, together * blocks[-1].c_out, blocks[-1].c_out)
    head, hidden = plan.head_channels(spec, dialect), plan.hidden_channels(spec, dialect)
    if spec.head.channels:
        conv("head.conv", "pointwise", blocks[-1].size_out, blocks[-1].c_out * head, head)
    if squeezed := heads.squeezed(spec.head, head):
        dense("head.se.reduce", "pointwise", head, squeezed)
        dense("head.se.expand", "pointwise", squeezed, head)
    pooled = heads.pooled(spec.head, head)
    if hidden:
        dense("head.hidden", "linear", pooled, hidden, dialect.hidden_bias)
    dense("head.dense", "linear", hidden or pooled, spec.head.classes, spec.head.bias)
    return rows


def _block(b, conv, dense):
    """The rows of one block, in the order of its arrays."""
    at = b.prefix
    if b.expands:
        conv(f"{at}.expand", "pointwise", b.size_in, b.c_in * b.mid, b.mid)
    if b.kind == "bottleneck":
        conv(f"{at}.grouped", "conv", b.size_out, b.kernel**2 * b.mid * (b.mid // b.groups), b.mid)
    else:
        conv(f"{at}.depthwise", "depthwise", b.size_out, b.kernel**2 * b.mid, b.mid)
    if b.squeeze:
        dense(f"{at}.se.reduce", "pointwise", b.mid, b.squeeze)
        dense(f"{at}.se.expand", "pointwise", b.squeeze, b.mid)
    conv(f"{at}.project", "pointwise", b.size_out, b.mid * b.c_out, b.c_out)
    if b.has_projection:
        conv(f"{at}.shortcut", "pointwise", b.size_out, b.c_in * b.c_out, b.c_out)


def totals(rows):
    """(parameters, multiply-adds, largest activation in bytes) of all rows."""
    return Totals(sum(r.parameters for r in rows), sum(r.macs for r in rows), max(r.activation_bytes for r in rows))
