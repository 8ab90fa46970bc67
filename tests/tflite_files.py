"""Small TFLite files for the tests: a few operators over a few tensors, written by the package's own builder of tables."""

import numpy as np

from refmnas.io import tflite
from refmnas.io.tflite import schema
from refmnas.io.tflite.build import Ints, Number, Pieces, Raw, Table, Tables, Text

KINDS = {"f4": 0, "f2": 1, "i4": 2, "u1": 3, "i8": 4, "b1": 6, "i1": 9, "f8": 10}
PLAIN = {"f": "f", "b": "b", "i": "i", "?": "?", "I": "I", "B": "B"}


def tensor(name, dtype, shape, buffer=0, **more):
    """A tensor's table; `more`: signature, quantization, is_variable, sparsity as tables or values."""
    fields = {0: Ints(tuple(shape)), 1: Number("b", KINDS.get(dtype, dtype)), 2: Number("I", buffer), 3: Text(name)}
    slots = {"quantization": 4, "is_variable": 5, "sparsity": 6, "signature": 7, "variant_tensors": 9, "external_buffer": 10}
    return Table(fields | {slots[key]: value for key, value in more.items()})


def options(op, **values):
    """An operator's options by the names of `operators.KNOWN`."""
    from refmnas.io.tflite.operators import KNOWN

    fields = {}
    for name, value in values.items():
        slot, kind, _ = KNOWN[op][name]
        fields[slot] = Ints(tuple(value)) if kind == "ints" else Number(kind, value)
    return Table(fields)


def operator(op, code, inputs, outputs, **values):
    fields = {0: Number("I", code), 1: Ints(tuple(inputs)), 2: Ints(tuple(outputs))}
    if op in schema.OPTIONS:
        fields |= {3: Number("B", schema.OPTIONS[op]), 4: options(op, **values)}
    return Table(fields)


def code(op):
    number = schema.NUMBERS.get(op, op)
    return Table({0: Number("b", min(number, 127)), 3: Number("i", number)})


def model(nodes, inputs, outputs, tensors=None, *, version=3, **changes):
    """nodes: [(op, [operands], result, {options})]; inputs, outputs: {name: (dtype, shape)}; tensors: {name: array}.

    A result that is no output is declared as float32 of the shape that `shapes` says.  `changes` replace fields of
    the model's table by slot, and `shapes`, `more` those of tensors by name.
    """
    shapes, more = changes.pop("shapes", {}), changes.pop("more", {})
    tables, numbers, buffers = [], {}, [Table({})]
    for name, (dtype, shape) in (inputs | shapes | outputs).items():
        numbers[name] = len(tables)
        tables.append(tensor(name, dtype, shape, **more.get(name, {})))
    for name, array in (tensors or {}).items():
        numbers[name] = len(tables)
        tables.append(tensor(name, array.dtype.str[1:], array.shape, len(buffers), **more.get(name, {})))
        buffers.append(Table({0: Raw(np.ascontiguousarray(array))}))
    codes = sorted({op for op, *_ in nodes}, key=str)
    entries = [
        operator(op, codes.index(op), [-1 if name is None else numbers[name] for name in read], [numbers[result]], **values)
        for op, read, result, values in nodes
    ]
    ends = [Ints(tuple(numbers[name] for name in end)) for end in (inputs, outputs)]
    subgraph = Table({0: Tables(tables), 1: ends[0], 2: ends[1], 3: Tables(entries)})
    fields = {0: Number("I", version), 1: Tables([code(op) for op in codes]), 2: Tables([subgraph]), 4: Tables(buffers)}
    return Table(fields | {int(slot[1:]): value for slot, value in changes.items()})


def encode(table):
    return Pieces(table, schema.IDENTIFIER).encoded()


def load(path, table, **caps):
    path.write_bytes(encode(table))
    return tflite.load(path, **caps)


def single(path, op, operands, shape, fixed=(), dtype="f4", **values):
    """(graph, result) of one operator; operands are arrays or None, those in `fixed` constants, the rest inputs."""
    names = [None if a is None else f"x{k}" for k, a in enumerate(operands)]
    fed = {name: a for k, (name, a) in enumerate(zip(names, operands, strict=True)) if name and k not in fixed}
    tensors = {names[k]: operands[k] for k in fixed if names[k]}
    inputs = {name: (a.dtype.str[1:], a.shape) for name, a in fed.items()}
    graph = load(path, model([(op, names, "y", values)], inputs, {"y": (dtype, shape)}, tensors))
    got = graph.run(fed)["y"]
    assert got.shape == tuple(shape)
    return graph, got
