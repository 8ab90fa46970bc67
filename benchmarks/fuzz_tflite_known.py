"""Hostile changes to TFLite's tables that know what a field means: quantised, sparse and outer tensors, subgraphs, codes.

A model is a tree as in `fuzz_tflite`; a change that has no place in it does nothing.
"""

from __future__ import annotations

import numpy as np

from refmnas.io.tflite.build import Ints, Number, Raw, Table, Tables, Text

EXTENTS = (0, 1, 7, 2**16, 2**31 - 1, -1, -2, -(2**31))


def spoil(model, rng):
    """One change of one of the kinds below."""
    graphs = model.fields.get(2)
    if isinstance(graphs, Tables) and graphs.entries:
        change = rng.choice((quantised, extents, special, outside, shared, subgraphs, code, cycle, numbers))
        change(model, rng.choice(graphs.entries), rng)


def _some(table, slot, rng):
    """One of the tables of a vector, or None."""
    found = table.fields.get(slot)
    found = [entry for entry in found.entries if isinstance(entry, Table)] if isinstance(found, Tables) else []
    return rng.choice(found) if found else None


def quantised(_model, graph, rng):
    """Scales, zero points and details of a tensor, or empty ones."""
    tensor = _some(graph, 0, rng)
    if tensor is not None:
        some = Raw(np.ones(rng.choice((0, 0, 1, 4)), "f4"))
        tensor.fields[4] = rng.choice((Table({}), Table({2: some}), Table({2: some, 3: Raw(np.zeros(1, "i8"))}),
                                       Table({4: Number("B", 1), 5: Table({})}), Ints((1,))))  # fmt: skip


def extents(_model, graph, rng):
    """A tensor's shape, or what it says of open extents."""
    tensor = _some(graph, 0, rng)
    if tensor is not None:
        shape = Ints(tuple(rng.choice(EXTENTS) for _ in range(rng.choice((0, 1, 2, 3, 4, 4, 64, 65)))))
        tensor.fields[rng.choice((0, 7))] = shape


def special(_model, graph, rng):
    """A tensor that is variable, sparse, of variants, in another file, or of another type."""
    tensor = _some(graph, 0, rng)
    if tensor is not None:
        slot, value = rng.choice(((5, Number("?", True)), (6, Table({})), (9, Tables([])), (10, Number("I", 1)),
                                  (1, Number("b", rng.randint(-1, 20)))))  # fmt: skip
        tensor.fields[slot] = value


def outside(model, _graph, rng):
    """A buffer beyond the tables: of any place and size."""
    buffer = _some(model, 4, rng)
    if buffer is not None:
        for slot in rng.choice(((1,), (2,), (1, 2))):
            buffer.fields[slot] = Number("Q", rng.choice((0, 1, 2, 16, 2**32, 2**63, 2**64 - 1)))
        if rng.random() < 0.5:
            buffer.fields.pop(0, None)


def shared(_model, graph, rng):
    """Two tensors over one buffer, one of them of another type or shape, or with the name of the other."""
    tensor, other = _some(graph, 0, rng), _some(graph, 0, rng)
    if tensor is not None:
        for slot in rng.choice(((2,), (2, 0), (2, 0, 1), (3,))):
            if slot in other.fields:
                tensor.fields[slot] = other.fields[slot]


def subgraphs(model, graph, rng):
    """None, or several; the same once more."""
    model.fields[2] = Tables(rng.choice(([], [graph, graph], [graph] * 50, [Table({})])))


def code(model, _graph, rng):
    """Another operator: a custom one with a name, one by its old number, its new one, or both."""
    entry = _some(model, 1, rng)
    if entry is not None:
        old = Number("b", rng.choice((32, 127, -1, rng.randrange(127))))
        new = Number("i", rng.choice((32, 2**31 - 1, rng.randrange(210))))
        entry.fields.clear()
        entry.fields.update(rng.choice(({0: old}, {3: new}, {0: old, 3: new}, {0: old, 1: Text("name"), 3: Number("i", 32)})))


def cycle(_model, graph, rng):
    """An operator that reads or makes another tensor: what comes of it, what is given, none."""
    operator, count = _some(graph, 3, rng), len(getattr(graph.fields.get(0), "entries", ()))
    slot = rng.choice((1, 1, 2))
    numbers = operator.fields.get(slot) if operator is not None else None
    if isinstance(numbers, Ints) and numbers.values:
        values = list(numbers.values)
        values[rng.randrange(len(values))] = rng.choice((rng.randrange(count + 1), rng.randrange(count + 1), count, -1, -2))
        operator.fields[slot] = Ints(tuple(values))


def numbers(model, _graph, rng):
    """A constant of whole numbers (a shape, axes, sizes) with others in it."""
    buffers = model.fields.get(4)
    found = [b for b in buffers.entries if isinstance(b, Table)] if isinstance(buffers, Tables) else []
    found = [b for b in found if isinstance(b.fields.get(0), Raw)]
    found = [b for b in found if b.fields[0].array.dtype == np.int32 and b.fields[0].array.size]
    if found:
        buffer = rng.choice(found)
        array = buffer.fields[0].array.copy()
        array.reshape(-1)[rng.randrange(array.size)] = rng.choice((*EXTENTS, 2, 3, 4, 5))
        buffer.fields[0] = Raw(array)
