"""State dictionaries of other implementations, both ways.

    read(mapping, spec, dialect, names)     -> ({our name: our array}, entries kept beside)
    write(arrays, spec, dialect, names)     -> {their name: their array}
    detect(mapping)                         -> whose names these are
    fitting(mapping, spec, names)           -> the table at the width and classes of the weights
    metadata(spec, names)                   -> what a torchvision file says beside its arrays

Layouts are turned by `refmnas.layout` alone (PyTorch's) or by one axis of length 1
(TensorFlow's).  Entries that are missing, unknown or misshapen are named, with the
nearest known name.
"""

from __future__ import annotations

import difflib
from dataclasses import replace

import numpy as np

from ...errors import FormatError, SpecError
from .. import dialect as dialects
from .. import zoo
from . import fit, inventory, tables, turning
from .fit import version_1

__all__ = [
    "SOURCES", "detect", "fitting", "inventory", "metadata", "read", "renamed", "table", "tables", "version_1", "write",
]  # fmt: skip

SOURCES = ("auto", *tables.SOURCES)
_COUNTER = ".num_batches_tracked"
_EMA = "/ExponentialMovingAverage"
_SLOTS = ("/RMSProp", "/RMSProp_1", "/Momentum", "/Adam", "/Adam_1")


def detect(mapping):
    """The source whose names `mapping` has, by its keys; FormatError where none fits."""
    keys = set(_plain_keys(mapping))
    for source, marks in (
        ("refmnas", ("stem.conv.w",)),
        ("efficientnet-pytorch", ("_conv_stem.weight",)),
        ("timm", ("conv_stem.weight", "stem.conv.weight")),
        ("pretrainedmodels", ("conv0.conv.weight",)),  # timm's NASNet-A has the same names
        ("torchvision", ("layers.0.weight", "features.0.0.weight", "stem.0.weight")),
        ("slim", tuple(f"{stem}/weights{end}" for stem in ("conv0", "l1_stem_3x3") for end in ("", _EMA))),
        ("slim", tuple(f"MobilenetV{at}/weights{end}" for at in ("1/Conv2d_0", "2/Conv", "3/Conv") for end in ("", _EMA))),
    ):
        if any(mark in keys for mark in marks):
            return source
    if any("/mnas_stem/" in key or "/stem/conv2d/" in key for key in keys):
        return "tf"
    some = ", ".join(sorted(keys)[:3]) or "nothing"
    raise FormatError(f"names: not those of any known source ({', '.join(tables.SOURCES)}); they begin with {some}")


def table(spec, dialect, names):
    """{their name: our name} of one source."""
    if names not in tables.SOURCES:
        raise SpecError(f"names: {names!r}, wanted one of {', '.join(SOURCES)}")
    return tables.SOURCES[names](spec, dialect)


def _plain_keys(mapping):
    """{key without a wrapper's prefix: key}; DistributedDataParallel writes "module." before every name."""
    for key in mapping:
        if not isinstance(key, str):
            raise FormatError(f"names: an entry is called {key!r}, wanted a text")
    if mapping and all(key.startswith("module.") for key in mapping):
        return {key.removeprefix("module."): key for key in mapping}
    return {key: key for key in mapping}


def _entries(mapping, source):
    """{their name: value}: without wrappers, and for TensorFlow the averaged variables and no optimiser slots."""
    found = {plain: mapping[key] for plain, key in _plain_keys(mapping).items()}
    if source not in turning.TENSORFLOW:
        return found
    kept = {k: v for k, v in found.items() if not k.endswith((*_SLOTS, _EMA)) and k != "global_step"}
    return kept | {k.removesuffix(_EMA): v for k, v in found.items() if k.endswith(_EMA)}


def read(mapping, spec, dialect, names="auto"):
    """(our arrays, entries kept beside): every entry checked before anything is copied.

    Beside are PyTorch's counters `num_batches_tracked`, and the background's part of a
    dense layer, which `write` gives back.
    """
    source = detect(mapping) if names == "auto" else names
    known = table(spec, dialect, source)
    entries = _entries(mapping, source)
    beside = {k: v for k, v in entries.items() if k in _counters(known)}
    missing = [k for k in known if k not in entries]
    unknown = [k for k in entries if k not in known and k not in beside]
    if missing or unknown:
        raise FormatError(_complaint(spec, source, missing, unknown, entries, known))
    wanted, arrays = inventory.of(spec, dialect), {}
    try:
        for theirs, ours in known.items():
            a = np.asarray(entries[theirs])
            if ours.startswith("head.dense.") and source in turning.TENSORFLOW:
                a, cut = turning.without_background(a, dialect.class_offset, spec.head.classes)
                beside |= {theirs + turning.CUT: cut} if cut is not None else {}
            arrays[ours] = turning.inward(a, theirs, wanted[ours], source)
    except FormatError as error:
        raise FormatError(f"{error}{_other_width(entries, spec, dialect, source)}") from None
    return {name: arrays[name] for name in wanted}, beside


def write(arrays, spec, dialect, names, beside=None):
    """{their name: their array} of those of our arrays that are given; what `read` kept beside comes along.

    Raises   FormatError for an array that the network has not, or of another shape.
    """
    known, kinds = table(spec, dialect, names), inventory.of(spec, dialect)
    for ours, a in arrays.items():
        if ours not in kinds or a.shape != kinds[ours].shape:
            wanted = f"shape {kinds[ours].shape}" if ours in kinds else f"a name of {spec.name}"
            raise FormatError(f"names: {ours} with shape {a.shape}, wanted {wanted}")
    written, beside = {}, beside or {}
    for theirs, ours in known.items():
        if ours in arrays:
            written[theirs] = turning.outward(arrays[ours], kinds[ours], names)
            cut = beside.get(theirs + turning.CUT)
            if cut is not None:
                written[theirs] = np.concatenate([cut, written[theirs]], axis=-1)
    return written | {key: value for key, value in beside.items() if key in _counters(written)}


def _counters(keys):
    """The names of PyTorch's counters that go with these names."""
    return {k.rpartition(".")[0] + _COUNTER for k in keys if k.endswith(".running_mean")}


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
    keys = set(entries)
    for name in zoo.names():
        try:
            other = zoo.get(name)
            known = tables.SOURCES[source](other, dialects.of(convention(source, other), name))
        except SpecError:
            continue
        if name != spec.name and keys - _counters(known) == set(known):
            return name
    return None


def _other_width(entries, spec, dialect, source):
    """What to say where the names are right and a shape is not: at which width all would be."""
    shapes = {k: np.shape(v) for k, v in entries.items()}
    table = zoo.SPECS.get(spec.name, spec)  # published widths count from the table's own, whatever was asked for
    other, has_width = fit.fitted(shapes, replace(table, head=spec.head), dialect, source)
    if not has_width or other.width == spec.width:
        return ""
    return f"; the weights fit {spec.name} at width {other.width:g}"


def convention(names, spec):
    """The dialect that goes with a source of names; our own names go with any, so the network's first."""
    return {"efficientnet-pytorch": "tf", "refmnas": (spec.sources or ("tf",))[0]}.get(names, names)


def fitting(mapping, spec, names="auto", dialect=None, *, keep_width=False):
    """`spec` at the width, classes and (torchvision's MnasNet) version that the weights' shapes tell.

    The width multiplies that of `spec`; the published ones are tried first, then every
    multiple of 0.05 up to 3.  Where none fits, `spec` at the classes of the weights:
    `read` then says which entry does not.  `keep_width`: only classes and version.
    """
    source = detect(mapping) if names == "auto" else names
    dialect = dialect or dialects.of(convention(source, spec), spec.name)
    table(spec, dialect, source)
    shapes = {k: np.shape(v) for k, v in _entries(mapping, source).items()}
    return fit.fitted(shapes, spec, dialect, source, (1.0,) if keep_width else fit.WIDTHS)[0]


def metadata(spec, names):
    """A state dictionary's `_metadata` that its reader asks for, or None.

    torchvision's MnasNet refuses to load one without the version of its widths.
    """
    if names != "torchvision" or spec.name != "mnasnet-b1":
        return None
    return {"": {"version": 1 if fit.is_version_1(spec) else 2}}


def renamed(beside, spec, dialect, names, to):
    """The counters that `read` kept beside, under the names of another source."""
    ours = {k.rpartition(".")[0]: v.rpartition(".")[0] for k, v in table(spec, dialect, names).items()}
    theirs = {v.rpartition(".")[0]: k.rpartition(".")[0] for k, v in table(spec, dialect, to).items()}
    homes = {key: ours.get(key.removesuffix(_COUNTER)) for key in beside}
    return {theirs[home] + _COUNTER: beside[key] for key, home in homes.items() if home in theirs}
