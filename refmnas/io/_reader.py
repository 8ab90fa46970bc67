"""A file opened for bounded reads: every read is checked against the file's size first.

The readers of this package never ask for more than they were told to want, and
never allocate for bytes that the file does not hold.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from ..errors import FormatError

MIB = 1 << 20
LONGEST_MESSAGE = 4096  # characters of an error


@dataclass(frozen=True)
class Limits:
    """What a file may declare.  Every refusal by a cap names the argument that raises it."""

    max_header: int = MIB  # bytes of names and shapes: JSON, pickle, a zip's directory
    max_tensors: int = 65_536
    max_bytes: int = 1 << 30  # of all arrays together, as they will stand in memory

    def check_tensors(self, count, reader):
        if count > self.max_tensors:
            raise reader.bad(f"holds {count} tensors, the cap is {self.max_tensors}; raise max_tensors=")

    def check_header(self, size, reader, what):
        if size > self.max_header:
            raise reader.bad(f"{what} has {size} bytes, the cap is {self.max_header}; raise max_header=")

    def check_bytes(self, size, reader):
        if size > self.max_bytes:
            raise reader.bad(f"declares {size} bytes of tensors, the cap is {self.max_bytes}; raise max_bytes=")


class Reader:
    """One open file.  `bad(text)` makes the error that names it."""

    def __init__(self, path):
        self.name = os.fspath(path)
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                raise self.bad("is no regular file, wanted a file of weights")
            self._file = open(path, "rb", buffering=0)  # noqa: SIM115  (closed by __exit__)
        except (OSError, ValueError) as error:
            if isinstance(error, FormatError):
                raise
            reason = getattr(error, "strerror", None) or error
            raise self.bad(f"cannot be opened: {reason}") from error
        self.size = os.fstat(self._file.fileno()).st_size

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def bad(self, text):
        if len(text) > LONGEST_MESSAGE:  # a hostile list of numbers is shown by its ends
            text = f"{text[: LONGEST_MESSAGE // 2]} ... {text[-LONGEST_MESSAGE // 4 :]}"
        return FormatError(f"{self.name}: {text}")

    def check(self, offset, count, what):
        """FormatError unless the file holds bytes offset .. offset + count."""
        if offset < 0 or count < 0 or offset + count > self.size:
            raise self.bad(f"{what} wants bytes {offset} to {offset + count}, the file has {self.size}: cut or hostile")

    def read(self, offset, count, what):
        """`count` bytes at `offset`."""
        self.check(offset, count, what)
        block = bytearray(count)
        self._fill(offset, memoryview(block), what)
        return bytes(block)

    def span(self, offset, count, what):
        """A `Span` over bytes of the file, read from front to back."""
        self.check(offset, count, what)
        return Span(self, offset, count, what)

    def _fill(self, offset, view, what):
        self._file.seek(offset)
        done = 0
        while done < len(view):
            count = self._file.readinto(view[done:])
            if not count:
                raise self.bad(f"{what}: the file ended while it was read")
            done += count


class Span:
    """Bytes of a file, handed out from front to back."""

    def __init__(self, reader, offset, count, what):
        self.reader, self.offset, self.left, self.what = reader, offset, count, what

    def readinto(self, view):
        """Fill all of `view`, a writable view of bytes."""
        if len(view) > self.left:
            raise self.reader.bad(f"{self.what}: wants {len(view)} more bytes, {self.left} are left")
        self.reader._fill(self.offset, view, self.what)
        self.offset += len(view)
        self.left -= len(view)
