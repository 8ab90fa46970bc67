"""Small files of weights, and hostile changes to them that know their structure.

`make(kind, rng)` gives the bytes of one file, mostly mutated; everything is drawn from
`rng`, a `random.Random`, so a seed names a file.
"""

from __future__ import annotations

import io
import itertools
import json
import pickle
import pickletools
import struct
import warnings
import zipfile

import fuzz_checkpoint
import fuzz_onnx
import fuzz_onnx_nodes
import fuzz_tflite
import numpy as np

from refmnas.io import _pth_write

KINDS = ("safetensors", "npz", "pth", "pth-legacy", "onnx", "onnx-nodes", "tflite", "checkpoint")
EDGES = (0, 1, 7, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1)
DTYPES = ("f4", "f4", "f8", "f2", "i1", "i2", "i4", "i8", "u1", "bool")
SAFE = {"f4": "F32", "f8": "F64", "f2": "F16", "i1": "I8", "i2": "I16", "i4": "I32", "i8": "I64", "u1": "U8",
        "bool": "BOOL", "bf": "BF16"}  # fmt: skip


def arrays(rng):
    """A handful of small arrays of many types and ranks."""
    found = {}
    for k in range(rng.randint(0, 5)):
        shape = tuple(rng.choice((0, 1, 2, 3, 5)) for _ in range(rng.randint(0, 4)))
        values = np.frombuffer(rng.randbytes(int(np.prod(shape, dtype=int))), np.uint8)
        found[f"layer{k}.weight"] = values.reshape(shape).astype(rng.choice(DTYPES))
    return found


def make(kind, rng):
    """One file.  Most changes come alone: a file with many is refused at the first."""
    makers = {"safetensors": safetensors, "npz": npz, "pth": pth, "pth-legacy": legacy, "onnx": fuzz_onnx.make,
              "onnx-nodes": fuzz_onnx_nodes.make, "tflite": fuzz_tflite.make, "checkpoint": fuzz_checkpoint.make}  # fmt: skip
    data = makers[kind](rng)
    if kind == "onnx-nodes":  # that operators are reached is what they are for
        return data
    for _ in range(rng.choice((0, 0, 0, 0, 0, 0, 1, 1, 2, 4))):
        data = damage(data, rng)
    return data


# -- of any format ------------------------------------------------------------------


def damage(data, rng):
    """One change that knows nothing of the format."""
    at, end = sorted((rng.randint(0, len(data)), rng.randint(0, len(data))))
    number = rng.choice(EDGES).to_bytes(8, rng.choice(("little", "big")))[: rng.choice((1, 2, 4, 8))]
    flipped = bytearray(data)
    for _ in range(rng.randint(1, 8) if data else 0):
        flipped[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return rng.choice((
        data[:at],  # cut
        data[at:],
        data[:at] + data[end:],  # a slice lost
        data[:end] + data[at:],  # a slice twice
        data[:at] + rng.randbytes(rng.randint(1, 40)) + data[at:],
        data[:at] + number + data[at + len(number) :],  # a length, an offset, a count
        data + rng.randbytes(rng.randint(1, 100)),
        bytes(flipped),
    ))  # fmt: skip


def extent(rng):
    return rng.choice((*EDGES, 3, 5, 2**16, 65537, 10**18))


# -- safetensors --------------------------------------------------------------------


def safetensors(rng):
    header, body = {}, b""
    for name, array in arrays(rng).items():
        header[name] = {"dtype": SAFE[array.dtype.str[1:].replace("b1", "bool")], "shape": list(array.shape),
                        "data_offsets": [len(body), len(body) + array.nbytes]}  # fmt: skip
        body += array.tobytes()
    if rng.random() < 0.3:
        header["__metadata__"] = {"format": "pt"}
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        _spoil_entry(header, rng)
    text = _spoil_json(json.dumps(header), rng) if rng.random() < 0.3 else json.dumps(header)
    raw = text.encode("utf-8", "surrogatepass")
    length = len(raw) if rng.random() < 0.95 else rng.choice(EDGES)
    return length.to_bytes(8, "little") + raw + body


def _spoil_entry(header, rng):
    if not header:
        return
    entry = header[rng.choice(list(header))]
    field = rng.choice(("shape", "data_offsets", "dtype", "more"))
    values = entry.get(field)
    if field in ("shape", "data_offsets") and isinstance(values, list):
        change = rng.choice(("set", "add", "drop", "swap", "wrap"))
        if change == "set" and values:
            values[rng.randrange(len(values))] = rng.choice((extent(rng), -1, 1.5, "3", None, [1], True))
        elif change == "add":
            values += [rng.choice((1, extent(rng)))] * rng.choice((1, 2, 70))
        elif change == "drop" and values:
            values.pop()
        elif change == "swap":
            values.reverse()
        elif change == "wrap":
            entry["shape"] = rng.choice(([2**32, 2**32], [2**63, 2], [2**16] * 4, [0, 2**63 - 1, 2**63 - 1]))
    elif field == "dtype":
        entry[field] = rng.choice((*SAFE.values(), "BF16", "F8_E4M3", "C64", "", 3, None, ["F32"]))
    else:
        entry[rng.choice(("x", "dtype ", "strides"))] = rng.choice((1, "y", {}))


def _spoil_json(text, rng):
    depth = rng.choice((10, 1000, 100_000))
    at = rng.randint(0, len(text))
    twice = text[:-1] + (", " + text[1:] if len(text) > 2 else "}")
    return rng.choice((
        twice, "[" * depth, '{"a":' * depth, text[:-1] + ', "b": ' + "[" * depth + "]" * depth + "}",
        text[:at] + rng.choice(("\ud800", "\\ud800", "\0", "NaN", "1e999", '"', "\\", "{", "9" * 5000)) + text[at:],
        text + " " * rng.choice((1, 1000)), " " + text, "\ufeff" + text, text + "{}",
        text.replace("weight", "w" * rng.choice((5000, 100_000)), 1),
        "{" + ",".join(f'"{k}":{{"dtype":"U8","shape":[],"data_offsets":[0,0]}}' for k in range(2000)) + "}",
    ))  # fmt: skip


# -- npz ------------------------------------------------------------------------------


def npy(array, rng):
    """An array's entry, with a spoiled header at times."""
    out = io.BytesIO()
    np.lib.format.write_array(out, np.asfortranarray(array) if rng.random() < 0.3 else array)
    data = out.getvalue()
    if rng.random() < 0.8:
        return data
    shape = rng.choice((array.shape, (extent(rng),), (2**32, 2**32), (0, 2**62, 2**62), (-1, 4), (1,) * 65))
    descr = rng.choice(("'<f4'", "'|O'", "'>f8'", "'<U9'", "'<c16'", "[('a', '<f4')]", "'<f4', 'descr': '<f8'",
                        "__import__('os').system('false')", "'V99999999999'", "'" + "f" * 9000 + "'", "(" * 5000))  # fmt: skip
    text = f"{{'descr': {descr}, 'fortran_order': {rng.choice(('False', 'True', '1', 'None'))}, 'shape': {shape}, }}"
    raw = text.encode() + b"\n"
    version = rng.choice((1, 1, 2, 3, 9))
    width = 2 if version == 1 else 4
    length = min(len(raw), 65535) if rng.random() < 0.8 else rng.choice(EDGES) % 256**width
    return b"\x93NUMPY" + bytes([version, 0]) + length.to_bytes(width, "little") + raw + array.tobytes()


def npz(rng):
    entries = [(f"{name}.npy", npy(array, rng)) for name, array in arrays(rng).items()]
    if rng.random() < 0.05:
        head = io.BytesIO()
        np.lib.format.write_array_header_1_0(head, {"descr": "|u1", "fortran_order": False, "shape": (2**20,)})
        entries.append(("zeros.npy", head.getvalue() + bytes(2**20)))
    return archive(entries, rng, rng.choice((zipfile.ZIP_STORED,) * 4 + (zipfile.ZIP_DEFLATED,) * 4 + (zipfile.ZIP_LZMA,)))


def archive(entries, rng, method):
    """A zip of the entries: doubled, renamed, with changed records at times."""
    entries = list(entries)
    if entries and rng.random() < 0.05:
        entries.append(rng.choice(entries))
    if entries and rng.random() < 0.1:
        name = rng.choice(("../x.npy", "/etc/x.npy", "a/../../b.npy", "C:\\x.npy", "x.txt", "\udcff.npy"[1:], ".npy"))
        entries[rng.randrange(len(entries))] = (name, entries[0][1])
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w", method) as target:
        warnings.simplefilter("ignore")
        for name, data in entries:
            target.writestr(zipfile.ZipInfo(name), data, method)
    raw = bytearray(out.getvalue())
    if rng.random() < 0.2:
        _spoil_record(raw, rng)
    return bytes(raw)


def _spoil_record(raw, rng):
    """Change one number of one record: local header, directory entry or end."""
    magic, fields = rng.choice((
        (b"PK\x03\x04", ((6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2))),
        (b"PK\x01\x02", ((8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (42, 4))),
        (b"PK\x05\x06", ((8, 2), (10, 2), (12, 4), (16, 4), (20, 2))),
    ))  # fmt: skip
    places = [at for at in range(len(raw)) if raw.startswith(magic, at)]
    if not places:
        return
    offset, width = rng.choice(fields)
    at = rng.choice(places) + offset
    old = int.from_bytes(raw[at : at + width], "little")
    new = rng.choice((*EDGES, old + 1, old - 1, old * 2, rng.randrange(len(raw)))) % 256**width
    raw[at : at + width] = new.to_bytes(width, "little")


# -- torch's files ------------------------------------------------------------------


def _count(value):
    return struct.pack("<I", value)


HOSTILE = (
    b"cos\nsystem\nX\x05\0\0\0false\x85R", b"c__builtin__\neval\n", b"cbuiltins\ngetattr\n", b"\x8c\x02os\x8c\x06system\x93",
    b"(" * 5000, b"]" * 5000, b"N" + b"\x85" * 300_000, b"}" * 70_000, b"(" * 200_000, b"]" * 400_000,
    b"]q\0(" + b"h\0" * 5000 + b"e", b"]q\0h\0a", b"N" + b"2" * 140_000, b"}N" + b"\x85" * 100_000 + b"Ns",
    b"\x8b" + _count(2**31 - 1), b"\x8b" + _count(2**32 - 1), b"\x8a\xff" + b"\x7f" * 255, b"\x8a\x40" + b"\x7f" * 64,
    b"X" + _count(2**32 - 1), b"\x8d" + b"\xff" * 8, b"B" + _count(2**31), b"T" + _count(2**31), b"\x8e" + b"\xff" * 8,
    b"h\xfe", b"j" + _count(2**32 - 1), b"Nr" + _count(2**32 - 1), b"Nr" + _count(2**31), b"\x95" + b"\xff" * 8,
    b"ccollections\nOrderedDict\n)R}b", b"ccollections\nOrderedDict\n(]tR", b"ctorch\nSize\n](K\1K\2e\x85R",
    b"ccollections\nOrderedDict\n]]]aa\x85R", b"ctorch\ndevice\nN\x85R", b"c_codecs\nencode\nNN\x86R", b"(X\1\0\0\0aQ",
    b"ctorch._utils\n_rebuild_tensor_v2\n(NNNNNNtR", b"ctorch._utils\n_rebuild_parameter\nNNN\x87R", b")Q", b"NQ",
    b"Q", b"R", b"b", b"t", b"u", b"s", b"e", b"a", b"\x94", b"0", b"1", b"2", b"\x93", b"i", b"P", b"\x81", b"\xff",
    b"}\xc8\x88\x89sN", b"\x80\xff", b"}]Ns", b"}(]NuN", b"c" + b"x" * 70_000,
)  # fmt: skip


def spoil_pickle(data, rng):
    """Opcodes lost, doubled, exchanged, with other numbers, or hostile ones between them."""
    places = [at for _, _, at in pickletools.genops(data)] + [len(data)]
    parts = [data[start:end] for start, end in itertools.pairwise(places)]
    for _ in range(rng.choice((0, 0, 1, 1, 1, 2, 3))):
        k, other = rng.randrange(len(parts)), rng.randrange(len(parts))
        change = rng.choice(("hostile", "hostile", "lose", "double", "swap", "number", "text"))
        if change == "hostile":
            parts.insert(k, rng.choice(HOSTILE))
        elif change == "lose" and len(parts) > 1:
            del parts[k]
        elif change == "double":
            parts.insert(other, parts[k])
        elif change == "swap":
            parts[k], parts[other] = parts[other], parts[k]
        else:
            wanted = b"KMJ\x8a" if change == "number" else b"Xc"
            found = [at for at, part in enumerate(parts) if part[:1] in [wanted[j : j + 1] for j in range(len(wanted))]]
            if found and change == "number":
                parts[rng.choice(found)] = _pth_write._number(rng.choice((extent(rng), 2**300)))
            elif found:
                parts[rng.choice(found)] = _pth_write._text(rng.choice(("storage", "module", "", "0", "é" * 100)))
    return b"".join(parts)


def pth(rng):
    mapping = arrays(rng)
    entries = [("a/data.pkl", spoil_pickle(_pth_write.state_dict(mapping, {"": {"version": 2}}, fields=5), rng))]
    entries += [(f"a/data/{key}", _pth_write.raw(array)) for key, array in enumerate(mapping.values())]
    entries += [("a/version", b"3\n"), ("a/byteorder", rng.choice((b"little", b"big", b"x" * 100)))]
    if rng.random() < 0.2:
        rng.shuffle(entries)
    return archive(entries, rng, rng.choice((zipfile.ZIP_STORED,) * 12 + (zipfile.ZIP_DEFLATED,)))


def legacy(rng):
    mapping = arrays(rng)
    keys = [str(key) for key in range(len(mapping))]
    parts = [pickle.dumps(0x1950A86A20F9469CFC6C, 2), pickle.dumps(1001, 2), pickle.dumps({"little_endian": True}, 2),
             _pth_write.state_dict(mapping, {"": {"version": 2}}, fields=6), pickle.dumps(keys, 2)]  # fmt: skip
    k = rng.randrange(len(parts)) if rng.random() < 0.3 else 3
    parts[k] = spoil_pickle(parts[k], rng)
    for array in mapping.values():
        count = array.size if rng.random() < 0.9 else rng.choice(EDGES)
        parts += [count.to_bytes(8, "little"), _pth_write.raw(array)]
    return b"".join(parts)
