"""ONNX files of one or a few nodes for the tests, by an encoder of their own: a message is a list of
[field number, value]; a value is an int (varint), a float (4 bytes), bytes, a text, or a list again."""

import struct

import numpy as np

from refmnas.io import onnx

TYPES = {"f4": 1, "u1": 2, "i1": 3, "u2": 4, "i2": 5, "i4": 6, "i8": 7, "b1": 9, "f2": 10, "f8": 11, "u4": 12, "u8": 13}


def varint(number):
    number, out = number % 2**64, b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def encode(message):
    out = bytearray()
    for field, value in message:
        if isinstance(value, int):
            out += varint(field << 3) + varint(value)
        elif isinstance(value, float):
            out += varint(field << 3 | 5) + struct.pack("<f", value)
        else:
            raw = encode(value) if isinstance(value, list) else value.encode() if isinstance(value, str) else value
            out += varint(field << 3 | 2) + varint(len(raw)) + raw
    return bytes(out)


def tensor(name, array):
    array = np.asarray(array)
    kind = array.dtype.str[1:]
    return [*([1, n] for n in array.shape), [2, TYPES[kind]], [8, name], [9, array.tobytes()]]


def attribute(name, value):
    if isinstance(value, np.ndarray):
        return [[1, name], [5, tensor("", value)], [20, 4]]
    if isinstance(value, str):
        return [[1, name], [4, value], [20, 3]]
    if isinstance(value, tuple | list):
        is_real = any(isinstance(n, float) for n in value)
        return [[1, name], *([7 if is_real else 8, n] for n in value), [20, 6 if is_real else 7]]
    return [[1, name], [2, value], [20, 1]] if isinstance(value, float) else [[1, name], [3, int(value)], [20, 2]]


def node(op, inputs, outputs, name="", **attributes):
    entries = [[5, attribute(key, value)] for key, value in attributes.items()]
    return [*([1, text] for text in inputs), *([2, text] for text in outputs), [3, name], [4, op], *entries]


def value(name, dtype="f4", shape=None):
    kind = [[1, TYPES[dtype]]]
    if shape is not None:
        kind.append([2, [[1, [[2, n]] if isinstance(n, str) else [] if n is None else [[1, n]]] for n in shape]])
    return [[1, name], [2, [[1, kind]]]]


def model(nodes, inputs=(), outputs=(), tensors=None, opset=17, infos=(), ir=10):
    graph = [[1, entry] for entry in nodes] + [[2, "g"]]
    graph += [[5, tensor(name, array)] for name, array in (tensors or {}).items()]
    graph += [[11, entry] for entry in inputs] + [[12, entry] for entry in outputs] + [[13, entry] for entry in infos]
    return [[1, ir], [7, graph], [8, [[1, ""], [2, opset]]]]


def load(path, message, **caps):
    path.write_bytes(encode(message))
    return onnx.load(path, **caps)


def single(path, op, operands, opset=17, fixed=(), results=1, **attributes):
    """(graph, its results) of one node; operands are arrays or None, those in `fixed` initializers, the rest inputs.

    Whatever is known of a result without a run must agree with the run's.
    """
    names = ["" if array is None else f"x{k}" for k, array in enumerate(operands)]
    fed = {name: a for k, (name, a) in enumerate(zip(names, operands, strict=True)) if name and k not in fixed}
    tensors = {names[k]: operands[k] for k in fixed if names[k]}
    outputs = [f"y{k}" for k in range(results)]
    inputs = [value(name, a.dtype.str[1:], a.shape) for name, a in fed.items()]
    ends = [value(name, _kind(op, operands, name, attributes)) for name in outputs]
    message = model([node(op, names, outputs, **attributes)], inputs, ends, tensors, opset)
    graph = load(path, message)
    got = graph.run(fed)
    for name, array in got.items():
        info = graph.known[name]
        assert info.dtype == array.dtype
        if info.shape is not None:
            assert len(info.shape) == array.ndim
            assert all(n in (None, m) for n, m in zip(info.shape, array.shape, strict=True))
        assert info.value is None or np.array_equal(info.value, array)
    return graph, [got[name] for name in outputs]


def _kind(op, operands, name, attributes):
    """The element type of a result."""
    if op == "Shape" or (op == "MaxPool" and name == "y1"):
        return "i8"
    if op == "ConstantOfShape":
        return attributes["value"].dtype.str[1:]
    if op == "Cast":
        return next(kind for kind, number in TYPES.items() if number == attributes["to"])
    return operands[0].dtype.str[1:]


def chain(*nodes, tensors=None, inputs=None, outputs=None, opset=17, **options):
    """A model of x (1, 4) to y."""
    inputs = inputs or [value("x", "f4", (1, 4))]
    return model(nodes, inputs, outputs or [value("y")], tensors, opset, **options)
