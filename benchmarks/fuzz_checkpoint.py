"""Small checkpoints of TensorFlow's, and hostile changes to them that know their structure.

A checkpoint is two files, here in one: four bytes with the length of the .index, the .index, the
shard.  `make(rng)` changes the messages, the keys and the blocks before the checksums are made, so
that what is changed is reached; now and then a checksum, a handle or the footer is wrong too.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from refmnas.io.checkpoint.crc import Crc
from refmnas.io.checkpoint.table import MAGIC
from refmnas.io.onnx.wire import varint

EDGES = (0, 1, 2, 7, 24, 255, 2**16, 2**31 - 1, 2**31, 2**32, 2**62, 2**63 - 1, -1, -8, -(2**63))
DTYPES = {"f4": 1, "f8": 2, "i4": 3, "u1": 4, "i1": 6, "i8": 9, "b1": 10, "f2": 19}


def message(fields):
    """[[number, value]]: integers, bytes, ("fixed", n), or such lists."""
    out = b""
    for number, value in fields:
        if isinstance(value, tuple):
            out += varint(number << 3 | 5) + struct.pack("<I", value[1] & 0xFFFFFFFF)
        elif isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            raw = message(value) if isinstance(value, list) else value
            out += varint(number << 3 | 2) + varint(len(raw)) + raw
    return out


def entry(array, offset):
    crc = Crc().add(array.tobytes()).masked
    dims = [[2, [[1, n]]] for n in array.shape]
    return [[1, DTYPES[array.dtype.str[1:]]], [2, dims], [4, offset], [5, array.nbytes], [6, ("fixed", crc)]]


def make(rng):
    """Both files' bytes."""
    entries, data = [[b"", [[1, 1], [3, [[1, 1]]]]]], b""
    for k in range(rng.randint(0, 9)):
        shape = tuple(rng.choice((0, 1, 2, 3, 5)) for _ in range(rng.randint(0, 4)))
        raw = np.frombuffer(rng.randbytes(int(np.prod(shape, dtype=int))), np.uint8).reshape(shape)
        array = raw.astype(rng.choice(list(DTYPES)))
        entries.append([b"layer%d/conv/kernel" % k + rng.choice((b"", b"/ExponentialMovingAverage")), entry(array, len(data))])
        data += array.tobytes()
    for _ in range(rng.choice((0, 0, 1, 1, 1, 2))):
        spoil(entries, rng)
    index = table(entries, rng)
    return struct.pack("<I", len(index)) + index + data


def place(path, data):
    """The files of what `make` gave, or of what became of it; also as the first and the second of two shards."""
    size = struct.unpack("<I", data[:4])[0] if len(data) >= 4 else 0
    Path(f"{path}.index").write_bytes(data[4 : 4 + size])
    shards = ("00000-of-00001", "00000-of-00002", "00001-of-00002")  # of every second file the last is missing
    for k, name in enumerate(shards):
        shard = Path(f"{path}.data-{name}")
        if k == 2 and len(data) % 2:
            shard.unlink(missing_ok=True)
        else:
            shard.write_bytes(data[4 + size :])


def spoil(entries, rng):
    """One change of the keys or the messages."""
    k = rng.randrange(len(entries))
    key, fields = entries[k]
    change = rng.choice(("value", "value", "value", "value", "lose", "double", "key", "field", "many", "swap", "kind", "kind",
                         "slices", "shards", "order"))  # fmt: skip
    if change == "kind":
        entries[k][1] = [[1, rng.randint(0, 24)], *(f for f in fields if f[0] != 1)]
    elif change == "slices":  # a part of a partitioned variable, with its bytes or without
        entries[k][1] = [*rng.choice((fields, fields[:2])), [7, [[1, [[1, 0], [2, rng.choice(EDGES)]]]]]]
    elif change == "shards":  # more of them; the entries lie in this one or that, the last one may be missing
        entries[0][1] = [[1, rng.choice((2, 2, 2, 3, 4096, 4097))], *(f for f in entries[0][1] if f[0] != 1)]
        for entry_ in entries[1:]:
            entry_[1] = [*entry_[1], [3, rng.choice((0, 1, 1, 2))]]
    elif change == "order":
        entries[0][1] = [*entries[0][1], [2, rng.choice((1, 1, 0, 2))]]
    elif change == "key":
        entries[k][0] = rng.choice((key * 300, b"", b"\0\1", b"\xff", key + b"\0", b"a", b"zz" * 2500))
    elif change == "many":
        entries[k : k + 1] = [[key + b"%05d" % n, fields] for n in range(rng.choice((2, 100, 1000)))]
    elif change == "swap":
        other = rng.randrange(len(entries))
        entries[k][0], entries[other][0] = entries[other][0], key
    elif change == "double":
        entries.insert(k, [key, fields])
    elif change == "lose":
        del entries[k]
        if not entries:
            entries.append([b"", []])
    else:
        entries[k][1] = _other(fields, change, rng)


def _other(fields, change, rng):
    """The message with one field changed."""
    fields = [list(f) for f in fields]
    if not fields:
        return [[rng.randint(1, 8), rng.choice(EDGES)]]
    k = rng.randrange(len(fields))
    if change == "field":
        fields[k][0] = rng.randint(1, 8)
        return fields
    value = fields[k][1]
    if isinstance(value, list):
        choices = ([], value * 2, [[2, [[1, rng.choice(EDGES)]]], *value], [[2, []]] * 70, [[3, 1]], [[1, 1]] * 2000)
        fields[k][1] = rng.choice(choices)
    elif isinstance(value, tuple):
        fields[k][1] = rng.choice((("fixed", 0), ("fixed", 2**32 - 1), 7, b"1234"))
    else:
        near = (value + 1, value - 1) if isinstance(value, int) else ()
        fields[k][1] = rng.choice((*EDGES, *near, *range(24), b"", b"x"))
    return fields


def table(entries, rng):
    """The .index, its checksums right; with a small chance something else is not."""
    out, handles = b"", []
    step = rng.choice((1, 3, 16))
    for start in range(0, len(entries), step):
        part = [(key, message(fields)) for key, fields in entries[start : start + step]]
        made = block(part, rng)
        place = rng.choice(EDGES) % 2**64 if rng.random() < 0.01 else len(out)
        size = rng.choice(EDGES) % 2**64 if rng.random() < 0.01 else len(made) - 5
        handles.append((part[-1][0], varint(place) + varint(size)))
        out += made
    meta, last = block([], rng), block(handles, rng)
    ends = varint(len(out)) + varint(len(meta) - 5) + varint(len(out) + len(meta)) + varint(len(last) - 5)
    magic = MAGIC if rng.random() < 0.98 else rng.getrandbits(64)
    return out + meta + last + ends.ljust(40, b"\0")[:40] + struct.pack("<Q", magic)


def block(entries, rng):
    """Entries with shared beginnings from one restart to the next, compression and checksum."""
    out, before, restarts = b"", b"", [0]
    step = rng.choice((1, 2, 16))
    for number, (key, value) in enumerate(entries):
        shared = 0
        if number and number % step == 0:
            restarts.append(len(out))
            before = b""
        while shared < min(len(key), len(before)) and key[shared] == before[shared]:
            shared += 1
        numbers = [shared, len(key) - shared, len(value)]
        if rng.random() < 0.005:
            numbers[rng.randrange(3)] = rng.choice(EDGES) % 2**64
        out += b"".join(map(varint, numbers)) + key[shared:] + value
        before = key
    count = rng.choice(EDGES) % 2**32 if rng.random() < 0.01 else len(restarts)
    out += struct.pack(f"<{len(restarts)}II", *restarts, count) + bytes([1 if rng.random() < 0.005 else 0])
    crc = Crc().add(out).masked
    return out + struct.pack("<I", crc if rng.random() < 0.99 else crc ^ 1)
