"""State dictionaries of other implementations, both ways.

    read(mapping, spec, dialect, names)     -> ({our name: our array}, entries kept beside)
    write(arrays, spec, dialect, names)     -> {their name: their array}
    detect(mapping)                         -> whose names these are
    fitting(mapping, spec, names)           -> the table at the width and classes of the weights

Layouts are turned by `refmnas.layout` alone (PyTorch's) or by one axis of length 1
(TensorFlow's).  Entries that are missing, unknown or misshapen are named, with the
nearest known name.
"""

from __future__ import annotations

import difflib
from dataclasses import replace

import numpy as np

from ... import layout
from ...errors import FormatError, SpecError
from .. import dialect as dialects
from .. import zoo
from . import inventory, tables

SOURCES = ("auto", *tables.SOURCES)
_TENSORFLOW = ("tf", "slim")
_COUNTER = ".num_batches_tracked"
_EMA = "/ExponentialMovingAverage"
_SLOTS = ("/RMSProp", "/RMSProp_1", "/Momentum", "/Adam", "/Adam_1")
_WIDTHS = (1.0, 0.35, 0.5, 0.75, 1.3, 1.4, *(k / 20 for k in range(1, 61)))


def detect(mapping):
    """The source whose names `mapping` has, by its keys; FormatError where none fits."""
    keys = set(_plain_keys(mapping))
    for source, marks in (
        ("refmnas", ("stem.conv.w",)),
        ("efficientnet-pytorch", ("_conv_stem.weight",)),
        ("timm", ("conv_stem.weight",)),
        ("torchvision", ("layers.0.weight", "features.0.0.weight")),
        ("slim", ("MobilenetV2/Conv/weights",)),
    ):
        if any(mark in keys for mark in marks):
            return source
    if any("/mnas_stem/" in key or "/stem/conv2d/" in key for key in keys):
        return "tf"
    some = ", ".join(sorted(keys)[:3])
    raise FormatError(f"names: not those of any known source ({', '.join(tables.SOURCES)}); they begin with {some}")


def table(spec, dialect, names):
    """{their name: our name} of one source."""
    if names not in tables.SOURCES:
        raise SpecError(f"names: {names!r}, wanted one of {', '.join(SOURCES)}")
    return tables.SOURCES[names](spec, dialect)


def _plain_keys(mapping):
    """{key without a wrapper's prefix: key}; DistributedDataParallel writes "module." before every name."""
    keys = [key for key in mapping if isinstance(key, str)]
    if keys and all(key.startswith("module.") for key in keys):
        return {key.removeprefix("module."): key for key in keys}
    return {key: key for key in keys}


def _entries(mapping, source):
    """{their name: value}: without wrappers, and for TensorFlow the averaged variables and no optimiser slots."""
    found = {plain: mapping[key] for plain, key in _plain_keys(mapping).items()}
    if source not in _TENSORFLOW:
        return found
    kept = {k: v for k, v in found.items() if not k.endswith((*_SLOTS, _EMA)) and k != "global_step"}
    return {k: found.get(k + _EMA, v) for k, v in kept.items()}


def read(mapping, spec, dialect, names="auto"):
    """(our arrays, the counters kept beside): every entry checked before anything is copied."""
    source = detect(mapping) if names == "auto" else names
    known = table(spec, dialect, source)
    entries = _entries(mapping, source)
    beside = {k: v for k, v in entries.items() if k.endswith(_COUNTER)}
    missing = [k for k in known if k not in entries]
    unknown = [k for k in entries if k not in known and k not in beside]
    if missing or unknown:
        raise FormatError(_complaint(spec, source, missing, unknown, entries, known))
    wanted = inventory.of(spec, dialect)
    arrays = {}
    for theirs, ours in known.items():
        arrays[ours] = _turned_in(np.asarray(entries[theirs]), theirs, wanted[ours], source, dialect)
    return {name: arrays[name] for name in wanted}, beside


def write(arrays, spec, dialect, names, beside=None):
    """{their name: their array} of those of our arrays that are given; counters last named to `read` come along."""
    known = table(spec, dialect, names)
    kinds = inventory.of(spec, dialect)
    written = {}
    for theirs, ours in known.items():
        if ours in arrays:
            written[theirs] = _turned_out(arrays[ours], kinds[ours], names, dialect, ours)
    statistics = {theirs.rpartition(".")[0] for theirs in written if theirs.endswith(".running_mean")}
    for key, value in (beside or {}).items():
        if key.removesuffix(_COUNTER) in statistics:
            written[key] = value
    return written


def _complaint(spec, source, missing, unknown, entries, known):
    parts = [f"names: not the {source} names of {spec.name}"]
    for word, keys, others in (("missing", missing, unknown), ("unknown", unknown, missing)):
        if keys:
            near = difflib.get_close_matches(keys[0], others or (entries if word == "missing" else known), 1)
            hint = f" (nearest: {near[0]})" if near else ""
            more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
            parts.append(f"{word}: {keys[0]}{hint}{more}")
    other = _other_network(entries, source, spec)
    return "; ".join([*parts, *([f"they are the names of {other}"] if other else [])])


def _other_network(entries, source, spec):
    """A network of the zoo whose names these are exactly, at any width."""
    keys = {k for k in entries if not k.endswith(_COUNTER)}
    for name in zoo.names():
        other = zoo.get(name)
        try:
            known = tables.SOURCES[source](other, dialects.of(_convention(source), name))
        except SpecError:
            continue
        if name != spec.name and keys == set(known):
            return name
    return None


def _convention(names):
    """The dialect that goes with a source of names."""
    return {"efficientnet-pytorch": "tf", "refmnas": "tf"}.get(names, names)


def _turned_in(a, theirs, wanted, source, dialect):
    """One array in our layout, checked against the shape that the table asks for."""
    ours = a
    if a.dtype.kind not in "fiu":
        raise FormatError(f"names: {theirs} is {a.dtype}, wanted numbers")
    ours = _from_tensorflow(a, wanted, dialect) if source in _TENSORFLOW else a
    if source not in ("refmnas", *_TENSORFLOW):
        rank = {layout.CONV: 4, layout.DEPTHWISE: 4, layout.POINTWISE: 4, layout.LINEAR: 2}.get(wanted.kind, a.ndim)
        ours = layout.to_nhwc(wanted.kind, a) if a.ndim == rank and _unit_axes(wanted.kind, a) else a
    if ours.shape != wanted.shape:
        asked = _shape_there(wanted, source)
        raise FormatError(f"names: {theirs} has shape {a.shape}, wanted {asked}")
    return ours


def _unit_axes(kind, a):
    """Whether the axes that vanish in our layout have length 1."""
    return {layout.DEPTHWISE: a.shape[1:2] == (1,), layout.POINTWISE: a.shape[2:] == (1, 1)}.get(kind, True)


def _shape_there(wanted, source):
    """The shape that a source's array must have."""
    probe = np.lib.stride_tricks.as_strided(np.zeros(1), wanted.shape, (0,) * len(wanted.shape))
    if source in _TENSORFLOW:
        return _to_tensorflow(probe, wanted.kind, source).shape
    return probe.shape if source == "refmnas" else layout.from_nhwc(wanted.kind, probe).shape


def _from_tensorflow(a, wanted, dialect):
    """HWIO with axes of length 1 where we have none; a background class before ours is dropped."""
    if wanted.kind == layout.DEPTHWISE and a.ndim == 4 and a.shape[3] == 1:
        a = a[..., 0]
    elif wanted.kind in (layout.POINTWISE, layout.LINEAR) and a.ndim == 4 and a.shape[:2] == (1, 1):
        a = a[0, 0]
    is_classes = wanted.kind == layout.LINEAR or (wanted.kind == layout.PLAIN and a.ndim == 1)
    if dialect.class_offset and is_classes and a.shape[-1] == wanted.shape[-1] + dialect.class_offset:
        a = a[..., dialect.class_offset :]
    return a


def _to_tensorflow(a, kind, source):
    if kind == layout.DEPTHWISE:
        return a[..., None]
    if kind == layout.POINTWISE or (kind == layout.LINEAR and source == "slim"):
        return a[None, None]
    return a


def _turned_out(a, array, names, dialect, ours):
    if names == "refmnas":
        return a
    if names in _TENSORFLOW:
        return _to_tensorflow(a, array.kind, names)
    return layout.from_nhwc(array.kind, a)


def version_1(spec):
    """torchvision's first MnasNet: stem 32 and first block 16 at every width (later files have _version 2)."""
    first = replace(spec.stages[0], scales=False)
    return replace(spec, stem=replace(spec.stem, scales=False), stages=(first, *spec.stages[1:]))


def fitting(mapping, spec, names="auto", dialect=None, *, keep_width=False):
    """`spec` at the width, classes and (torchvision's MnasNet) version that the weights' shapes tell.

    The published widths are tried first; FormatError where no multiple of 0.05 up to 3 fits.
    """
    source = detect(mapping) if names == "auto" else names
    dialect = dialect or dialects.of(_convention(source), spec.name)
    shapes = {k: np.shape(v) for k, v in _entries(mapping, source).items()}
    dense = next((k for k, ours in table(spec, dialect, source).items() if ours == "head.dense.b"), None)
    classes = spec.head.classes
    if len(shapes.get(dense, ())) == 1:
        classes = max(shapes[dense][0] - (dialect.class_offset if source in _TENSORFLOW else 0), 1)
    spec = replace(spec, head=replace(spec.head, classes=classes))
    for width in (1.0,) if keep_width else _WIDTHS:
        candidate = zoo.scaled(spec, width)
        versions = [candidate]
        if source == "torchvision" and spec.name == "mnasnet-b1" and candidate.width != 1:
            versions.append(version_1(candidate))
        for version in versions:
            if _fits(shapes, version, dialect, source):
                return version
    return spec


def _fits(shapes, spec, dialect, source):
    wanted = inventory.of(spec, dialect)
    for theirs, ours in table(spec, dialect, source).items():
        if ours.startswith("head.dense"):
            continue
        if shapes.get(theirs) != _shape_there(wanted[ours], source):
            return False
    return True
