"""A folder of images with their classes, in one of two forms.

    a file of labels     lines `file,index`: a file's name within the folder, and the index of its class from 0;
                         the last comma of a line parts the two; empty lines and lines that begin with # are none
    folders by class     DIR/285/cat.jpg: each folder's name is the index

Every name is looked up before an image is opened, so that a long run does not end on a
misprint.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ..errors import FormatError
from ..io import image

MOST_BYTES = 64 << 20  # of a file of labels


class Labelled(NamedTuple):
    """One image and its class."""

    path: Path
    index: int  # type: ignore[assignment]  # tuple.index is not wanted of a label


def read(folder, labels=None):
    """[Labelled] of a folder, by a file of labels or by its folders' names.

    Raises   FormatError with the line or the folder for a name that is not there or leads out of the
             folder, a label that is no index, a file that is named twice, and where there is no image.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FormatError(f"{folder}: no folder, wanted one with images")
    found = _by_folder(folder) if labels is None else _by_file(folder, Path(labels))
    if not found:
        raise FormatError(f"{labels or folder}: no image, wanted at least one")
    return found


def check(found, classes, network):
    """FormatError for an index that the network has no class for."""
    worst = max(found, key=lambda one: one.index)
    if worst.index >= classes:
        raise FormatError(f"{worst.path}: class {worst.index}, but {network} has {classes}, wanted 0 to {classes - 1}")


def _by_folder(folder):
    inside = sorted(entry for entry in folder.iterdir() if entry.is_dir())
    if not inside:
        raise FormatError(f"{folder}: has no folder of a class, wanted one named by each class's index, or --labels")
    wrong = next((entry for entry in inside if not _is_index(entry.name)), None)
    if wrong is not None:
        raise FormatError(f"{wrong}: a folder named {wrong.name!r}, wanted the index of a class, as 285")
    return [Labelled(path, int(entry.name)) for entry in inside for path in image.find(entry).files]


def _by_file(folder, labels):
    found: dict[Path, Labelled] = {}
    for number, line in enumerate(_text(labels).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, comma, index = line.rpartition(",")
        where = f"{labels}: line {number}"
        if not comma or not _is_index(index.strip()):
            raise FormatError(f"{where}: {line[:60]!r}, wanted file,index")
        path = _inside(folder, name.strip(), where)
        if path in found:
            raise FormatError(f"{where}: {name.strip()} stands twice, wanted each file once")
        found[path] = Labelled(path, int(index))
    return list(found.values())


def _text(labels):
    with labels.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise FormatError(f"{labels}: more than {MOST_BYTES} bytes, wanted lines file,index")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"{labels}: no UTF-8 at byte {error.start}, wanted lines file,index") from None


def _inside(folder, name, where):
    path = folder / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise FormatError(f"{where}: {name} leads out of {folder}, wanted a name within it")
    if not path.is_file():
        raise FormatError(f"{where}: {folder} has no file {name}")
    return path


def _is_index(text):
    return text.isascii() and text.isdecimal() and len(text) <= 9
