"""Small ONNX files, and hostile changes to them that know their structure; `fuzz_onnx_known` has those of named fields.

A message is a list of [field number, value]; a value is an int (varint), a float (4 bytes), bytes or
a text, or another such list.  `make(rng)` builds a graph that computes, then changes the tree: it
loses, doubles and exchanges fields, sets numbers, types and names, and nests what must not nest.
"""

from __future__ import annotations

import copy
import struct

import fuzz_onnx_known
import numpy as np
from fuzz_models import grown_and_spoiled

from refmnas.io.onnx.wire import varint

EDGES = (0, 1, 2, 3, 7, 255, 2**16, 2**31 - 1, 2**31, 2**32, 2**62, 2**63 - 1, -1, -2, -(2**31), -(2**63))
TYPES = {"f4": 1, "u1": 2, "i1": 3, "u2": 4, "i2": 5, "i4": 6, "i8": 7, "b1": 9, "f2": 10, "f8": 11, "u4": 12, "u8": 13}
NUMBERS = {"f4": 4, "f8": 10, "i8": 7, "u4": 11, "u8": 11}  # the fields of numbers that are no raw bytes; others 5
DEEP = 2000
TIMES = (2,) * 18 + (100,) * 11 + (20_000,)  # how often a field is repeated: one file in about 400 is large


def encode(message, made=None):
    """The bytes of a tree.  `made`: those of a field that stands there many times over, so that it is encoded once."""
    made = {} if made is None else made
    for field in message:
        if id(field) not in made:
            made[id(field)] = _encoded(*field, made)
    return b"".join([made[id(field)] for field in message])


def _encoded(number, value, made):
    if isinstance(value, bool | int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    raw = encode(value, made) if isinstance(value, list) else value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def tensor(name, array, rng):
    """TensorProto: raw bytes, or numbers, packed or one by one."""
    kind = array.dtype.str[1:]
    message = [[1, n] for n in array.shape] + [[2, TYPES[kind]], [8, name]]
    if rng.random() < 0.6:
        return [*message, [9, array.tobytes()]]
    field, flat = NUMBERS.get(kind, 5), array.reshape(-1)
    if kind in ("f4", "f8"):
        return [*message, [field, flat.tobytes()]]
    whole = (flat.view("u2") if kind == "f2" else flat).tolist()
    if rng.random() < 0.5:
        return message + [[field, int(n)] for n in whole]
    return [*message, [field, b"".join(varint(int(n)) for n in whole)]]


def attribute(name, value, rng):
    """AttributeProto of a number, numbers, a text or an array."""
    if isinstance(value, np.ndarray):
        return [[1, name], [5, tensor("", value, rng)], [20, 4]]
    if isinstance(value, str):
        return [[1, name], [4, value], [20, 3]]
    if isinstance(value, tuple):
        many = [[8, n] for n in value] if rng.random() < 0.7 else [[8, b"".join(map(varint, value))]]
        return [[1, name], *many, [20, 7]]
    return [[1, name], [2, value], [20, 1]] if isinstance(value, float) else [[1, name], [3, value], [20, 2]]


def value(name, dtype, shape):
    """ValueInfoProto."""
    dims = [[1, [[2, n]] if isinstance(n, str) else [[1, n]]] for n in shape]
    return [[1, name], [2, [[1, [[1, TYPES[dtype]], [2, dims]]]]]]


class Builder:
    """A chain of nodes over one image, with its initializers."""

    def __init__(self, rng):
        self.rng, self.opset = rng, rng.choice((7, 9, 10, 11, 13, 17, 18, 19, 22, 25))
        self.nodes, self.tensors, self.last, self.shape = [], [], "x", (1, 4, 6, 6)

    def weight(self, array):
        name = f"w{len(self.tensors)}"
        self.tensors.append(tensor(name, np.ascontiguousarray(array), self.rng))
        return name

    def ints(self, *numbers):
        return self.weight(np.array(numbers, np.int64))

    def reals(self, *shape):
        return self.weight(np.frombuffer(self.rng.randbytes(int(np.prod(shape))), np.uint8).reshape(shape).astype("f4") / 64)

    def node(self, op, *inputs, **attributes):
        result = f"t{len(self.nodes)}"
        entries = [[5, attribute(key, a, self.rng)] for key, a in attributes.items()]
        names = [[1, self.last], *([1, name] for name in inputs)] if op != "Constant" else []
        self.nodes.append([*names, [2, result], [3, f"n{len(self.nodes)}"], [4, op], *entries])
        self.last = result

    def grow(self):
        """One more node, of a kind that the shape allows."""
        if len(self.shape) == 4:
            self.rng.choice((self.conv, self.norm, self.simple, self.simple, self.pool, self.pair, self.pad, self.resize,
                             self.slice, self.flat, self.cast, self.turn, self.axes, self.mean, self.gather, self.held,
                             self.joined))()  # fmt: skip
        else:
            self.rng.choice((self.gemm, self.simple, self.pair, self.cast))()

    def conv(self):
        C = self.shape[1]
        k, group = self.rng.choice((1, 3)), self.rng.choice((1, C))
        b = [self.reals(C)] if self.rng.random() < 0.5 else []
        places = {"pads": (k // 2,) * 4} if self.rng.random() < 0.5 else {"auto_pad": "SAME_UPPER"}
        self.node("Conv", self.reals(C, C // group, k, k), *b, group=group, **places)

    def norm(self):
        C = self.shape[1]
        self.node("BatchNormalization", *(self.reals(C) for _ in range(3)), self.weight(np.ones(C, "f4")))

    def simple(self):
        op = self.rng.choice(("Relu", "Sigmoid", "HardSigmoid", "Identity", "Clip", "Softmax"))
        self.node(op, **({"min": 0.0, "max": 6.0} if op == "Clip" and self.opset < 11 else {}))

    def pair(self):
        other = self.reals(1, self.shape[1], 1, 1) if len(self.shape) == 4 else self.reals(1)
        self.node(self.rng.choice(("Add", "Mul", "Sub", "Div")), self.rng.choice((self.last, other)))

    def pool(self):
        op = self.rng.choice(("MaxPool", "AveragePool"))
        self.node(op, kernel_shape=(3, 3), pads=(1, 1, 1, 1), strides=(1, 1))

    def pad(self):
        pads = (0, 0, 1, 1, 0, 0, -1, -1)
        self.node("Pad", **{"pads": pads}) if self.opset < 11 else self.node("Pad", self.ints(*pads))

    def resize(self):
        if self.opset >= 13:
            self.node("Resize", "", self.weight(np.array((1, 1, 1, 1), "f4")), mode=self.rng.choice(("nearest", "linear")))

    def slice(self):
        if self.opset < 10:
            self.node("Slice", starts=(0,), ends=(6,), axes=(2,))
        else:
            self.node("Slice", self.ints(0), self.ints(2**31), self.ints(2))

    def cast(self):
        self.node("Cast", to=1)

    def turn(self):
        self.node("Transpose", perm=(0, 1, 3, 2))

    def axes(self):
        """An axis more and less."""
        for op in ("Unsqueeze", "Squeeze"):
            self.node(op, **{"axes": (0,)}) if self.opset < 13 else self.node(op, self.ints(0))

    def mean(self):
        if self.rng.random() < 0.5:
            self.node("GlobalAveragePool")
        elif self.opset < 18:
            self.node("ReduceMean", axes=(2, 3), keepdims=1)
        else:
            self.node("ReduceMean", self.ints(2, 3), keepdims=1)

    def gather(self):
        self.node("Gather", self.ints(*range(self.shape[1])), axis=1)

    def held(self):
        """A shape that is computed, or a constant of a node, added."""
        image = self.last
        if self.rng.random() < 0.5:
            self.node("Shape")
            self.node("ConstantOfShape", value=np.zeros(1, "f4"))
        else:
            self.node("Constant", value=np.ones((1, 1, 1, 1), "f4"))
        self.node("Add", image)

    def joined(self):
        self.node("Concat", self.last, axis=0)
        if self.opset >= 10:
            self.node("Slice", self.ints(0), self.ints(1), self.ints(0))

    def flat(self):
        if self.rng.random() < 0.5:
            self.node("Reshape", self.ints(0, -1))
        else:
            self.node("Flatten", axis=1)
        self.shape = self.shape[0], int(np.prod(self.shape[1:]))

    def gemm(self):
        C = self.shape[1]
        self.node("Gemm", self.reals(C, 3), self.reals(3), alpha=1.0, transB=0)
        self.shape = self.shape[0], 3

    def model(self):
        graph = [[1, node] for node in self.nodes] + [[2, "g"]] + [[5, entry] for entry in self.tensors]
        graph += [[11, value("x", "f4", (self.rng.choice((1, "N")), 4, 6, 6))]]
        graph += [[12, [[1, self.last], [2, [[1, [[1, 1]]]]]]]]
        return [[1, 8], [2, "fuzz"], [7, graph], [8, [[1, ""], [2, self.opset]]]]


def make(rng):
    """One file's bytes."""
    return encode(grown_and_spoiled(Builder(rng), _either, rng))


def _either(model, rng):
    """A change of a named field, or of any."""
    (fuzz_onnx_known.spoil if rng.random() < 0.3 else spoil)(model, rng)


def places(message, found=None):
    """Every (message, index) of a tree."""
    found = [] if found is None else found
    for k, (_, inner) in enumerate(message):
        found.append((message, k))
        if isinstance(inner, list):
            places(inner, found)
    return found


def spoil(model, rng):
    """One change of the tree."""
    found = places(model)
    message, k = rng.choice(found)
    other, j = rng.choice(found)
    change = rng.choice(("value", "value", "value", "value", "lose", "double", "swap", "field", "insert", "many", "nest"))
    if change == "lose":
        del message[k]
    elif change == "double":
        message.insert(k, message[k])
    elif change == "swap":
        message[k][1], other[j][1] = copy.deepcopy((other[j][1], message[k][1]))
    elif change == "field":
        message[k] = [rng.choice((*range(1, 27), 2**28, 2**29, 0)), message[k][1]]
    elif change == "insert":
        message.insert(k, [rng.randint(1, 26), rng.choice((rng.choice(EDGES), 0.5, "x", b"\xff", [], b"\x80" * 12))])
    elif change == "many":
        message[k : k + 1] = [message[k]] * rng.choice(TIMES)
    elif change == "nest":
        deep = b"\x0a\x01"
        for _ in range(rng.choice((10, DEEP))):
            deep = b"\x32" + varint(len(deep)) + deep
        message[k] = [message[k][0], deep]
    else:
        message[k] = [message[k][0], _other(message[k][1], rng)]


def _other(value, rng):
    """Another value of the same kind."""
    if isinstance(value, int):
        return rng.choice((*EDGES, value + 1, value - 1, value * 2, *range(1, 27)))
    if isinstance(value, float):
        return rng.choice((0.0, -1.0, float("nan"), float("inf"), 1e-38, 3e38))
    if isinstance(value, bytes):
        filled = (b"\xff" * len(value), b"\x80" * len(value), rng.randbytes(len(value)))
        return rng.choice((value[:-1], value + b"\0", b"", *filled))
    if isinstance(value, str):
        return rng.choice((*OPERATORS, "x", "t0", "t1", "w0", "", "é" * 3000, "SAME_LOWER", "\0", "cubic", "../w", value * 2))
    return rng.choice(([], value[:1], value[::-1], [*value, *value]))


OPERATORS = ("Conv", "Gemm", "MatMul", "Reshape", "Resize", "Slice", "Gather", "Concat", "Transpose", "Squeeze", "Unsqueeze",
             "Pad", "ReduceMean", "MaxPool", "AveragePool", "GlobalAveragePool", "Shape", "Constant", "Cast", "Div", "Clip",
             "ConstantOfShape", "If", "Loop", "Identity")  # fmt: skip
