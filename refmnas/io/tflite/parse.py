"""A TFLite model as plain records: its tensors, and its operators in their order.

What would change a result and is not read is refused by its name: several subgraphs, variables,
sparse, quantised and external tensors, custom operators, element types beyond float32, float16,
int32 and int64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import _elements
from ..onnx.decode import PER_OBJECT
from . import schema


@dataclass(frozen=True)
class Tensor:
    """One tensor: an extent is a number, or None where the file leaves it open; `span` of its bytes, None without any."""

    number: int
    name: str  # no other tensor has it
    dtype: np.dtype
    shape: tuple[int | None, ...]
    span: tuple[int, int] | None

    @property
    def count(self):
        return _elements.product(n or 0 for n in self.shape)

    def __str__(self):
        return f"tensor {self.number} {self.name!r}"


@dataclass(frozen=True)
class Operator:
    """One operator: tensors' numbers (-1: left out), its options by name."""

    number: int
    op: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: dict[str, Any]

    def __str__(self):
        return f"operator {self.number} ({self.op})"


@dataclass(frozen=True)
class Model:
    """A file's only subgraph."""

    tensors: list[Tensor]
    operators: list[Operator]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def model(flat, known):
    """The records of a file; `known`: operator -> its options' fields.  No tensor's bytes are read yet."""
    if flat.reader.size < 8 or flat.some(4, 4, "the head") != schema.IDENTIFIER:
        head = flat.reader.read(0, min(8, flat.reader.size), "the head")
        raise flat.bad(f"starts with {head!r}, wanted {schema.IDENTIFIER!r} from byte 4: no TFLite file, or cut")
    m = flat.table(flat.follow(0, "the root"), "the model", schema.MODEL)
    if m["version"] != schema.VERSION:
        raise flat.bad(f"has the schema version {m['version']}, wanted {schema.VERSION}")
    if len(m["subgraphs"]) != 1:
        raise flat.bad(f"has {len(m['subgraphs'])} subgraphs, wanted one: control flow is not read")
    g = flat.table(m["subgraphs"][0], "the subgraph", schema.SUBGRAPH)
    flat.limits.check_tensors(len(g["tensors"]), flat.reader)
    names = Names()
    tensors = [_tensor(flat, place, number, m["buffers"], names) for number, place in enumerate(g["tensors"])]
    codes = [_code(flat, place, number) for number, place in enumerate(m["operator_codes"])]
    operators = [_operator(flat, place, number, codes, tensors, known) for number, place in enumerate(g["operators"])]
    for key in ("inputs", "outputs"):
        _check_numbers(flat, g[key], tensors, f"the subgraph's {key}", least=0)
        if len(set(g[key])) != len(g[key]):
            raise flat.bad(f"the subgraph's {key} are {g[key][:8]}, wanted each tensor once")
    return Model(tensors, operators, g["inputs"], g["outputs"])


def _tensor(flat, place, number, buffers, names):
    t = flat.table(place, f"tensor {number}", schema.TENSOR)
    flat.charge(8 * PER_OBJECT)
    what = f"tensor {number} {t['name']!r}"
    for key in ("is_variable", "sparsity", "variant_tensors", "external_buffer"):
        if t[key]:
            raise flat.bad(f"{what} has {key}, wanted a plain tensor")
    kind = schema.TYPES[t["type"]] if 0 <= t["type"] < len(schema.TYPES) else f"number {t['type']}"
    _check_quantization(flat, t["quantization"], what, kind)
    if kind not in schema.READ:
        raise flat.bad(f"{what} has the element type {kind}, wanted one of {', '.join(schema.READ)}: float models are read")
    dtype, shape = np.dtype(schema.READ[kind]), t["shape"]
    if t["shape_signature"]:
        if len(t["shape_signature"]) != len(shape):
            raise flat.bad(f"{what} has the shape {shape} and the signature {t['shape_signature']}, wanted as many axes")
        shape = tuple(None if n == -1 else n for n in t["shape_signature"])
    if any(n is not None and n < 0 for n in shape):
        raise flat.bad(f"{what} has the shape {shape}, wanted extents from 0 on")
    closed = [1 if n is None else n for n in shape]
    count = _elements.check_shape(flat.bad, what, closed, _elements.Element(dtype, dtype.itemsize))
    span = _span(flat, t["buffer"], buffers, what)
    if span is not None and (None in shape or span[1] - span[0] != count * dtype.itemsize):
        came, wanted = span[1] - span[0], count * dtype.itemsize
        raise flat.bad(f"{what} of shape {shape} and type {dtype} has {came} bytes, wanted {wanted}")
    return Tensor(number, names.own(t["name"] or f"tensor {number}"), dtype, shape, span)


def _check_quantization(flat, place, what, kind):
    if place is None:
        return
    q = flat.table(place, f"{what}: quantization", schema.QUANTIZATION)
    is_scaled = q["scale"] is not None and q["scale"][1] > q["scale"][0]
    if is_scaled or q["details"]:
        raise flat.bad(f"{what} of type {kind} is quantised, wanted a float model")


def _span(flat, number, buffers, what):
    """(start, end) of the bytes of a buffer, None where it has none; the buffer 0 is always empty."""
    if number >= len(buffers):
        raise flat.bad(f"{what} has the buffer {number}, the model has {len(buffers)}")
    b = flat.table(buffers[number], f"{what}: buffer {number}", schema.BUFFER)
    if b["offset"] > 1 or b["size"] > 1:
        raise flat.bad(f"{what} has its bytes beyond the tables (offset {b['offset']}, size {b['size']}), wanted them inside")
    return b["data"] if number and b["data"] and b["data"][1] > b["data"][0] else None


class Names:
    """Names that stand once; one that is asked for again gets a number, without a walk over all before it.

    >>> names = Names()
    >>> [names.own(name) for name in ("a", "a:1", "a", "a")]
    ['a', 'a:1', 'a:2', 'a:3']
    """

    def __init__(self, taken=()):
        self._last = dict.fromkeys(taken, 0)

    def own(self, name):
        found = name
        while found in self._last:
            self._last[name] += 1
            found = f"{name}:{self._last[name]}"
        self._last[found] = 0
        return found


def _code(flat, place, number):
    """An operator's name; numbers from 127 on stand in a field of their own."""
    c = flat.table(place, f"operator code {number}", schema.CODE)
    code = max(c["deprecated_builtin_code"], c["builtin_code"])
    if code == schema.CUSTOM:
        return f"CUSTOM {c['custom_code']!r}"
    return schema.OPERATORS.get(code, f"number {code}")


def _operator(flat, place, number, codes, tensors, known):
    o = flat.table(place, f"operator {number}", schema.OPERATOR)
    flat.charge(16 * PER_OBJECT)
    if o["opcode_index"] >= len(codes):
        raise flat.bad(f"operator {number} has the code {o['opcode_index']}, the model has {len(codes)}")
    op = codes[o["opcode_index"]]
    what = f"operator {number} ({op})"
    if op not in known:
        raise flat.bad(f"{what}: the operator {op} is not read, wanted one of {', '.join(sorted(known))}")
    _check_numbers(flat, o["inputs"], tensors, f"{what}: inputs", least=-1)
    _check_numbers(flat, o["outputs"], tensors, f"{what}: outputs", least=0)
    if len(o["outputs"]) != 1:
        raise flat.bad(f"{what} has {len(o['outputs'])} results, wanted 1")
    options = {name: default for name, (_, _, default) in known[op].items()}
    kind = o["builtin_options_type"]
    if known[op] and kind and o["builtin_options"] is not None:
        if kind != schema.OPTIONS[op]:
            raise flat.bad(f"{what} has options of the kind {kind}, wanted {schema.OPTIONS[op]}")
        options = flat.table(o["builtin_options"], f"{what}: options", known[op])
    return Operator(number, op, o["inputs"], o["outputs"], options)


def _check_numbers(flat, numbers, tensors, what, least):
    wrong = [n for n in numbers if not least <= n < len(tensors)]
    if wrong:
        raise flat.bad(f"{what} name the tensor {wrong[0]}, the subgraph has {len(tensors)}")
