"""Files: weights in and out, images in, class names.

    load(path)              {name: array} from safetensors, npz or .pth, by the file's content, or from
                            a checkpoint of TensorFlow's, by its prefix
    save(path, mapping)     the same to .safetensors, .npz or .pth, by the name's suffix
    image                   photographs as a network wants them (needs Pillow)
    classes                 the thousand names of ImageNet-1k
    onnx, tflite            networks as files: read as graphs, and written, without their packages
    ncnn                    the same, written
    checkpoint              TensorFlow's checkpoints: read

No reader imports a framework, evaluates text of a file or builds an object of
its choosing.  Declared sizes are checked against the file (compressed entries:
against a budget) before anything is allocated.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import DtypeError, FormatError
from . import _pth_write, _zip, checkpoint, classes, image, ncnn, npz, onnx, pth, safetensors, tflite
from ._reader import Limits, Reader
from ._replace import replacing
from ._tensors import Tensors

__all__ = ["Limits", "Tensors", "checkpoint", "classes", "image", "load", "ncnn", "onnx", "replacing", "save", "tflite"]


def load(path, *, entry=None, max_header=1 << 20, max_tensors=65_536, max_bytes=1 << 30):
    """The arrays of a file of weights: a `Tensors`, which is a dictionary name -> array.

    The format is told by the content; a TensorFlow checkpoint is given by its prefix, or
    its .index.  bfloat16 is widened to float32, exactly; every other type stays.  Arrays
    are writable, in this machine's byte order, and in the file's axis order.  Of a .pth
    checkpoint `entry` names the mapping to take ("state_dict"); without it the only one is
    taken, and where several could be meant the error lists them.

    Shapes   as in the file.
    Units    max_header and max_bytes count bytes.
    Dtypes   bool, integers and floats of 8 to 64 bits.
    Raises   FormatError for a file that cannot be opened, is cut, hostile, of
             another format, or beyond a cap, which the message names.
    """
    limits = Limits(max_header, max_tensors, max_bytes)
    if checkpoint.is_one(path):
        return checkpoint.load(path, max_header=max_header, max_tensors=max_tensors, max_bytes=max_bytes)
    with Reader(path) as reader:
        head = reader.read(0, min(reader.size, 16), "the first bytes")
        if safetensors.is_one(head):
            return safetensors.read(reader, limits)
        if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
            archive = _zip.Archive(reader, limits)
            if pth.is_zip(archive):
                return pth.read_zip(reader, archive, limits, entry)
            return npz.read(reader, archive, limits)
        if pth.is_legacy(head):
            return pth.read_legacy(reader, limits, entry)
        raise reader.bad(f"{_what(head)}, wanted safetensors, npz or .pth")


def _what(head):
    """A word on formats that are known and not read here."""
    known = {
        b"\x93NUMPY": "a single NumPy array (.npy)",
        b"\x89HDF": "HDF5",
        b"\x1f\x8b": "a gzip file",
        b"<": "a web page or XML",
        b"": "an empty file" if not head else "an unknown format",
    }
    name = next(text for start, text in known.items() if head.startswith(start))
    return f"is {name}, it starts with {head[:8]!r}"


def save(path, mapping, *, metadata=None):
    """Write {name: array} to `path`, whole or not at all.

    The suffix chooses: .safetensors, .npz, or .pth (torch's zip form).  `metadata`
    goes to safetensors as {name: text}, and to .pth as the state dictionary's
    `_metadata`, {module: {"version": number}}; npz has no place for it.

    Shapes   any, also without axes or elements.
    Units    none.
    Dtypes   bool, integers and floats of 8 to 64 bits; .pth has no unsigned ones
             above 8 bits.
    Raises   FormatError for another suffix, a name that the format cannot hold, or
             a folder that cannot be written to; DtypeError for another type.
             Nothing is written then.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in WRITTEN:
        raise FormatError(f"{path}: the suffix is {suffix!r}, wanted {', '.join(WRITTEN)}")
    for name, array in mapping.items():
        if not isinstance(name, str) or not isinstance(array, np.ndarray):
            raise DtypeError(f"{path}: {name!r} is {type(array).__name__}, wanted texts as names and NumPy arrays")
        if any("\ud800" <= character <= "\udfff" for character in name):
            raise FormatError(f"{path}: the name {name!r} is no valid Unicode")
    try:
        _WRITERS[suffix](path, mapping, metadata)
    except OSError as error:
        raise FormatError(f"{path}: cannot be written: {error.strerror}") from error


_WRITERS = {".safetensors": safetensors.write, ".npz": npz.write, ".pth": _pth_write.write}
WRITTEN = tuple(_WRITERS)
