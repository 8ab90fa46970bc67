"""Which width, classes and version of a network some weights have, from their shapes alone."""

from __future__ import annotations

from dataclasses import replace

from .. import plan, zoo
from ..cell_spec import CellSpec
from . import inventory, tables, turning

# The published ones first, then every multiple of 0.05.
WIDTHS = (1.0, 0.35, 0.5, 0.75, 1.3, 1.4, *(k / 20 for k in range(1, 61)))


def version_1(spec):
    """torchvision's first MnasNet: stem 32 and first block 16 at every width (later files have _version 2)."""
    first = replace(spec.stages[0], scales=False)
    return replace(spec, stem=replace(spec.stem, scales=False), stages=(first, *spec.stages[1:]))


def is_version_1(spec):
    """Whether the table is torchvision's first MnasNet, and no other than the second at its width."""
    if isinstance(spec, CellSpec):
        return False
    return not spec.stem.scales and not spec.stages[0].scales


def fitted(shapes, spec, dialect, source, widths=WIDTHS):
    """(`spec` as the shapes tell, whether a width was found); classes are taken over in any case."""
    known = {ours: theirs for theirs, ours in tables.SOURCES[source](spec, dialect).items()}
    count = _classes(shapes.get(known[_dense(spec)], ()), spec, dialect, source)
    spec = replace(spec, head=replace(spec.head, classes=count))
    for width in widths:
        candidate = zoo.scaled(spec, width)
        versions = [candidate]
        if source == "torchvision" and spec.name == "mnasnet-b1" and candidate.width != 1:
            versions.append(version_1(candidate))
        for version in versions:
            if _fits(shapes, known, version, dialect, source):
                return version, True
    return spec, False


def _dense(spec):
    """The array that tells the number of classes."""
    return "head.dense.b" if spec.head.bias else "head.dense.w"


def _classes(shape, spec, dialect, source):
    """Of the dense layer's bias, or its weights; a background beside the table's own number (1001 for 1000) is not counted."""
    if len(shape) != (1 if spec.head.bias else 2):
        return spec.head.classes
    count = max(shape[-1 if spec.head.bias or source in (*turning.TENSORFLOW, "refmnas") else 0], 1)
    offset = dialect.class_offset if source in turning.TENSORFLOW else 0
    return spec.head.classes if count == spec.head.classes + offset else count


def _fits(shapes, known, spec, dialect, source):
    """Every array but the dense layer's has the shape that the table asks for; `known`: our name -> theirs."""
    if plan.stem_channels(spec, dialect) not in shapes.get(known["stem.conv.w"], ()):
        return False  # for speed alone: most widths end here
    return all(
        shapes.get(known[ours]) == turning.shape_there(array, source)
        for ours, array in inventory.of(spec, dialect).items()
        if not ours.startswith("head.dense")
    )
