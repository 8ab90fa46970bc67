"""A folder of labelled images: both forms, and every misprint named before an image is opened."""

import pytest

from refmnas.compare import labels
from refmnas.errors import FormatError


@pytest.fixture
def folder(tmp_path):
    for name in ("a.png", "b, c.jpg", "inner/d.png"):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not opened here")
    return tmp_path / "images"


def written(folder, text, encoding="utf-8"):
    path = folder.parent / "labels.txt"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_file_of_labels_names_each_image_and_its_class(folder):
    path = written(folder, "# name,class\na.png,3\n\nb, c.jpg, 14 \r\ninner/d.png,0\n")
    assert labels.read(folder, path) == [(folder / "a.png", 3), (folder / "b, c.jpg", 14), (folder / "inner/d.png", 0)]


def test_a_byte_order_mark_is_no_part_of_a_name(folder):
    assert labels.read(folder, written(folder, "a.png,3\n", "utf-8-sig")) == [(folder / "a.png", 3)]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a.png\n", "line 1: 'a.png', wanted file,index"),
        ("a.png,-1\n", "line 1: 'a.png,-1', wanted"),
        ("a.png,1.0\n", "wanted file,index"),
        ("a.png,٣\n", "wanted file,index"),
        ("a.png,9999999999\n", "wanted file,index"),
        ("# x\nz.png,1\n", "line 2: .* has no file z.png"),
        ("../labels.txt,1\n", "leads out of"),
        ("/etc/hosts,1\n", "leads out of"),
        ("a.png,1\na.png,2\n", "line 2: a.png stands twice"),
        ("# nothing\n", "no image, wanted at least one"),
        ("inner,1\n", "has no file inner"),
    ],
)
def test_a_misprint_is_named_with_its_line(folder, text, said):
    with pytest.raises(FormatError, match=said):
        labels.read(folder, written(folder, text))


def test_other_bytes_than_text_are_refused(folder):
    path = folder.parent / "labels.bin"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FormatError, match="no UTF-8 at byte 0"):
        labels.read(folder, path)


def test_a_file_that_is_too_long_is_not_read_whole(folder, monkeypatch):
    monkeypatch.setattr(labels, "MOST_BYTES", 10)
    with pytest.raises(FormatError, match="more than 10 bytes"):
        labels.read(folder, written(folder, "a.png,3\n" * 3))


def test_folders_named_by_class_are_labels(tmp_path):
    for name in ("0/x.png", "285/y.jpg", "285/z.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert [(path.name, index) for path, index in labels.read(tmp_path)] == [("x.png", 0), ("y.jpg", 285), ("z.jpg", 285)]


def test_folders_that_name_no_class_are_refused(folder, tmp_path):
    with pytest.raises(FormatError, match="a folder named 'inner', wanted the index of a class"):
        labels.read(folder)
    with pytest.raises(FormatError, match="no folder, wanted one with images"):
        labels.read(folder / "a.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match="has no folder of a class"):
        labels.read(tmp_path / "empty")
    (tmp_path / "empty" / "3").mkdir()
    with pytest.raises(FormatError, match="has no image"):
        labels.read(tmp_path / "empty")


def test_a_class_beyond_the_networks_is_named(folder):
    found = labels.read(folder, written(folder, "a.png,3\ninner/d.png,10\n"))
    labels.check(found, 11, "net")
    with pytest.raises(FormatError, match=r"inner/d\.png: class 10, but net has 10, wanted 0 to 9"):
        labels.check(found, 10, "net")
