"""ModelProto and what stands in it, as plain records; which field of which message has which number.

    model      opset, graph
    graph      nodes, tensors, inputs, outputs, what is declared of other tensors

What would change a result and is not read is refused by its name: functions, sparse
tensors, subgraphs, operators of other domains.

Source: onnx.proto and docs/IR.md of the ONNX project.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .._elements import MOST_AXES
from . import form, tensors
from .decode import INT, INTS, PER_OBJECT, REAL, REALS, SPAN, SPANS, TEXT, TEXTS

MODEL = {1: ("ir_version", INT), 7: ("graph", SPAN), 8: ("opset_import", SPANS), 25: ("functions", SPANS)}
OPSET = {1: ("domain", TEXT), 2: ("version", INT)}
GRAPH = {
    1: ("node", SPANS), 2: ("name", TEXT), 5: ("initializer", SPANS), 11: ("input", SPANS), 12: ("output", SPANS),
    13: ("value_info", SPANS), 15: ("sparse_initializer", SPANS),
}  # fmt: skip
NODE = {
    1: ("input", TEXTS), 2: ("output", TEXTS), 3: ("name", TEXT), 4: ("op_type", TEXT), 5: ("attribute", SPANS),
    7: ("domain", TEXT), 8: ("overload", TEXT),
}  # fmt: skip
ATTRIBUTE = {
    1: ("name", TEXT), 2: ("f", REAL), 3: ("i", INT), 4: ("s", SPAN), 5: ("t", SPAN), 7: ("floats", REALS),
    8: ("ints", INTS), 20: ("type", INT), 21: ("ref_attr_name", TEXT),
}  # fmt: skip
VALUE = {1: ("name", TEXT), 2: ("type", SPAN)}
TYPE = {1: ("tensor_type", SPAN)}
TENSOR_TYPE = {1: ("elem_type", INT), 2: ("shape", SPAN)}
SHAPE = {1: ("dim", SPANS)}
DIM = {1: ("dim_value", INT), 2: ("dim_param", TEXT)}
# AttributeProto.AttributeType -> (kind, the field that holds it); the others' names are for the refusal
KINDS = {1: ("float", "f"), 2: ("int", "i"), 3: ("text", "s"), 4: ("tensor", "t"), 6: ("floats", "floats"), 7: ("ints", "ints")}
OTHER_KINDS = {5: "GRAPH", 8: "STRINGS", 9: "TENSORS", 10: "GRAPHS", 11: "SPARSE_TENSOR", 12: "SPARSE_TENSORS",
               13: "TYPE_PROTO", 14: "TYPE_PROTOS"}  # fmt: skip
DOMAINS = ("", "ai.onnx")


@dataclass(frozen=True)
class Node:
    """NodeProto; `attributes` are {name: (kind, value)}."""

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, tuple[str, Any]]


@dataclass(frozen=True)
class Value:
    """ValueInfoProto: an extent is a number, a name, or None; shape None is any rank."""

    name: str
    dtype: np.dtype
    shape: tuple[int | str | None, ...] | None


@dataclass
class Model:
    """A file's graph."""

    opset: int
    ir_version: int
    nodes: list[Node] = field(default_factory=list)
    tensors: dict[str, tensors.Tensor] = field(default_factory=dict)
    inputs: list[Value] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)
    declared: dict[str, Value] = field(default_factory=dict)


def model(source):
    """The records of a file; tensors are checked against the file and the caps, their bytes not yet read."""
    m = source.message((0, source.reader.size), "the model", MODEL)
    if m["graph"] is None or not m["opset_import"]:
        raise source.bad("has no graph or no opset_import: no ONNX model, cut or hostile")
    if m["functions"]:
        raise source.bad(f"has {len(m['functions'])} model-local functions, wanted plain operators")
    found = Model(_opset(source, m["opset_import"]), m["ir_version"] or 0)
    g = source.message(m["graph"], "the graph", GRAPH)
    if g["sparse_initializer"]:
        raise source.bad(f"has {len(g['sparse_initializer'])} sparse initializers, wanted dense tensors")
    ledger = _Ledger(source)
    for number, span in enumerate(g["initializer"]):
        tensor = ledger.tensor(span, f"initializer {number}")
        if not tensor.name or tensor.name in found.tensors:
            raise source.bad(f"initializer {number} is called {tensor.name!r}, wanted a name of its own")
        found.tensors[tensor.name] = tensor
    for key, spans in (("input", g["input"]), ("output", g["output"]), ("value_info", g["value_info"])):
        values = [_value(source, span, f"{key} {number}", key) for number, span in enumerate(spans)]
        if key == "value_info":
            found.declared = {v.name: v for v in values if v}
        else:
            setattr(found, f"{key}s", values)
    found.nodes = [_node(source, ledger, span, f"node {number}") for number, span in enumerate(g["node"])]
    return found


def _opset(source, spans):
    """The version of ONNX's own operators."""
    versions = {}
    for span in spans:
        entry = source.message(span, "opset_import", OPSET)
        domain = entry["domain"] or ""
        versions.setdefault("" if domain in DOMAINS else domain, []).append(entry["version"])
    own = versions.get("", [])
    if len(own) != 1 or own[0] not in form.OPSETS:
        raise source.bad(f"has the opsets {own[:3]} of ai.onnx, wanted one of {form.OPSETS[0]} to {form.OPSETS[-1]}")
    return own[0]


class _Ledger:
    """Counts tensors and their bytes, wherever they stand, against the caps."""

    def __init__(self, source):
        self.source, self.count, self.size = source, 0, 0

    def tensor(self, span, what):
        tensor = tensors.parse(self.source, span, what)
        self.source.charge(8 * PER_OBJECT)
        self.count += 1
        self.size += tensor.count * tensor.dtype.itemsize
        self.source.limits.check_tensors(self.count, self.source.reader)
        self.source.limits.check_bytes(self.size, self.source.reader)
        return tensor


def _value(source, span, what, key):
    """A Value, or None for a `value_info` that is no tensor and that nothing may need."""
    m = source.message(span, what, VALUE)
    if not m["name"]:
        raise source.bad(f"{what} has no name")
    what = f"{what} {m['name']!r}"
    kind = source.message(m["type"], what, TYPE)["tensor_type"] if m["type"] else None
    tensor = source.message(kind, what, TENSOR_TYPE) if kind else None
    if tensor is None or not tensor["elem_type"]:
        if key == "value_info":
            return None
        raise source.bad(f"{what} is no tensor of a known type: sequences, maps and optionals are not read")
    source.charge(4 * PER_OBJECT)
    shape = None
    if tensor["shape"] is not None:
        dims = [source.message(dim, what, DIM) for dim in source.message(tensor["shape"], what, SHAPE)["dim"]]
        shape = tuple(_extent(dim) for dim in dims)
        if len(shape) > MOST_AXES:
            raise source.bad(f"{what} has {len(shape)} axes, wanted at most {MOST_AXES}: no array has more")
    return Value(m["name"], tensors.dtype_of(tensor["elem_type"], what, source.bad), shape)


def _extent(dim):
    """A number, a name, or None; writers of unknown extents also give numbers below 0."""
    if dim["dim_value"] is not None:
        return dim["dim_value"] if dim["dim_value"] >= 0 else None
    name = dim["dim_param"]
    return name if name and name != "?" else None


def _node(source, ledger, span, what):
    m = source.message(span, what, NODE)
    source.charge(16 * PER_OBJECT)
    what = f"{what} {m['name'] or ''!r} ({m['op_type']})"
    if not (m["op_type"] or "").isidentifier() or (m["domain"] or "") not in DOMAINS or m["overload"]:
        domain = m["domain"] or m["overload"] or ""
        raise source.bad(f"{what} is the operator {m['op_type']!r} of {domain!r}, wanted one of ai.onnx")
    attributes = {}
    for inner in m["attribute"]:
        name, kind, value = _attribute(source, ledger, inner, what)
        if name in attributes:
            raise source.bad(f"{what} has the attribute {name} twice")
        attributes[name] = kind, value
    return Node(m["name"] or "", m["op_type"], tuple(m["input"]), tuple(m["output"]), attributes)


def _attribute(source, ledger, span, what):
    """(name, kind, value)."""
    m = source.message(span, what, ATTRIBUTE)
    source.charge(4 * PER_OBJECT)
    what = f"{what}: attribute {m['name']!r}"
    if m["type"] not in KINDS or m["ref_attr_name"] or not m["name"]:
        came = OTHER_KINDS.get(m["type"], "of another function" if m["ref_attr_name"] else f"type {m['type']}")
        raise source.bad(f"{what} is {came}, wanted numbers, a text or a tensor")
    kind, key = KINDS[m["type"]]
    value = m[key]
    if value is None:  # a zero that the writer left out
        value = {"float": 0.0, "int": 0, "text": (0, 0)}.get(kind)
    if value is None:
        raise source.bad(f"{what} has no tensor")
    if kind == "text":
        value = source.text(value, what)
    elif kind == "tensor":
        value = ledger.tensor(value, what)
    return m["name"], kind, tuple(value) if kind in ("ints", "floats") else value
