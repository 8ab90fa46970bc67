"""Hostile and damaged archives: refused by name, and no text of the file is evaluated."""

import io as streams
import warnings
import zipfile
import zlib

import numpy as np
import pytest

from refmnas import io
from refmnas.errors import FormatError


def npy(text, body=b"", version=1):
    raw = text.encode("latin-1") + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + len(raw).to_bytes(2 if version == 1 else 4, "little") + raw + body


def good(array):
    out = streams.BytesIO()
    np.lib.format.write_array(out, np.asanyarray(array))
    return out.getvalue()


def zipped(path, entries, method=zipfile.ZIP_STORED):
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as archive:
        warnings.simplefilter("ignore")
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return path


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "type 'O'|header is"),
        ("{'descr': '<O8', 'fortran_order': False, 'shape': (1,), }", "type 'O8'"),
        ("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "type 'c8'"),
        ("{'descr': '<U1', 'fortran_order': False, 'shape': (2,), }", "type 'U1'"),
        ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", "the header is"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", "the header is"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (2), }", "the header is"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (,), }", "the header is"),
        ("{'descr': '<f4', 'fortran_order': False}", "the header is"),
        ("{'descr': '<f4', 'descr': '<f4', 'shape': (2,), }", "the header is"),
        ("{'descr': '<f4', 'fortran_order': 0, 'shape': (2,), }", "the header is"),
        ("__import__('os').abort()", "the header is"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (__import__('os').abort(),), }", "the header is"),
        ("(" * 4000, "the header is"),
        ("(" * 5000, "the header has 5001 bytes"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", "wants 12 bytes, the entry has 8"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", "no array can have"),
        ("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9223372036854775807), }", "no array can have"),
    ],
)
def test_a_hostile_header_is_refused(tmp_path, header, text):
    with pytest.raises(FormatError, match=text):
        io.load(zipped(tmp_path / "w.npz", [("x.npy", npy(header, bytes(8)))]))


@pytest.mark.parametrize("version", [1, 2, 3])
def test_headers_of_other_writers_are_read(tmp_path, version):
    text = "{'shape': (2L, 1L), 'fortran_order': True, 'descr': '>f4'}   "
    x = io.load(zipped(tmp_path / "w.npz", [("x.npy", npy(text, b"\x3f\x80\0\0\x40\0\0\0", version))]))["x"]
    assert x.tolist() == [[1.0], [2.0]]


def test_an_npy_version_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(FormatError, match="npy version 1, 2 or 3"):
        io.load(zipped(tmp_path / "w.npz", [("x.npy", npy("{}", version=9))]))


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["x.npy", "x.npy"], "occurs twice"),
        (["../x.npy"], "a way out"),
        (["a/../../x.npy"], "a way out"),
        (["/x.npy"], "an absolute path"),
        (["C:x.npy"], "an absolute path"),
        (["a\\x.npy"], "a backslash"),
        (["x.txt"], "no array"),
        (["a/", "x.npy"], "no array"),
    ],
)
def test_a_hostile_name_is_refused(tmp_path, names, text):
    path = tmp_path / "w.npz"
    zipped(path, [(name.replace("\\", "~"), good(np.zeros(2))) for name in names])
    path.write_bytes(path.read_bytes().replace(b"~", b"\\"))
    with pytest.raises(FormatError, match=text):
        io.load(path)


def test_other_methods_of_packing_are_refused(tmp_path):
    with pytest.raises(FormatError, match="method 14, wanted stored or deflate"):
        io.load(zipped(tmp_path / "w.npz", [("x.npy", good(np.zeros(2)))], zipfile.ZIP_LZMA))


def changed(path, magic, offset, value, width=4):
    """The file with one number of its last record of that kind changed."""
    raw = bytearray(path.read_bytes())
    at = raw.rfind(magic) + offset
    raw[at : at + width] = value.to_bytes(width, "little")
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize(
    ("magic", "offset", "value", "width", "text"),
    [
        (b"PK\x01\x02", 8, 1, 2, "encrypted"),
        (b"PK\x01\x02", 16, 123, 4, "checksum"),
        (b"PK\x01\x02", 24, 5000, 4, "stored with"),
        (b"PK\x01\x02", 20, 5000, 4, "stored with"),
        (b"PK\x01\x02", 42, 0, 4, "overlap"),
        (b"PK\x01\x02", 42, 2**31, 4, "runs past|exceed the file"),
        (b"PK\x01\x02", 42, 2**32 - 1, 4, "64-bit"),
        (b"PK\x03\x04", 8, 8, 2, "own header differs"),
        (b"PK\x03\x04", 30, ord("y"), 1, "another name"),
        (b"PK\x03\x04", 28, 60_000, 2, "wants bytes|runs into"),
        (b"PK\x05\x06", 10, 9, 2, "several disks"),
        (b"PK\x05\x06", 12, 10, 4, "wanted its end at"),
        (b"PK\x05\x06", 16, 10, 4, "wanted its end at"),
        (b"PK\x05\x06", 20, 10, 2, "does not end the file"),
    ],
)
def test_a_changed_record_is_noticed(tmp_path, magic, offset, value, width, text):
    path = zipped(tmp_path / "w.npz", [("a.npy", good(np.ones(2))), ("x.npy", good(np.zeros(2)))])
    assert len(io.load(path)) == 2
    with pytest.raises(FormatError, match=text):
        io.load(changed(path, magic, offset, value, width))


def test_every_cut_and_every_tail_is_refused(tmp_path):
    whole = zipped(tmp_path / "w.npz", [("x.npy", good(np.arange(3)))], zipfile.ZIP_DEFLATED).read_bytes()
    for data in [whole[:end] for end in range(len(whole))] + [whole + b"\0"]:
        (tmp_path / "cut").write_bytes(data)
        with pytest.raises(FormatError):
            io.load(tmp_path / "cut")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    head = "{'descr': '|u1', 'fortran_order': False, 'shape': (%d,), }"
    honest = npy(head % 2**26, bytes(2**26))
    path = zipped(tmp_path / "w.npz", [("x.npy", honest)], zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 2**17
    with pytest.raises(FormatError, match="raise max_bytes="):
        io.load(path, max_bytes=2**26)  # the header comes on top
    with zipfile.ZipFile(path) as archive:
        packed = archive.infolist()[0].compress_size
    lie = changed(path, b"PK\x01\x02", 24, 1032 * packed + 2**16 + 1)
    with pytest.raises(FormatError, match="more than deflate can hold"):
        io.load(lie, max_bytes=2**40)


def test_deflate_that_ends_early_or_late_is_refused(tmp_path):
    data = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (4000,), }", bytes(4000))
    for change in (-1, 1):
        path = zipped(tmp_path / "w.npz", [("x.npy", data)], zipfile.ZIP_DEFLATED)
        with pytest.raises(FormatError, match="bytes"):
            io.load(changed(path, b"PK\x01\x02", 24, len(data) + change))
    assert zlib.crc32(data)  # what the archive declares is of the whole


def test_the_caps_are_named(tmp_path):
    path = zipped(tmp_path / "w.npz", [(f"{k}.npy", good(np.zeros(1))) for k in range(70)])
    for options, text in (({"max_header": 1000}, "raise max_header="), ({"max_tensors": 5}, "raise max_tensors=")):
        with pytest.raises(FormatError, match=text):
            io.load(path, **options)


def test_an_empty_archive_is_an_empty_mapping(tmp_path):
    assert io.load(zipped(tmp_path / "w.npz", [])) == {}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "an empty file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(20), "HDF5"),
        (good(np.zeros(2)), "a single NumPy array"),
        (b"<html>404</html>", "a web page"),
        (b"\x1f\x8b" + bytes(20), "a gzip file"),
        (b"GGUF" + bytes(20), "an unknown format"),
    ],
)
def test_another_format_is_named(tmp_path, data, text):
    (tmp_path / "w.npz").write_bytes(data)
    with pytest.raises(FormatError, match=text):
        io.load(tmp_path / "w.npz")


def test_what_is_no_file_is_named(tmp_path):
    with pytest.raises(FormatError, match="no regular file"):
        io.load(tmp_path)
    with pytest.raises(FormatError, match="No such file"):
        io.load(tmp_path / "none.npz")
    with pytest.raises(FormatError, match="null"):
        io.load("a\0b")
