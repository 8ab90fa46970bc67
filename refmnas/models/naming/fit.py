"""Which width, classes and version of a network some weights have, from their shapes alone."""

from __future__ import annotations

from dataclasses import replace

from .. import zoo
from . import inventory, tables, turning

# The published ones first, then every multiple of 0.05.
WIDTHS = (1.0, 0.35, 0.5, 0.75, 1.3, 1.4, *(k / 20 for k in range(1, 61)))


def version_1(spec):
    """torchvision's first MnasNet: stem 32 and first block 16 at every width (later files have _version 2)."""
    first = replace(spec.stages[0], scales=False)
    return replace(spec, stem=replace(spec.stem, scales=False), stages=(first, *spec.stages[1:]))


def is_version_1(spec):
    """Whether the table is torchvision's first MnasNet, and no other than the second at its width."""
    return not spec.stem.scales and not spec.stages[0].scales


def fitted(shapes, spec, dialect, source, widths=WIDTHS):
    """(`spec` as the shapes tell, whether a width was found); classes are taken over in any case."""
    spec = replace(spec, head=replace(spec.head, classes=_classes(shapes, spec, dialect, source)))
    for width in widths:
        candidate = zoo.scaled(spec, width)
        versions = [candidate]
        if source == "torchvision" and spec.name == "mnasnet-b1" and candidate.width != 1:
            versions.append(version_1(candidate))
        for version in versions:
            if _fits(shapes, version, dialect, source):
                return version, True
    return spec, False


def _classes(shapes, spec, dialect, source):
    """Of the dense layer's bias; a background beside the table's own number (1001 for 1000) is not counted."""
    known = tables.SOURCES[source](spec, dialect)
    key = next(k for k, ours in known.items() if ours == "head.dense.b")
    if len(shapes.get(key, ())) != 1:
        return spec.head.classes
    count = max(shapes[key][0], 1)
    offset = dialect.class_offset if source in turning.TENSORFLOW else 0
    return spec.head.classes if count == spec.head.classes + offset else count


def _fits(shapes, spec, dialect, source):
    """Every array but the dense layer's has the shape that the table asks for."""
    wanted = inventory.of(spec, dialect)
    known = tables.SOURCES[source](spec, dialect)
    return all(
        shapes.get(theirs) == turning.shape_there(wanted[ours], source)
        for theirs, ours in known.items()
        if not ours.startswith("head.dense")
    )
