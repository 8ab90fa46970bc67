"""What a pickle of weights may name, and the plain records that stand for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import _elements
from ._elements import Element


class Ordered(dict):
    """A collections.OrderedDict: `attributes` is what BUILD set, such as `_metadata`."""

    __slots__ = ("attributes",)

    def __init__(self, pairs=()):
        super().__init__(pairs)
        self.attributes = None


@dataclass(frozen=True, slots=True)
class Storage:
    """A flat block of elements in the file, not yet read."""

    key: str
    element: Element
    count: int

    @property
    def size(self):
        """Bytes in the file."""
        return self.count * self.element.size


@dataclass(frozen=True, slots=True)
class Tensor:
    """A view of a storage; offset and strides count elements."""

    storage: Storage
    element: Element
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A name that REDUCE may call: our own function, and how many arguments it takes."""

    name: str
    function: Callable[..., Any]
    least: int
    most: int

    def __call__(self, machine, arguments):
        if not self.least <= len(arguments) <= self.most:
            raise machine.bad(f"calls {self.name} with {len(arguments)} arguments, wanted {self.least} to {self.most}")
        return self.function(machine, *arguments)


def plain(value):
    """A value for an error's text: never the inside of a container, which may be deep or endless."""
    if isinstance(value, str | bytes):
        return repr(value[:60])
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    if isinstance(value, Call):
        return f"the function {value.name}"
    return "an OrderedDict" if isinstance(value, Ordered) else f"a {type(value).__name__}"


def _ordered(machine, pairs=()):
    """OrderedDict(), or of a list of pairs, as Python 2 wrote it."""
    if type(pairs) not in (list, tuple):
        raise machine.bad(f"an OrderedDict of {plain(pairs)}, wanted a list of pairs")
    machine.spend(110 * len(pairs))
    result = Ordered()
    for pair in pairs:
        if type(pair) not in (list, tuple) or len(pair) != 2 or type(pair[0]) not in (str, int, float, bool):
            raise machine.bad("an OrderedDict of something else than pairs of a plain key and a value")
        result[pair[0]] = pair[1]
    return result


def _rebuild(machine, storage, offset, shape, strides, element=None, extra=None):
    """The record of one tensor, checked against its storage."""
    bad = machine.bad
    if type(storage) is not Storage:
        raise bad(f"a tensor of {plain(storage)}, wanted a storage")
    if type(shape) is not tuple or type(strides) is not tuple or len(shape) != len(strides):
        raise bad(f"a tensor of shape {plain(shape)} and strides {plain(strides)}, wanted two tuples of one length")
    if any(type(n) is not int or n < 0 for n in (offset, *shape, *strides)):
        raise bad("a tensor's offset, shape or strides are no whole numbers of at least 0")
    if extra and (type(extra) not in (dict, Ordered) or any(extra.values())):
        raise bad("a tensor that is to be conjugated or negated, wanted plain values")
    element = element or storage.element
    count = _elements.check_shape(bad, "a tensor", shape, element)
    last = offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) if count else offset - 1
    if (last + 1) * element.size > storage.size:
        raise bad(f"a tensor ends at element {last + 1} of storage {storage.key[:40]!r}, "
                  f"which has {storage.size // element.size}")  # fmt: skip
    if count > last + 1 - offset:
        raise bad(f"a tensor of {count} elements over {last + 1 - offset} of its storage: wanted no element twice "
                  "(an expanded tensor was saved; save a contiguous copy)")  # fmt: skip
    return Tensor(storage, element, offset, shape, strides)


def _tensor_v2(machine, storage, offset, shape, strides, _grad, _hooks, extra=None):
    return _rebuild(machine, storage, offset, shape, strides, extra=extra)


def _tensor_v3(machine, storage, offset, shape, strides, _grad, _hooks, dtype, extra=None):
    if type(dtype) is not Element:
        raise machine.bad(f"a tensor of type {plain(dtype)}, wanted a torch dtype")
    return _rebuild(machine, storage, offset, shape, strides, dtype, extra)


def _first(machine, value, *_):
    """Of a parameter: the tensor."""
    if type(value) is not Tensor:
        raise machine.bad(f"a parameter of {plain(value)}, wanted a tensor")
    return value


def _size(machine, extents):
    if type(extents) not in (tuple, list):
        raise machine.bad(f"a size of {plain(extents)}, wanted a tuple")
    machine.spend(8 * len(extents))
    return tuple(extents)


def _device(machine, *parts):
    """A device as its text: arrays have none."""
    if any(type(part) not in (str, int) for part in parts):
        raise machine.bad("a device of something else than texts and numbers")
    return ":".join(str(part) for part in parts)[:80]


def _encode(machine, text, encoding):
    """Protocol 2's way to write bytes."""
    if type(text) is not str or encoding != "latin1":
        raise machine.bad("bytes of something else than a text in latin1")
    try:
        raw = text.encode("latin-1")
    except UnicodeEncodeError:
        raise machine.bad("bytes of a text beyond latin1") from None
    machine.spend(len(raw))
    return raw


def _calls(*rows):
    return {row[0]: Call(*row) for row in rows}


CALLS = _calls(
    ("collections.OrderedDict", _ordered, 0, 1),
    ("torch._utils._rebuild_tensor", _rebuild, 4, 4),
    ("torch._utils._rebuild_tensor_v2", _tensor_v2, 6, 7),
    ("torch._utils._rebuild_tensor_v3", _tensor_v3, 7, 8),
    ("torch._utils._rebuild_parameter", _first, 3, 3),
    ("torch._utils._rebuild_parameter_with_state", _first, 4, 4),
    ("torch.Size", _size, 1, 1),
    ("torch.device", _device, 1, 2),
    ("_codecs.encode", _encode, 2, 2),
)

# names that stand for an element type, in a persistent id or as an argument
VALUES = {
    **{f"torch.{name}": element for name, element in _elements.TORCH_STORAGES.items()},
    "torch.storage.UntypedStorage": _elements.TORCH_STORAGES["UntypedStorage"],
    **{f"torch.{name}": element for name, element in _elements.TORCH_DTYPES.items()},
}
