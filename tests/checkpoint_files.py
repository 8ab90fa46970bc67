"""TensorFlow's checkpoints, written by the tests: a table of blocks and its shards, with a checksum of loops alone."""

import struct

import numpy as np

DTYPES = {"f4": 1, "f8": 2, "i4": 3, "u1": 4, "i2": 5, "i1": 6, "i8": 9, "b1": 10, "u2": 17, "f2": 19, "u4": 22, "u8": 23}
MAGIC = 0xDB4775248B80FB57


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def crc32c(raw):
    """Bit by bit."""
    crc = 0xFFFFFFFF
    for byte in raw:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(raw):
    crc = crc32c(raw)
    return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF


def message(*fields):
    """[(number, value)]: integers as varints (negative ones of 64 bits), bytes, lists of fields; ("fixed", n) of 32 bits."""
    out = b""
    for number, value in fields:
        if isinstance(value, tuple):
            out += varint(number << 3 | 5) + struct.pack("<I", value[1])
        elif isinstance(value, int):
            out += varint(number << 3) + varint(value % 2**64)
        else:
            raw = message(*value) if isinstance(value, list) else value
            out += varint(number << 3 | 2) + varint(len(raw)) + raw
    return out


def block(entries, restart=16):
    """Entries [(key, value)] with shared beginnings, restarts, compression and checksum."""
    out, places, before = b"", [], b""
    for number, (key, value) in enumerate(entries):
        if number % restart == 0:
            places.append(len(out))
            before = b""
        shared = 0
        while shared < min(len(key), len(before)) and key[shared] == before[shared]:
            shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    out += struct.pack(f"<{len(places or [0]) + 1}I", *(places or [0]), len(places or [0]))
    return sealed(out)


def sealed(raw, kind=0):
    return raw + bytes([kind]) + struct.pack("<I", masked(raw + bytes([kind])))


def index(entries, per_block=5):
    """The .index of entries [(key, value)]."""
    out, handles = b"", []
    for start in range(0, len(entries), per_block):
        part = entries[start : start + per_block]
        made = block(part)
        handles.append((part[-1][0], varint(len(out)) + varint(len(made) - 5)))
        out += made
    return finished(out, handles)


def finished(out, handles):
    """The meta index, the index and the footer after data blocks."""
    meta, last = block([]), block(handles)
    ends = varint(len(out)) + varint(len(meta) - 5) + varint(len(out) + len(meta)) + varint(len(last) - 5)
    return out + meta + last + ends.ljust(40, b"\0") + struct.pack("<Q", MAGIC)


def header(shards=1, order=0, wanted=0):
    return (b"", message((1, shards), (2, order), (3, [(1, 1), (2, wanted)])))


def entry(array, number, at, **changes):
    """BundleEntryProto; `changes` by field name."""
    raw = array.tobytes()
    fields = {"dtype": (1, DTYPES[array.dtype.str[1:]]), "shape": (2, [(2, [(1, n)]) for n in array.shape]),
              "shard": (3, number), "offset": (4, at), "size": (5, len(raw)), "crc": (6, ("fixed", masked(raw)))}  # fmt: skip
    return message(*(fields | {key: (fields.get(key, (7,))[0], value) for key, value in changes.items()}).values())


def write(prefix, arrays, shards=1, changes=None, **options):
    """PREFIX.index and its shards; `changes`: {name: {field: value}} of entries."""
    data, entries = [b""] * shards, [header(shards)]
    for number, (name, array) in enumerate(sorted(arrays.items(), key=lambda item: item[0].encode())):
        array = np.asarray(array)
        shard = number % shards
        entries.append((name.encode(), entry(array, shard, len(data[shard]), **(changes or {}).get(name, {}))))
        data[shard] += array.tobytes()
    with open(f"{prefix}.index", "wb") as file:
        file.write(index(entries, **options))
    for shard, raw in enumerate(data):
        with open(f"{prefix}.data-{shard:05d}-of-{shards:05d}", "wb") as file:
            file.write(raw)
    return entries
