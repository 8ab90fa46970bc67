"""Small TFLite files, and hostile changes to them that know their structure.

`make(rng)` builds a model that computes, as a tree of tables, then changes the tree: fields are lost, moved
to other slots and exchanged, numbers, enumerations, shapes and names set, vectors emptied and grown.  Then, now and
then, it changes what only the bytes have: offsets, vtables and the lengths of vectors.
"""

from __future__ import annotations

import struct

import fuzz_tflite_known
import numpy as np
from fuzz_models import grown_and_spoiled

from refmnas.io.tflite import operators, schema
from refmnas.io.tflite.build import Ints, Number, Pieces, Raw, Table, Tables, Text

RANGES = {"b": (-(2**7), 2**7), "B": (0, 2**8), "i": (-(2**31), 2**31), "I": (0, 2**32), "Q": (0, 2**64)}
EDGES = (0, 1, 2, 3, 4, 7, 127, 255, 2**15, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**63, -1, -2, -128, -(2**31))
WORDS = (0, 1, 2, 4, 6, 8, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF)
TYPES = {"f4": 0, "f2": 1, "i4": 2, "i8": 4}
TIMES = (2,) * 12 + (100,) * 7 + (2000,)  # how often a table is repeated
NAMES = ("x", "t0", "w0", "", "é" * 3000, "t0" * 3, "\0", "x:1")


class Builder:
    """A chain of operators over one image."""

    def __init__(self, rng):
        self.rng = rng
        self.tensors, self.buffers, self.operators, self.codes = [], [Table({})], [], []
        self.shape = (1, 6, 6, 4)
        self.image = self.last = self.tensor("x", "f4", self.shape)

    def tensor(self, name, kind, shape, buffer=0):
        fields = {0: Ints(tuple(shape)), 1: Number("b", TYPES[kind]), 2: Number("I", buffer), 3: Text(name)}
        if name == "x" and self.rng.random() < 0.3:
            fields[7] = Ints((-1, *shape[1:]))
        self.tensors.append(Table(fields))
        return len(self.tensors) - 1

    def constant(self, array):
        self.buffers.append(Table({0: Raw(np.ascontiguousarray(array))}))
        return self.tensor(f"w{len(self.buffers)}", array.dtype.str[1:], array.shape, len(self.buffers) - 1)

    def reals(self, *shape):
        raw = np.frombuffer(self.rng.randbytes(int(np.prod(shape))), np.uint8).reshape(shape).astype("f4") / 64
        if self.rng.random() < 0.7:
            return self.constant(raw)
        half = self.constant(raw.astype("f2"))
        wide = self.tensor("wide", "f4", shape)
        self.operator("DEQUANTIZE", [half], wide)
        return wide

    def ints(self, *values):
        return self.constant(np.array(values, "i4"))

    def operator(self, op, inputs, result, **values):
        if op not in self.codes:
            self.codes.append(op)
        fields = {0: Number("I", self.codes.index(op)), 1: Ints(tuple(inputs)), 2: Ints((result,))}
        if op in schema.OPTIONS:
            known = operators.KNOWN[op]
            options = {known[k][0]: Ints(v) if isinstance(v, tuple) else Number(known[k][1], v) for k, v in values.items()}
            fields |= {3: Number("B", schema.OPTIONS[op]), 4: Table(options)}
        self.operators.append(Table(fields))

    def step(self, op, *inputs, shape=None, **values):
        """One operator more, of what came last."""
        self.shape = self.shape if shape is None else shape
        result = self.tensor(f"t{len(self.operators)}", "f4", self.shape)
        self.operator(op, [self.last, *inputs], result, **values)
        self.last = result

    def grow(self):
        choices = (self.simple, self.pair, self.reshape)
        if len(self.shape) == 4:
            choices = (self.conv, self.conv, self.depthwise, self.pool, self.pad, self.slice, self.resize, self.mean, self.turn,
                       self.squeeze, self.joined, *choices)  # fmt: skip
        self.rng.choice(choices)()

    def conv(self):
        N, H, W, C = self.shape
        k = self.rng.choice((1, 3))
        bias = [self.reals(5)] if self.rng.random() < 0.5 else [-1] if self.rng.random() < 0.5 else []
        act = self.rng.choice((0, 1, 2, 3))
        self.step("CONV_2D", self.reals(5, k, k, C), *bias, shape=(N, H, W, 5), stride_h=1, stride_w=1, act=act)

    def depthwise(self):
        C = self.shape[3]
        self.step("DEPTHWISE_CONV_2D", self.reals(1, 3, 3, C), stride_h=1, stride_w=1, multiplier=1, act=3)

    def pool(self):
        op = self.rng.choice(("AVERAGE_POOL_2D", "MAX_POOL_2D"))
        self.step(op, stride_h=1, stride_w=1, filter_h=2, filter_w=2)

    def pad(self):
        N, H, W, C = self.shape
        self.step("PAD", self.constant(np.array([[0, 0], [1, 0], [0, 1], [0, 0]], "i4")), shape=(N, H + 1, W + 1, C))

    def slice(self):
        N, H, W, C = self.shape
        size = (N, H - 1, W - 1, C) if min(H, W) > 1 else self.shape
        self.step("SLICE", self.ints(*(n - m for n, m in zip(self.shape, size, strict=True))), self.ints(*size), shape=size)

    def resize(self):
        N, _, _, C = self.shape
        op = self.rng.choice(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"))
        self.step(op, self.ints(5, 7), shape=(N, 5, 7, C), half_pixel_centers=self.rng.random() < 0.5)

    def turn(self):
        N, H, W, C = self.shape
        self.step("TRANSPOSE", self.ints(0, 2, 1, 3), shape=(N, W, H, C))

    def squeeze(self):
        if self.shape[0] == 1:
            self.step("SQUEEZE", shape=self.shape[1:], squeeze_dims=(0,))
            self.step("RESHAPE", self.ints(1, *self.shape), shape=(1, *self.shape))

    def joined(self):
        N, H, W, C = self.shape
        self.step("CONCATENATION", self.last, shape=(N, H, W, 2 * C), axis=3, act=self.rng.choice((0, 1)))

    def mean(self):
        N, _, _, C = self.shape
        self.step("MEAN", self.ints(1, 2), shape=(N, 1, 1, C), keep_dims=True)

    def simple(self):
        op = self.rng.choice(("RELU", "RELU6", "LOGISTIC", "HARD_SWISH", "SOFTMAX", "PRELU"))
        more = [self.reals(self.shape[-1])] if op == "PRELU" else []
        self.step(op, *more, **({"beta": 1.0} if op == "SOFTMAX" else {}))

    def pair(self):
        other = self.rng.choice((self.last, self.reals(self.shape[-1])))
        self.step(self.rng.choice(("ADD", "SUB", "MUL", "DIV")), other, act=self.rng.choice((0, 1)))

    def reshape(self):
        size = int(np.prod(self.shape[1:]))
        if self.rng.random() < 0.5:
            self.step("RESHAPE", self.ints(-1, size), shape=(1, size))
        elif len(self.shape) == 2:
            self.step("FULLY_CONNECTED", self.reals(3, size), shape=(1, 3), act=1)

    def model(self):
        codes = [Table({0: Number("b", min(schema.NUMBERS[op], 127)), 3: Number("i", schema.NUMBERS[op])}) for op in self.codes]
        ends = Ints((self.image,)), Ints((self.last,))
        graph = Table({0: Tables(self.tensors), 1: ends[0], 2: ends[1], 3: Tables(self.operators)})
        return Table({0: Number("I", 3), 1: Tables(codes), 2: Tables([graph]), 4: Tables(self.buffers)})


def make(rng):
    """One file's bytes."""
    model = grown_and_spoiled(Builder(rng), _either, rng)
    try:
        data = bytearray(Pieces(model, schema.IDENTIFIER).encoded())
    except RecursionError:  # a table was exchanged with one inside it: no file holds itself, another one is made
        return make(rng)
    for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
        overwrite(data, rng)
    return bytes(data)


def _either(model, rng):
    """A change of a named field, or of any."""
    (fuzz_tflite_known.spoil if rng.random() < 0.3 else spoil)(model, rng)


def overwrite(data, rng):
    """An offset, a length or a vtable's entry is another number; every one stands at a multiple of its size."""
    way = rng.random()
    if way < 0.2:  # a table's vtable lies elsewhere: within another, over itself, in a weight, at the end
        at, vtable = rng.randrange(len(data) // 4) * 4, rng.randrange(len(data) // 2) * 2
        struct.pack_into("<i", data, at, at - vtable)
    elif way < 0.6:
        at = rng.randrange(len(data) // 4) * 4
        near = struct.unpack_from("<I", data, at)[0] + rng.choice((-4, -2, -1, 1, 2, 4, 64))
        struct.pack_into("<I", data, at, rng.choice((*WORDS, near, len(data), len(data) - at, -at)) & 0xFFFFFFFF)
    else:
        at = rng.randrange(len(data) // 2) * 2
        struct.pack_into("<H", data, at, rng.choice((*WORDS, rng.randrange(2**16))) & 0xFFFF)


def places(value, found=None):
    """Every (holder, key) of a tree: a table's dictionary and slot, or a vector's list and index."""
    found = [] if found is None else found
    if isinstance(value, Table):
        for slot, inner in value.fields.items():
            found.append((value.fields, slot))
            places(inner, found)
    elif isinstance(value, Tables):
        for k, inner in enumerate(value.entries):
            found.append((value.entries, k))
            places(inner, found)
    return found


def spoil(model, rng):
    """One change of the tree."""
    found = places(model)
    if not found:
        return
    holder, key = rng.choice(found)
    other, there = rng.choice(found)
    change = rng.choice(("value", "value", "value", "value", "lose", "move", "swap", "many"))
    if isinstance(holder, list):
        if change == "lose":
            del holder[key]
        elif change in ("many", "move"):
            holder[key : key + 1] = [holder[key]] * rng.choice(TIMES)
        elif isinstance(other, list):
            holder[key], other[there] = other[there], holder[key]
    elif change == "lose":
        del holder[key]
    elif change == "move":
        holder[rng.randrange(20)] = holder[key]
    elif change == "swap" and isinstance(other, dict) and not isinstance(holder[key], Table | Tables):
        holder[key] = other[there] if not isinstance(other[there], Table | Tables) else holder[key]
    else:
        holder[key] = _other(holder[key], rng)


def _other(value, rng):
    """Another value of the same kind."""
    if isinstance(value, Number):
        low, high = RANGES.get(value.code, (0, 2))
        if value.code == "f":
            return Number("f", rng.choice((0.0, -1.0, float("nan"), float("inf"), 3e38)))
        number = rng.choice((*EDGES, value.value + 1, value.value - 1, *range(1, 27), rng.randrange(130)))
        return Number(value.code, low + (number - low) % (high - low))
    if isinstance(value, Ints):
        wrong = rng.choice((*[n for n in EDGES if -(2**31) <= n < 2**31], *range(1, 9)))
        k = rng.randrange(len(value.values)) if value.values else 0
        set_one = (*value.values[:k], wrong, *value.values[k + 1 :])
        return Ints(rng.choice((set_one, set_one, set_one, value.values[:-1], (*value.values, wrong), (), (1,) * 70)))
    if isinstance(value, Text):
        return Text(rng.choice(NAMES))
    if isinstance(value, Raw):
        raw = np.frombuffer(value.array.tobytes(), np.uint8)
        filled = np.frombuffer(rng.randbytes(len(raw)), np.uint8), np.full(len(raw), 255, np.uint8)
        return Raw(rng.choice((raw[:-1], raw[:0], np.append(raw, raw), *filled)))
    return rng.choice((Table({}), Tables([]), Ints(()), Number("i", -1), value))
