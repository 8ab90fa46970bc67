"""What is saved comes back, by our reader and by the formats' own libraries; theirs by ours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refmnas import io
from refmnas.errors import DtypeError, FormatError

DTYPES = ("bool", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8")
UNSIGNED = ("u2", "u4", "u8")
SUFFIXES = (".safetensors", ".npz", ".pth")
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\\"), max_size=12).filter(
    lambda name: not name.startswith("/") and name[1:2] != ":" and ".." not in name.split("/")
)


@st.composite
def mappings(draw, dtypes=DTYPES):
    """Arrays of every type, rank 0 to 4, with empty ones; C order, Fortran order, or every second element."""
    names = draw(st.lists(NAMES, max_size=5, unique=True))
    found = {}
    for k, name in enumerate(names):
        shape = tuple(draw(st.lists(st.integers(0, 4), max_size=4)))
        rng = np.random.default_rng(draw(st.integers(0, 2**32)) + k)
        dtype = np.dtype(draw(st.sampled_from(dtypes)))
        # Any bits for numbers, NaNs among them; 0 and 1 for booleans.
        count = int(np.prod(shape))
        values = rng.integers(0, 2 if dtype.kind == "b" else 256, count * dtype.itemsize)
        array = values.astype(np.uint8).view(dtype).reshape(shape)
        form = draw(st.sampled_from(("C", "F", "strided", "big")))
        if form == "F":
            array = np.asfortranarray(array)
        elif form == "strided" and array.ndim:
            array = np.repeat(array, 2, axis=-1)[..., ::2]
        elif form == "big":
            array = array.astype(dtype.newbyteorder(">"))
        found[name] = array
    return found


def assert_same(got, want):
    assert list(got) == list(want)
    for name, array in want.items():
        assert got[name].shape == array.shape, name
        assert got[name].dtype == array.dtype.newbyteorder("="), name
        assert got[name].tobytes() == array.astype(array.dtype.newbyteorder("=")).tobytes(), name
        assert got[name].flags.writeable


@pytest.mark.parametrize("suffix", SUFFIXES)
@given(data=st.data())
def test_every_array_comes_back_bit_for_bit(tmp_path_factory, suffix, data):
    dtypes = [name for name in DTYPES if suffix != ".pth" or name not in UNSIGNED]
    mapping = data.draw(mappings(dtypes))
    path = tmp_path_factory.mktemp("roundtrip") / f"w{suffix}"
    io.save(path, mapping)
    assert_same(io.load(path), mapping)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]  # no temporary file is left


@given(mapping=mappings())
def test_safetensors_own_library_reads_ours_and_we_read_its(tmp_path_factory, mapping):
    library = pytest.importorskip("safetensors.numpy", reason="the safetensors package is not installed")
    folder = tmp_path_factory.mktemp("library")
    io.save(folder / "ours.safetensors", mapping, metadata={"maker": "é"})
    theirs = library.load_file(folder / "ours.safetensors")
    assert_same({name: theirs[name].copy() for name in mapping}, mapping)
    library.save_file({name: np.ascontiguousarray(array, array.dtype.newbyteorder("=")).reshape(array.shape)
                       for name, array in mapping.items()}, folder / "theirs.safetensors", {"maker": "é"})  # fmt: skip
    ours = io.load(folder / "theirs.safetensors")
    assert ours.metadata == {"maker": "é"}
    assert_same({name: ours[name] for name in mapping}, mapping)


@given(mapping=mappings(), compressed=st.booleans())
def test_numpy_reads_ours_and_we_read_its(tmp_path_factory, mapping, compressed):
    folder = tmp_path_factory.mktemp("numpy")
    mapping = {name or "empty": array for name, array in mapping.items() if name not in ("file", "empty")}
    io.save(folder / "ours.npz", mapping)
    with np.load(folder / "ours.npz", allow_pickle=False) as theirs:
        assert_same({name: theirs[name].astype(array.dtype.newbyteorder("="))
                     for name, array in mapping.items()}, mapping)  # fmt: skip
    (np.savez_compressed if compressed else np.savez)(folder / "theirs.npz", **mapping)
    assert_same(io.load(folder / "theirs.npz"), mapping)


def test_the_same_mapping_gives_the_same_bytes(tmp_path):
    mapping = {"b": np.arange(6, dtype=np.float32).reshape(2, 3), "a": np.array(True)}
    for suffix in SUFFIXES:
        io.save(tmp_path / f"1{suffix}", mapping)
        io.save(tmp_path / f"2{suffix}", mapping)
        assert (tmp_path / f"1{suffix}").read_bytes() == (tmp_path / f"2{suffix}").read_bytes()


def test_bfloat16_is_widened_exactly(tmp_path):
    bits = np.arange(2**16, dtype="<u2")
    header = b'{"x":{"dtype":"BF16","shape":[65536],"data_offsets":[0,131072]}}'
    (tmp_path / "x").write_bytes(len(header).to_bytes(8, "little") + header + bits.tobytes())
    x = io.load(tmp_path / "x")["x"]
    assert x.dtype == np.float32
    assert np.array_equal(x.view(np.uint32), bits.astype(np.uint32) << 16)


def test_metadata_of_a_state_dictionary_comes_back(tmp_path):
    io.save(tmp_path / "a.pth", {"x": np.zeros(2)}, metadata={"": {"version": 2}, "layers.1": {"version": 300}})
    assert io.load(tmp_path / "a.pth").metadata == {"": {"version": 2}, "layers.1": {"version": 300}}


@pytest.mark.parametrize(
    ("name", "mapping", "options", "error", "text"),
    [
        ("w.h5", {"x": np.zeros(1)}, {}, FormatError, "suffix is '.h5'"),
        ("w.npz", {"../x": np.zeros(1)}, {}, FormatError, "a way out of the archive"),
        ("w.npz", {"/x": np.zeros(1)}, {}, FormatError, "an absolute path"),
        ("w.npz", {"x": np.zeros(1)}, {"metadata": {"a": "b"}}, FormatError, "no place for metadata"),
        ("w.npz", {"x": np.array([None])}, {}, DtypeError, "object"),
        ("w.npz", {"x\ud800": np.zeros(1)}, {}, FormatError, "no valid Unicode"),
        ("w.safetensors", {"__metadata__": np.zeros(1)}, {}, FormatError, "__metadata__"),
        ("w.safetensors", {"x": np.zeros(1)}, {"metadata": {"a": 1}}, FormatError, "texts only"),
        ("w.safetensors", {"x": np.zeros(1, complex)}, {}, DtypeError, "complex128"),
        ("w.safetensors", {"x": [1.0]}, {}, DtypeError, "list"),
        ("w.pth", {"x": np.zeros(1, np.uint32)}, {}, DtypeError, "uint32"),
        ("w.pth", {"x": np.zeros(1)}, {"metadata": {"": 2}}, FormatError, "metadata"),
        ("none/w.npz", {"x": np.zeros(1)}, {}, FormatError, "cannot be written"),
    ],
)
def test_what_cannot_be_written_leaves_no_file(tmp_path, name, mapping, options, error, text):
    with pytest.raises(error, match=text):
        io.save(tmp_path / name, mapping, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_keeps_the_old_file(tmp_path):
    io.save(tmp_path / "w.npz", {"x": np.zeros(1)})
    before = (tmp_path / "w.npz").read_bytes()
    with pytest.raises(TypeError), io.replacing(tmp_path / "w.npz") as file:
        file.write("half")
    assert (tmp_path / "w.npz").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1
