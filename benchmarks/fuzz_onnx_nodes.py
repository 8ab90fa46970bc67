"""ONNX files of one operator each, drawn from the table of those that are read: what `fuzz_onnx`'s chains seldom reach.

`make(rng)` takes an operator, an opset, and for every operand and attribute of that version something that
could be meant: small tensors, lists of axes, extents and pads, the choices that are named, now and then an
edge.  An operand is a constant, one whose bytes lie in a file (the model's own), an input of the run, or left out.
"""

from __future__ import annotations

import fuzz_onnx
import numpy as np

from refmnas.io.onnx import operators

OPSETS = (7, 8, 9, 10, 11, 12, 13, 14, 17, 18, 19, 20, 21, 22, 23, 24, 25)
RANKED = ((1, 2, 4, 4), (1, 2, 4, 4), (2, 2, 1, 1), (2, 3), (3,), (), (1, 0, 2, 2))
OTHERS = (*RANKED, (4, 3), (2, 2, 3, 3), (2,), (2,), (4, 1, 2, 2), (2, 1, 3, 3), (3, 2), (3, 3))
LISTS = ((0,), (1,), (-1,), (0, 1), (2, 3), (0, -1), (1, 2), (1, 1), (2, 2), (1, 1, 1, 1), (0, 0, 1, 1), (1, 2, 4, 4),
         (1, 2, 7, 3), (0, 0, 1, 1, 0, 0, 1, 2), (0, 0, -1, -1, 0, 0, -1, -1), (0, 1, 3, 2), (3, 3), (2, 1), (),
         (1,) * 65)  # fmt: skip
EDGES = (2**31 - 1, 2**31, 2**62, 2**63 - 1, -1, -2, -(2**31), -(2**63))


def make(rng):
    """One file's bytes."""
    op, opset = rng.choice(sorted(operators.TABLE)), rng.choice(OPSETS)
    version = operators.TABLE[op].version(opset) or operators.TABLE[op].versions[-1]
    dtype = rng.choice(version.allowed("T")) if rng.random() < 0.2 else np.dtype("f4")
    model = _Model(rng)
    names = []
    for place, (_, mark, letter) in enumerate(version.names()):
        names += _operands(model, place, mark, letter, version, dtype)
    entries = []
    for name, attribute in version.attributes.items():
        if rng.random() < (0.5 if attribute.default is not operators.record.REQUIRED else 0.95):
            entries.append([5, fuzz_onnx.attribute(name, _value(attribute, rng), rng)])
    results = [[2, f"y{k}"] for k in range(rng.choice((1, 1, 1, 1, version.results)))]
    node = [*([1, name] for name in names), *results, [3, "node"], [4, op], *entries]
    graph = [
        [1, node],
        [2, "g"],
        *([5, t] for t in model.tensors),
        *([11, v] for v in model.inputs),
        [12, _open("y0", np.dtype("i8") if op == "Shape" else dtype)],
    ]
    tree = [[1, 8], [2, "fuzz"], [7, graph], [8, [[1, ""], [2, opset]]]]
    if rng.random() < 0.2:
        fuzz_onnx.spoil(tree, rng)
    return fuzz_onnx.encode(tree)


def _open(name, dtype):
    """A value of a type, whose shape is not said."""
    return [[1, name], [2, [[1, [[1, fuzz_onnx.TYPES[dtype.str[1:]]]]]]]]


class _Model:
    """The tensors and inputs of a file."""

    def __init__(self, rng):
        self.rng, self.tensors, self.inputs = rng, [], []
        self.shape = rng.choice(RANKED)

    def add(self, array):
        """The name of an array: a constant, a constant outside, or an input of its shape, or of open extents."""
        name, way = f"w{len(self.tensors) + len(self.inputs)}", self.rng.random()
        if way < 0.25:
            shape = [n if self.rng.random() < 0.7 else self.rng.choice("NMK") for n in array.shape]
            self.inputs.append(fuzz_onnx.value(name, array.dtype.str[1:], shape))
        elif way < 0.35:
            places = [
                ("location", "file"),
                ("offset", str(self.rng.choice((0, 0, 8, 10**6)))),
                ("length", str(array.nbytes)),
            ]
            outside = [[13, [[1, key], [2, text]]] for key, text in places[: self.rng.choice((1, 2, 3))]]
            kind = fuzz_onnx.TYPES[array.dtype.str[1:]]
            self.tensors.append([*([1, n] for n in array.shape), [2, kind], [8, name], *outside, [14, 1]])
        else:
            self.tensors.append(fuzz_onnx.tensor(name, array, self.rng))
        return name


def _operands(model, place, mark, letter, version, dtype):
    """The names of one operand: several where it may stand often, "" where it is left out."""
    rng = model.rng
    if mark == "?" and rng.random() < 0.4:
        return [""]
    if letter in ("L", "I"):
        kind = rng.choice([np.dtype("i8")] if letter == "L" else version.allowed("I"))
        numbers = [n if rng.random() < 0.95 else rng.choice(EDGES) for n in rng.choice(LISTS)]
        return [model.add(np.array(numbers, np.int64).astype(kind))]
    if letter in "SR":
        count = rng.choice((len(model.shape), len(model.shape), 2 * len(model.shape), 2, 4, 0))
        return [
            model.add(
                np.array([rng.choice((1, 1, 2, 0.5, 3, 1.7, 0, -1, float("nan"), 1e9)) for _ in range(count)], "f4")
            )
        ]
    if letter != "T":
        dtype = rng.choice(version.allowed(letter))
    shape = model.shape if not place or rng.random() < 0.3 else rng.choice(OTHERS)
    raw = np.frombuffer(rng.randbytes(int(np.prod(shape))), np.uint8).reshape(shape)
    return [model.add(raw.astype(dtype)) for _ in range(rng.randint(1, 3) if mark == "*" else 1)]


def _value(attribute, rng):
    """A value of an attribute's kind."""
    if attribute.choices:
        return rng.choice(attribute.choices)
    number = rng.choice((0, 1, 1, 2, 3, -1)) if rng.random() < 0.9 else rng.choice(EDGES)
    values = {
        "int": number,
        "type": rng.choice((1, 6, 7, 9, 10, 11, 2, 13, 8, 16)),
        "float": rng.choice((0.0, 0.5, 1.0, -1.0, 1e30)),
        "text": rng.choice(("NOTSET", "constant", "")),
        "tensor": np.full(rng.choice(((), (1,), (2, 2))), 3, "f4"),
        "ints": rng.choice(LISTS),
    }
    return values.get(attribute.kind, number)
