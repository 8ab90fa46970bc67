"""TensorFlow's checkpoints: those that the tests write, those that TensorFlow writes, and what is wrong with others."""

import os
import struct
import tracemalloc

import numpy as np
import pytest
from checkpoint_files import block, crc32c, entry, finished, header, index, message, sealed, varint, write

from refmnas import io
from refmnas.errors import FormatError
from refmnas.io import checkpoint
from refmnas.io.checkpoint.crc import Crc
from refmnas.models import dialect, naming, zoo

MIB = 1 << 20
EMA = "/ExponentialMovingAverage"


def arrays():
    rng = np.random.default_rng(0)
    found = {f"blocks_{k}/conv2d/kernel": rng.standard_normal((k, 3)).astype("f4") for k in range(12)}
    for kind in ("f8", "i4", "u1", "i2", "i1", "i8", "bool", "u2", "f2", "u4", "u8"):
        found[f"kind/{kind}"] = rng.integers(0, 2, (2, 3)).astype(kind)
    return found | {"scalar": np.array(7, "i8"), "empty": np.zeros((0, 5), "f4"), "ä": np.ones(1, "f4")}


@pytest.mark.parametrize("shards", [1, 3])
def test_what_was_written_is_read(tmp_path, shards):
    wanted = arrays()
    write(tmp_path / "model.ckpt-7", wanted, shards, per_block=4)
    for path in ("model.ckpt-7", "model.ckpt-7.index"):
        for load in (checkpoint.load, io.load):
            found = load(tmp_path / path)
            assert found.format == "checkpoint"
            assert list(found) == sorted(wanted, key=str.encode)
            for name, array in wanted.items():
                assert found[name].dtype == array.dtype
                assert found[name].shape == array.shape
                assert np.array_equal(found[name], array)
                assert found[name].flags.writeable


def test_bfloat16_is_widened_and_texts_are_passed_over(tmp_path):
    values = np.array([1.5, -2.25, 2.0**100], "f4")
    halves = (values.view("u4") >> 16).astype("u2")
    changes = {"half": {"dtype": 14}, "graph": {"dtype": 7}}
    write(tmp_path / "a", {"half": halves, "graph": np.ones(1, "u1")}, changes=changes)
    found = checkpoint.load(tmp_path / "a")
    assert np.array_equal(found["half"], values)
    assert list(found) == ["half"]
    assert found.skipped == {"graph": "texts"}


def test_a_shard_of_the_other_byte_order_is_turned(tmp_path):
    wanted = np.arange(6, dtype="f4").reshape(2, 3)
    entries = [header(order=1), (b"w", entry(wanted.astype(">f4").view("f4"), 0, 0))]
    (tmp_path / "a.index").write_bytes(index(entries))
    (tmp_path / "a.data-00000-of-00001").write_bytes(wanted.astype(">f4").tobytes())
    assert np.array_equal(checkpoint.load(tmp_path / "a")["w"], wanted)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 63, 64, 65, 1000, 4096])
def test_the_checksum_is_that_of_the_loops(size):
    raw = np.random.default_rng(size).bytes(size)
    assert Crc().add(raw).value == crc32c(raw)
    assert Crc().add(raw[:7]).add(raw[7:]).value == crc32c(raw)


def test_the_checksum_of_more_than_a_chunk_is_that_of_its_parts():
    raw = np.random.default_rng(0).bytes(2 * MIB + 5)
    assert Crc().add(raw).value == Crc().add(raw[:12345]).add(raw[12345:]).value


@pytest.mark.parametrize(("name", "source"), [("mnasnet-a1", "tf"), ("efficientnet-b0", "tf"), ("mobilenet-v2", "slim")])
def test_a_networks_variables_are_its_averages(tmp_path, name, source):
    """As the published training leaves them: every variable, its average, its slots, and the count of steps."""
    spec, rng, stored, wanted = zoo.get(name), np.random.default_rng(0), {}, {}
    for theirs in naming.table(spec, dialect.of(source, name), source):
        wanted[theirs] = rng.integers(-99, 99, 2).astype("f4")
        stored |= {theirs: np.ones(2, "f4"), theirs + EMA: wanted[theirs]}
        if theirs.endswith("gamma"):
            stored |= {f"{theirs}/RMSProp": wanted[theirs], f"{theirs}/Momentum": wanted[theirs]}
    write(tmp_path / "model.ckpt", stored | {"global_step": np.array(9, "i8")})
    found = io.load(tmp_path / "model.ckpt")
    assert len(found) == len(stored) + 1
    assert naming.detect(found) == source
    taken = naming._entries(found, source)
    assert set(taken) == set(wanted)
    assert all(np.array_equal(taken[key], array) for key, array in wanted.items())


def test_a_whole_network_is_filled(tmp_path):
    from refmnas.models import build

    net = build("mobilenet-v1", width=0.25, dialect="slim", classes=3, size=32)
    state = {key: a.astype("f4") for key, a in net.state("slim").items()}
    write(tmp_path / "model.ckpt", {key: a for key, a in state.items() if a.size <= 4096})
    small = checkpoint.load(tmp_path / "model.ckpt")
    again = build("mobilenet-v1", width=0.25, dialect="slim", classes=3, size=32).load(state | small, "slim")
    for key, array in net.state().items():
        assert np.array_equal(again.state()[key], array.astype("f4"))


# -- what is refused ------------------------------------------------------------------


def refused(prefix, said, **caps):
    with pytest.raises(FormatError) as told:
        checkpoint.load(prefix, **caps)
    assert str(told.value).startswith(str(prefix))
    assert said in str(told.value)


ONE = np.ones((2, 3), "f4")
ENTRIES = {
    "is partitioned into 2 parts, wanted whole variables": {"slices": b""},
    "has the element type COMPLEX64": {"dtype": 8},
    "has the element type number 99": {"dtype": 99},
    "has 24 bytes at 0 of shard 1, wanted 24, and a shard of 1": {"shard": 1},
    "at 0 of shard -1": {"shard": -1},
    "has 24 bytes at -8": {"offset": -8},
    "wants bytes 4 to 28, the file has 24": {"offset": 4},
    "wants bytes 9000000000000000000 to": {"offset": 9 * 10**18},
    "has 23 bytes at 0": {"size": 23},
    "the index says 0x7: damaged": {"crc": ("fixed", 7)},
    "or one of another length": {"crc": 7},
    "wanted extents from 0 on": {"shape": [(2, [(1, -1)])]},
    "that no array can have": {"shape": [(2, [(1, 2**62)])] * 3},
    "declares 4398046511104 bytes of tensors": {"shape": [(2, [(1, 2**40)])], "size": 2**42},
}


@pytest.mark.parametrize("said", ENTRIES)
def test_entries_that_cannot_be_are_refused(tmp_path, said):
    change = ENTRIES[said]
    raw = entry(ONE, 0, 0, **change) if "slices" not in change else entry(ONE, 0, 0) + message((7, b""), (7, b""))
    (tmp_path / "a.index").write_bytes(index([header(), (b"w", raw)]))
    (tmp_path / "a.data-00000-of-00001").write_bytes(ONE.tobytes())
    refused(tmp_path / "a", said)


def raw_table(*blocks, key=b"zzz", shift=0):
    """A table of blocks as they are."""
    out, handles = b"", []
    for number, made in enumerate(blocks):
        handles.append((key + bytes([number]), varint(max(0, len(out) - shift)) + varint(len(made) - 5)))
        out += made
    return finished(out, handles)


ITEM = (b"w", entry(ONE, 0, 0))
TABLES = {
    "begins with the key b'w', wanted the header's": lambda: index([ITEM]),
    "begins with the key None": lambda: index([]),
    "has 0 shards": lambda: index([header(shards=0), ITEM]),
    "has 5000 shards": lambda: index([header(shards=5000), ITEM]),
    "the byte order 2": lambda: index([header(order=2), ITEM]),
    "wants readers of version 2": lambda: index([header(wanted=2), ITEM]),
    "a part of a partitioned variable": lambda: index([header(), (b"\0\1w", b"")]),
    "has the key b'w' after b'w', wanted them sorted": lambda: index([header(), ITEM, ITEM]),
    "has the key b'' after b''": lambda: index([header(), header()]),
    "in the block of b'a\\x00', wanted none beyond it": lambda: raw_table(block([header(), ITEM]), key=b"a"),
    "within the one before, which ends": lambda: raw_table(block([header()]), block([ITEM]), shift=9),
    "is compressed (snappy), wanted plain blocks": lambda: raw_table(sealed(block([header()])[:-5], 1)),
    "is compressed (kind 9)": lambda: raw_table(sealed(block([header()])[:-5], 9)),
    "has another checksum than its bytes": lambda: raw_table(block([header()])[:-1] + b"\0"),
    "of 0 bytes has -1 restarts": lambda: raw_table(sealed(b"")),
    "restarts: hostile": lambda: raw_table(sealed(struct.pack("<I", 10**6))),
    "has an entry of 9 + 0": lambda: raw_table(sealed(varint(9) + varint(0) + varint(0) + struct.pack("<II", 0, 1))),
    "has an entry of 0 + 0 and 900 bytes": lambda: raw_table(sealed(varint(0) * 2 + varint(900) + struct.pack("<II", 0, 1))),
    "has an entry of 0 + 5000": lambda: index([header(), (b"w" * 5000, b"")]),
    "no checkpoint's index, or cut": lambda: index([header(), ITEM])[:-1],
    "wants bytes": lambda: finished(b"", [(b"z", varint(2**60) + varint(8))]),
}


@pytest.mark.parametrize("said", TABLES)
def test_tables_that_cannot_be_are_refused(tmp_path, said):
    (tmp_path / "a.index").write_bytes(TABLES[said]())
    (tmp_path / "a.data-00000-of-00001").write_bytes(ONE.tobytes())
    refused(tmp_path / "a", said)


def test_missing_shards_are_named_and_nothing_is_read(tmp_path):
    write(tmp_path / "a", {"u": ONE, "v": ONE, "w": ONE}, 3)
    os.remove(tmp_path / "a.data-00001-of-00003")
    refused(tmp_path / "a", "a.data-00001-of-00003: cannot be opened: No such file")
    refused(tmp_path / "b", "b.index: cannot be opened")
    with pytest.raises(FormatError, match="b: cannot be opened"):
        io.load(tmp_path / "b")


def test_caps_are_named_and_raised(tmp_path):
    write(tmp_path / "a", {"v": ONE, "w": ONE})
    for cap, amount in (("max_tensors", 1), ("max_bytes", 47), ("max_header", 100)):
        refused(tmp_path / "a", f"raise {cap}=", **{cap: amount})
    checkpoint.load(tmp_path / "a", max_tensors=2, max_bytes=48)


def test_keys_of_shared_beginnings_are_paid_for(tmp_path):
    """Eleven bytes each in the file, four thousand in memory."""
    one = b"w" * 4000
    out = varint(0) + varint(0) + varint(len(header()[1])) + header()[1] + varint(0) + varint(4000) + varint(0) + one
    out = out[: -len(one) - 1] + varint(2) + one + b"\x08\x07"  # a text, which is passed over
    for k in range(9000):
        out += varint(4000) + varint(4) + varint(2) + b"%04d" % k + b"\x08\x07"
    (tmp_path / "a.index").write_bytes(raw_table(sealed_fast(out + struct.pack("<II", 0, 1))))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    refused(tmp_path / "a", "raise max_header=")
    grown = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert grown <= 16 * MIB


def sealed_fast(raw):
    return raw + b"\0" + struct.pack("<I", Crc().add(raw + b"\0").masked)


def test_memory_grows_by_the_arrays_alone(tmp_path):
    w = np.ones((1024, 2048), "f4")
    crc = {"crc": ("fixed", Crc().add(w.tobytes()).masked)}
    raw = entry(w[:0], 0, 0, shape=[(2, [(1, 1024)]), (2, [(1, 2048)])], size=w.nbytes, **crc)
    (tmp_path / "a.index").write_bytes(index([header(), (b"w", raw)]))
    (tmp_path / "a.data-00000-of-00001").write_bytes(w.tobytes())
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    found = checkpoint.load(tmp_path / "a")
    grown = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert grown <= w.nbytes + 8 * MIB
    assert np.array_equal(found["w"], w)


@pytest.mark.parity
def test_what_tensorflow_wrote_is_read(tmp_path):
    tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed: pip install tensorflow-cpu")
    wanted = {key: a for key, a in arrays().items() if a.dtype.kind != "u" and key.isascii()}
    with tf.Graph().as_default():
        for name, array in wanted.items():
            tf.compat.v1.get_variable(name, initializer=tf.constant(array))
        tf.compat.v1.get_variable("half", initializer=tf.cast(tf.constant([1.5, -2.25]), tf.bfloat16))
        tf.compat.v1.get_variable("text", initializer=tf.constant(["a", "b"]))
        with tf.compat.v1.Session() as session:
            session.run(tf.compat.v1.global_variables_initializer())
            tf.compat.v1.train.Saver().save(session, str(tmp_path / "model.ckpt"), write_meta_graph=False)
    found = checkpoint.load(tmp_path / "model.ckpt")
    assert found.skipped == {"text": "texts"}
    assert found.pop("half").tolist() == [1.5, -2.25]
    assert set(found) == set(wanted)
    for name, array in wanted.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)


@pytest.mark.parity
def test_tensorflow_reads_what_the_tests_write(tmp_path):
    """Else the tests' writer would prove nothing."""
    tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed: pip install tensorflow-cpu")
    wanted = arrays()
    write(tmp_path / "a", wanted, 3, per_block=4)
    reader = tf.train.load_checkpoint(str(tmp_path / "a"))
    for name, array in wanted.items():
        assert np.array_equal(reader.get_tensor(name), array)
