"""torch's files of weights, read without torch and without pickle: the zip form and the legacy one.

    zip       <name>/data.pkl, a pickle whose persistent ids name storages, and
              <name>/data/<key>, each storage's bytes, stored
    legacy    five pickles one after the other (a magic number, the protocol
              1001, the writer's system, the object, the keys of its storages),
              then per key the number of elements (8 bytes) and the elements

The pickle is interpreted by `_pickle.Machine`; only the storages that the chosen
state dictionary needs are read.  Tensors that share a storage in the file share
memory in the result, and what was not contiguous is a strided view.

Which mapping of a checkpoint is the state dictionary: see `choose`.

Source: `torch/serialization.py` (`_save`, `_load`, `_legacy_save`, `_legacy_load`)
and `torch/_utils.py` of torch 2.14.
"""

from __future__ import annotations

import numpy as np

from . import _elements
from ._pickle import Machine
from ._records import Element, Ordered, Storage, Tensor, plain
from ._tensors import Tensors

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
EXPANSION = 12  # bytes of objects per byte of pickle: a state dictionary is charged about 12
LONGEST_KEY = 64
USUAL = ("state_dict", "model_state_dict", "model", "net", "state_dict_ema", "model_ema", "ema")
DEEPEST = 3


def is_zip(archive):
    """Whether an archive is torch's: one of its folders holds data.pkl."""
    return any(name == "data.pkl" or name.endswith("/data.pkl") for name in archive.names)


def is_legacy(head):
    """By the first bytes: a pickle of protocol 2 to 5."""
    return head[:1] == b"\x80"


def read_zip(reader, archive, limits, entry):
    """The state dictionary of an open archive."""
    pickles = [name for name in archive.names if name == "data.pkl" or name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise reader.bad(f"has {len(pickles)} entries data.pkl, wanted one")
    folder = pickles[0][: -len("data.pkl")]
    limits.check_header(archive.entry(pickles[0]).size, reader, "data.pkl")
    machine, storages = _machine(reader, limits, _whole(archive, pickles[0]), fields=5)
    root = machine.run()
    order = f"{folder}byteorder"
    is_big = order in archive and archive.entry(order).size == 3 and _whole(archive, order) == b"big"
    chosen = choose(reader, limits, root, entry)
    for storage in storages.values():
        _check_stored(reader, archive, f"{folder}data/{storage.key}", storage)

    def source(storage):
        return archive.open(f"{folder}data/{storage.key}")

    return _result(reader, limits, root, chosen, source, is_big=is_big, form="pth")


def read_legacy(reader, limits, entry):
    """The state dictionary of an open file of the legacy form."""
    data = reader.read(0, min(reader.size, limits.max_header), "the pickles")
    is_whole = len(data) == reader.size

    def bad(text):
        more = "" if is_whole else f" (within the first {len(data)} bytes; raise max_header= if the pickles are longer)"
        return reader.bad(text + more)

    machine, storages = _machine(reader, limits, data, fields=6, bad=bad)
    if machine.run() != MAGIC or machine.run() != PROTOCOL:
        raise reader.bad("a pickle, but without torch's magic number and protocol 1001: no file of weights")
    machine.run()
    root = machine.run()
    offsets = _legacy_offsets(reader, machine.run(), storages, machine.at)
    chosen = choose(reader, limits, root, entry)

    def source(storage):
        return reader.span(offsets[storage.key], storage.size, f"storage {storage.key!r}")

    return _result(reader, limits, root, chosen, source, is_big=False, form="pth-legacy")


def _machine(reader, limits, data, *, fields, bad=None):
    """A machine over `data`, and the storages that its persistent ids will name."""
    storages: dict[str, Storage] = {}

    def persistent(machine, parts):
        if len(parts) != fields or parts[0] != "storage":
            raise machine.bad(f"a persistent id of {len(parts)} parts, wanted 'storage' and {fields - 1} more")
        element, key, _, count = parts[1:5]
        if type(element) is not Element or type(key) is not str or type(count) is not int:
            raise machine.bad("a persistent id whose parts are no type, text, text and number")
        if count < 0 or len(key) > LONGEST_KEY or (fields == 6 and parts[5] is not None):
            raise machine.bad(f"storage {key[:40]!r} of {count} elements, or a view of another: wanted a plain one")
        storage = Storage(key, element, count)
        if key not in storages:
            machine.spend(200)
            storages[key] = storage
        elif storages[key] != storage:
            raise machine.bad(f"storage {key!r} is declared with two types or sizes")
        limits.check_tensors(len(storages), reader)
        return storages[key]

    return Machine(data, bad or reader.bad, EXPANSION * limits.max_header, persistent), storages


def _whole(archive, name):
    stream = archive.open(name)
    data = stream.read(stream.left)
    stream.finish()
    return data


def _check_stored(reader, archive, name, storage):
    if name not in archive:
        raise reader.bad(f"the pickle names storage {storage.key!r}, the archive has no {name!r}")
    held = archive.entry(name)
    if held.method or held.size != storage.size:
        raise reader.bad(f"zip entry {name!r} has {held.size} bytes by method {held.method}, "
                         f"wanted {storage.size}, stored")  # fmt: skip


def _legacy_offsets(reader, keys, storages, at):
    """Where each storage's elements lie, from the list of keys behind the object."""
    if type(keys) is not list or any(type(key) is not str for key in keys):
        raise reader.bad("the list of storages is no list of texts")
    if len(set(keys)) != len(keys) or set(keys) != set(storages):
        raise reader.bad(f"the list has {len(keys)} storages, the object names {len(storages)}: wanted the same, once")
    offsets = {}
    for key in keys:
        count = int.from_bytes(reader.read(at, 8, f"storage {key!r}"), "little", signed=True)
        if count != storages[key].count:
            raise reader.bad(f"storage {key!r} has {count} elements, the object declares {storages[key].count}")
        offsets[key] = at + 8
        at += 8 + storages[key].size
        reader.check(at, 0, f"the end of storage {key!r}")
    if at != reader.size:
        raise reader.bad(f"the storages end at {at}, the file has {reader.size} bytes: cut or hostile")
    return offsets


def choose(reader, limits, root, entry=None):
    """(path, mapping, its tensors) of the state dictionary within a checkpoint.

    An empty file's is empty.  Candidates are the mappings, at most three names deep, that hold tensors under
    names.  `entry` (such as "state_dict") chooses one.  Else: the only one; the
    only one whose path is a name of USUAL.  Else an error that lists them.
    """
    found = {"": (root, {})} if type(root) in (dict, Ordered) and not root else {}
    for path, mapping in _mappings(root):
        tensors = {key: value for key, value in mapping.items() if type(value) is Tensor and type(key) is str}
        if tensors:
            found[path] = mapping, tensors
    listing = "; ".join(f"{path or '(root)'} with {len(tensors)}" for path, (_, tensors) in list(found.items())[:20])
    if not found:
        raise reader.bad(f"holds {plain(root)} without named tensors, wanted a state dictionary")
    usual = [path for path in found if path in USUAL]
    if entry is None and len(found) > 1 and len(usual) != 1:
        raise reader.bad(f"holds several state dictionaries, choose one by entry=: {listing}")
    path = entry if entry is not None else (usual if len(found) > 1 else list(found))[0]
    if path not in found:
        raise reader.bad(f"has no state dictionary {path!r}, but: {listing}")
    limits.check_tensors(len(found[path][1]), reader)
    return path, *found[path]


def _mappings(root):
    """(path, mapping) of the nested mappings, outermost first, each once."""
    level, seen = [("", root)], set()
    for _ in range(DEEPEST):
        inner = []
        for path, value in level:
            if type(value) not in (dict, Ordered) or id(value) in seen:
                continue
            seen.add(id(value))
            yield path, value
            names = ((key, item) for key, item in value.items() if type(key) is str and type(item) in (dict, Ordered))
            inner += [(f"{path}.{key}" if path else key, item) for key, item in names]
        level = inner


def _result(reader, limits, root, chosen, source, *, is_big, form):
    """Read the storages that the tensors need, once each, and view them."""
    path, mapping, tensors = chosen
    kinds: dict[str, Element] = {}
    used: dict[str, Storage] = {}
    for name, tensor in tensors.items():
        key = tensor.storage.key
        used[key] = tensor.storage
        if kinds.setdefault(key, tensor.element) != tensor.element or tensor.storage.size % tensor.element.size:
            raise reader.bad(f"tensor {name[:80]!r} reads storage {key!r} as a second type, or not to its end")
    sizes = (used[key].size // kinds[key].size * kinds[key].dtype.itemsize for key in used)
    limits.check_bytes(sum(sizes), reader)
    flats = {key: _flat(source(used[key]), kinds[key], used[key], is_big) for key in used}
    skipped = {str(key): plain(value) for key, value in mapping.items() if key not in tensors}
    if path:
        skipped.update((str(key), plain(value)) for key, value in root.items() if key != path.partition(".")[0])
    return Tensors(
        {name: _view(flats[tensor.storage.key], tensor) for name, tensor in tensors.items()},
        format=form, metadata=_metadata(mapping), skipped=skipped, entry=path,
    )  # fmt: skip


def _flat(source, element, storage, is_big):
    flat = _elements.read(source, element, storage.size // element.size, big_endian=is_big)
    if hasattr(source, "finish"):
        source.finish()
    return flat


def _view(flat, tensor):
    """Offsets and strides were checked against the storage when the record was made."""
    if not _elements.product(tensor.shape):
        return np.empty(tensor.shape, flat.dtype)
    # The stride of an axis of length 1 is never used, and may be beyond any address.
    axes = zip(tensor.shape, tensor.strides, strict=True)
    strides = tuple(stride * flat.itemsize if extent > 1 else 0 for extent, stride in axes)
    return np.lib.stride_tricks.as_strided(flat[tensor.offset :], tensor.shape, strides)


def _metadata(mapping):
    """`_metadata` of a module's state dictionary: module name -> its plain entries."""
    attributes = mapping.attributes if type(mapping) is Ordered else None
    metadata = (attributes or {}).get("_metadata")
    if type(metadata) not in (dict, Ordered):
        return {}
    return {
        module: dict(entries)
        for module, entries in metadata.items()
        if type(module) is str and type(entries) in (dict, Ordered)
    }
