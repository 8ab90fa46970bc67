"""TensorFlow's checkpoints, without TensorFlow: PREFIX.index and PREFIX.data-00000-of-00001, ...

    load(prefix)        {name: array} of every variable: a `Tensors`

Averaged variables are there under their own names, NAME/ExponentialMovingAverage, as are the
optimiser's; `refmnas.models.naming` takes the averages where a network's variables have them.
"""

from __future__ import annotations

import os

from .. import _elements
from .._reader import Limits, Reader
from .._tensors import Tensors
from ..onnx.decode import Source
from . import bundle
from .crc import Crc

__all__ = ["is_one", "load"]

INDEX = ".index"


def is_one(path):
    """Whether a path is a checkpoint's .index, or the prefix of one."""
    path = os.fsdecode(path)
    return path.endswith(INDEX) or (os.path.isfile(path + INDEX) and not os.path.isfile(path))


def load(prefix, *, max_header=1 << 20, max_tensors=65_536, max_bytes=1 << 30):
    """The variables of a checkpoint; `prefix` is the path without .index, or with it.

    All sizes are held to the shards before the first array is made, and every array to its
    checksum.  bfloat16 is widened to float32, exactly.  Entries that are no numbers (texts, such as the
    graph of objects that newer checkpoints have) are passed over: `Tensors.skipped` names them.

    Shapes   as in the file: HWIO, and (H, W, C, M) of a depthwise kernel.
    Units    max_header and max_bytes count bytes: of the .index, of all arrays together.
    Dtypes   bool, integers and floats of 8 to 64 bits.
    Raises   FormatError, naming the file, for one that is missing, cut, damaged or hostile, for
             partitioned variables, for types that NumPy lacks, or beyond a cap, which the message names.
    """
    prefix = os.fsdecode(prefix).removesuffix(INDEX)
    limits = Limits(max_header, max_tensors, max_bytes)
    with Reader(prefix + INDEX) as reader:
        limits.check_header(reader.size, reader, "the index")
        found = bundle.read(Source(reader, limits))
    by_shard: dict[int, list] = {}
    for entry in found.entries:
        by_shard.setdefault(entry.shard, []).append(entry)
    paths = {shard: f"{prefix}.data-{shard:05d}-of-{found.shards:05d}" for shard in by_shard}
    for shard, entries in by_shard.items():
        with Reader(paths[shard]) as reader:
            for entry in entries:
                reader.check(entry.offset, entry.size, f"tensor {entry.name!r}")
    arrays = {}
    for shard, entries in by_shard.items():
        with Reader(paths[shard]) as reader:
            arrays |= {entry.name: _array(reader, entry, found.is_big_endian) for entry in entries}
    ordered = {entry.name: arrays[entry.name] for entry in found.entries}
    return Tensors(ordered, format="checkpoint", skipped=found.skipped)


class _Summed:
    """A span of a file whose checksum grows as it is read."""

    def __init__(self, span):
        self._span, self.reader, self.what, self.crc = span, span.reader, span.what, Crc()

    def readinto(self, view):
        self._span.readinto(view)
        self.crc.add(view)


def _array(reader, entry, is_big_endian):
    what = f"tensor {entry.name!r}"
    source = _Summed(reader.span(entry.offset, entry.size, what))
    array = _elements.read(source, entry.element, entry.count, big_endian=is_big_endian)
    if source.crc.masked != entry.crc:
        raise reader.bad(f"{what} has the checksum {source.crc.masked:#x}, the index says {entry.crc:#x}: damaged")
    return array.reshape(entry.shape)
