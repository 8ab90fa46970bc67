"""safetensors: 8 bytes of header length, a JSON header, the raw arrays.

The header is read by a parser that knows this one form, so that nesting, unknown
fields and doubled keys are refused where they stand, and memory stays in
proportion to the header.  What must hold: valid UTF-8; offsets that start at 0
and leave neither hole nor overlap; shape times element size equal to the
offsets; header and arrays together exactly the file.

Source: the rules of `safetensors/src/tensor.rs` of the format's own library.
"""

from __future__ import annotations

import json
import re
import sys

import numpy as np

from ..errors import DtypeError, FormatError
from . import _elements
from ._replace import replacing
from ._tensors import Tensors

LONGEST_NAME = 4096
_SPACE = re.compile(r"[ \t\r\n]*")
_KINDS = {element.dtype: kind for kind, element in _elements.SAFETENSORS.items() if not element.is_widened}
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,18})(?![0-9])")


def is_one(head):
    """By the first nine bytes."""
    return head[8:9] == b"{"


def read(reader, limits):
    """The arrays of an open file, in the header's order."""
    reader.check(0, 8, "the header's length")
    length = int.from_bytes(reader.read(0, 8, "the header's length"), "little")
    limits.check_header(length, reader, "the JSON header")
    entries, metadata = _Header(reader, reader.read(8, length, "the JSON header"), limits).parse()
    _check_offsets(reader, limits, entries, 8 + length)
    tensors = Tensors(format="safetensors", metadata=metadata)
    for name, (kind, shape, start, end) in entries.items():
        source = reader.span(8 + length + start, end - start, f"tensor {name!r}")
        element = _elements.SAFETENSORS[kind]
        tensors[name] = _elements.read(source, element, _elements.product(shape)).reshape(shape)
    return tensors


def _check_offsets(reader, limits, entries, base):
    """No hole, no overlap, sizes that fit the shapes, and the file's end at the last byte."""
    at = total = 0
    for name, (kind, shape, start, end) in sorted(entries.items(), key=lambda item: item[1][2:]):
        element = _elements.SAFETENSORS[kind]
        count = _elements.check_shape(reader.bad, f"tensor {name!r}", shape, element)
        if start != at or end < start:
            raise reader.bad(f"tensor {name!r} lies at {start} to {end}, wanted {at}: no holes, no overlap")
        if count * element.size != end - start:
            raise reader.bad(f"tensor {name!r} of shape {shape} and type {kind} has {end - start} bytes, "
                             f"wanted {count * element.size}")  # fmt: skip
        at, total = end, total + count * element.dtype.itemsize
    if base + at != reader.size:
        raise reader.bad(f"header and tensors end at {base + at}, the file has {reader.size} bytes: cut or hostile")
    limits.check_bytes(total, reader)


class _Header:
    """The parser of the one form of JSON that a header may have."""

    def __init__(self, reader, raw, limits):
        self.reader, self.limits, self.at = reader, limits, 0
        try:
            self.text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise reader.bad(f"the JSON header is no valid UTF-8: {error.reason} at byte {error.start}") from None
        self.strings = json.JSONDecoder()

    def parse(self):
        """({name: (type, shape, start, end)}, {key: text})."""
        entries, metadata = {}, None
        for name in self.members("the header"):
            if name == "__metadata__" and metadata is None:
                metadata = self.metadata()
                continue
            if name in entries or name == "__metadata__":
                raise self.bad(f"tensor {name!r} occurs twice")
            entries[name] = self.tensor(name)
            self.limits.check_tensors(len(entries), self.reader)
        if self.space() != len(self.text):
            raise self.bad("more follows the header's last brace")
        return entries, metadata or {}

    def metadata(self):
        texts = {}
        for key in self.members("__metadata__"):
            if key in texts:
                raise self.bad(f"__metadata__ has {key!r} twice")
            texts[key] = self.string()
            self.limits.check_tensors(len(texts), self.reader)
        return texts

    def tensor(self, name):
        fields = {}
        for key in self.members(f"tensor {name!r}"):
            if key in fields or key not in ("dtype", "shape", "data_offsets"):
                raise self.bad(f"tensor {name!r} has {key!r}, again or unknown; wanted dtype, shape, data_offsets")
            fields[key] = self.string() if key == "dtype" else self.numbers()
        if len(fields) != 3 or len(fields["data_offsets"]) != 2:
            raise self.bad(f"tensor {name!r} has {', '.join(fields)}, wanted dtype, shape and two data_offsets")
        if fields["dtype"] not in _elements.SAFETENSORS:
            known = ", ".join(_elements.SAFETENSORS)
            raise self.bad(f"tensor {name!r} has dtype {fields['dtype'][:40]!r}, wanted one of {known}")
        return sys.intern(fields["dtype"]), fields["shape"], *fields["data_offsets"]

    def members(self, what):
        """The keys of an object, one by one; the caller reads each value before it asks for the next."""
        self.expect("{", what)
        if self.next() == "}":
            self.at += 1
            return
        while True:
            key = self.string()
            if len(key) > LONGEST_NAME:
                raise self.bad(f"a name has {len(key)} characters, wanted at most {LONGEST_NAME}")
            self.expect(":", what)
            yield key
            if self.next() == "}":
                self.at += 1
                return
            self.expect(",", what)

    def string(self):
        if self.next() != '"':
            raise self.bad("wanted a string in double quotes")
        try:
            text, self.at = self.strings.raw_decode(self.text, self.at)
            text.encode("utf-8")
        except ValueError as error:
            raise self.bad(f"no valid JSON string: {getattr(error, 'msg', 'half a surrogate pair')}") from None
        return text

    def numbers(self):
        """A list of whole numbers, as a tuple."""
        self.expect("[", "a list")
        found = []
        while self.next() != "]":
            if found:
                self.expect(",", "a list")
                self.space()
            match = _NUMBER.match(self.text, self.at)
            if not match or len(found) == _elements.MOST_AXES:
                raise self.bad(f"wanted at most {_elements.MOST_AXES} whole numbers of at most 19 digits")
            self.at = match.end()
            found.append(int(match[0]))
        self.at += 1
        return tuple(found)

    def space(self):
        self.at = _SPACE.match(self.text, self.at).end()
        return self.at

    def next(self):
        at = self.space()
        return self.text[at : at + 1]

    def expect(self, mark, what):
        if self.next() != mark:
            raise self.bad(f"wanted {mark!r} in {what}")
        self.at += 1

    def bad(self, text):
        return self.reader.bad(f"the JSON header, character {self.at}: {text}")


def write(path, mapping, metadata):
    """Arrays in the order of their element sizes, so that each is aligned; names in the mapping's order."""
    _check(path, mapping, metadata)
    order = sorted(mapping, key=lambda name: -mapping[name].dtype.itemsize)
    offsets, at = {}, 0
    for name in order:
        offsets[name] = [at, at := at + mapping[name].nbytes]
    header: dict[str, object] = {"__metadata__": metadata} if metadata else {}
    for name, array in mapping.items():
        kind = _KINDS[array.dtype.newbyteorder("=")]
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": offsets[name]}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)
    with replacing(path) as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for name in order:
            array = mapping[name]
            file.write(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)


def _check(path, mapping, metadata):
    """What a header cannot hold."""
    for name, array in mapping.items():
        if array.dtype.newbyteorder("=") not in _KINDS:
            raise DtypeError(f"{path}: {name!r} is {array.dtype}, wanted one of {', '.join(map(str, _KINDS))}")
        if name == "__metadata__" or len(name) > LONGEST_NAME:
            raise FormatError(f"{path}: the name {name[:40]!r} cannot be written, wanted at most {LONGEST_NAME} "
                              "characters, and not __metadata__")  # fmt: skip
    for key, text in (metadata or {}).items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise FormatError(f"{path}: metadata {key!r} is {type(text).__name__}, wanted texts only")
