"""Hostile changes to ONNX's messages that know what a field means: bytes outside, types, extents, nested graphs, cycles.

A message is a tree as in `fuzz_onnx`; a change that has no place in it does nothing.  What is put into
another message is a copy: a tree that held itself would have no end.
"""

from __future__ import annotations

import copy

LOCATIONS = ("file", "./file", "a/../file", "../file", "/etc/hostname", "", ".", "..", "absent", "\0", "C:\\x", "file/",
             "f" * 5000)  # fmt: skip
NUMBERS = ("0", "1", "8", "4096", "-1", "", "x", "1e3", "9" * 19, "9" * 30, "٣")
EXTENTS = (0, 1, 7, 2**16, 2**31, 2**32, 2**62, 2**63 - 1, -1, -(2**63))
DEPTHS = (1, 3, 30)


def spoil(model, rng):
    """One change of one of the kinds below."""
    graph = _last(model, 7)
    if isinstance(graph, list):
        rng.choice((external, extents, kind, numbers, segment, sparse, nested, cycle, unnamed, declared))(graph, rng)


def _last(message, number):
    """The value of a field's last entry."""
    return next((entry[1] for entry in reversed(message) if entry[0] == number), None)


def _some(graph, number, rng):
    """One of the messages of a repeated field, or None."""
    found = [value for key, value in graph if key == number and isinstance(value, list)]
    return rng.choice(found) if found else None


def _without(message, *numbers):
    return [entry for entry in message if entry[0] not in numbers]


def external(graph, rng):
    """A tensor's bytes in another file: the model itself, one outside of the folder, none."""
    tensor = _some(graph, 5, rng)
    if tensor is None:
        return
    entries = [("location", rng.choice(LOCATIONS)), ("offset", rng.choice(NUMBERS)), ("length", rng.choice(NUMBERS))]
    entries = entries[: rng.choice((1, 1, 2, 2, 3))] + rng.choice(([], [], [("checksum", "x")], [("location", "file")]))
    if rng.random() < 0.1:
        entries = entries[1:]
    kept = tensor if rng.random() < 0.1 else _without(tensor, 4, 5, 7, 9, 10, 11)
    tensor[:] = [*kept, *([13, [[1, key], [2, value]]] for key, value in entries), [14, rng.choice((1, 1, 1, 1, 0, 2, -1))]]


def extents(graph, rng):
    """A tensor's extents: a product that wraps, one that is 0 with a large one, many."""
    tensor = _some(graph, 5, rng)
    if tensor is not None:
        shape = [rng.choice(EXTENTS) for _ in range(rng.choice((0, 1, 2, 3, 4, 64, 65)))]
        tensor[:] = [*([1, n] for n in shape), *_without(tensor, *rng.choice(((1,), (1, 4, 5, 7, 9, 10, 11))))]


def kind(graph, rng):
    """Another element type, with bytes of that many elements or with what was there."""
    tensor = _some(graph, 5, rng)
    if tensor is not None:
        tensor[:] = [*_without(tensor, 2), [2, rng.randint(0, 27)]]
        if rng.random() < 0.5:
            tensor[:] = [*_without(tensor, 1, 4, 5, 7, 9, 10, 11), [1, 2], [9, rng.randbytes(2 * rng.choice((1, 2, 4, 8)))]]


def numbers(graph, rng):
    """Elements as numbers, in the field of their type or of another, too large, too many, packed and not."""
    tensor = _some(graph, 5, rng)
    if tensor is not None:
        count, field = rng.randint(0, 12), rng.choice((4, 5, 5, 5, 7, 10, 11))
        one_by_one = [[field, rng.choice((0, 1, 255, 2**16, 2**31, 2**63, -1))] for _ in range(count)]
        packed = [[field, rng.randbytes(count) + bytes(rng.choice((0, 0, 1)))]]
        kept = _without(tensor, 1, 2, 4, 5, 7, 9, 10, 11)
        tensor[:] = [[1, count], [2, rng.randint(1, 13)], *kept, *rng.choice((one_by_one, packed, one_by_one + packed))]


def segment(graph, rng):
    """A part of a tensor, or a text among its numbers."""
    tensor = _some(graph, 5, rng)
    if tensor is not None:
        tensor.append(rng.choice(([3, [[1, 0], [2, 1]]], [3, []], [6, "text"])))


def sparse(graph, rng):
    """A sparse tensor beside the dense ones, or as an attribute."""
    values = copy.deepcopy(_some(graph, 5, rng)) or []
    tensor = [[1, values], [2, [[1, 1], [2, 7], [9, bytes(8)]]], [3, rng.choice(EXTENTS)]]
    node = _some(graph, 1, rng)
    if node is None or rng.random() < 0.5:
        graph.append([15, tensor])
    else:
        node.append([5, [[1, "value"], [22, tensor], [20, 11]]])


def nested(graph, rng):
    """The graph within a node of itself, several times over, as one or as many."""
    node = _some(graph, 1, rng)
    inner = copy.deepcopy(graph)
    for _ in range(rng.choice(DEPTHS)):
        inner = [[1, [[1, "x"], [2, "y"], [4, "If"], [5, [[1, "then_branch"], [6, inner], [20, 5]]]]]]
    if node is not None:
        field = rng.choice(((6, 5), (11, 10), (6, 2), (5, 4)))
        node.append([5, [[1, rng.choice(("then_branch", "body", "value"))], [field[0], inner], [20, field[1]]]])


def cycle(graph, rng):
    """A node that reads what comes of it, or another name."""
    nodes = [value for key, value in graph if key == 1 and isinstance(value, list)]
    names = [value for node in nodes for key, value in node if key == 2]
    node = _some(graph, 1, rng)
    if node is not None and names:
        places = [k for k, entry in enumerate(node) if entry[0] in (1, 2)]
        if places:
            k = rng.choice(places)
            node[k] = [node[k][0], rng.choice(names)]
        if rng.random() < 0.5:
            rng.shuffle(graph)


def unnamed(graph, rng):
    """Operands and results that are left out, in the middle and at the end."""
    node = _some(graph, 1, rng)
    if node is not None:
        node[:] = [[number, "" if number in (1, 2) and rng.random() < 0.4 else value] for number, value in node]
        node.insert(0, [rng.choice((1, 2)), ""])


def declared(graph, rng):
    """What the file says of a tensor inside, true or not; an input that is an initializer too."""
    one = [[1, rng.choice(EXTENTS)]], [[2, rng.choice(("N", "?", ""))]], []
    dims = [[1, list(rng.choice(one))] for _ in range(rng.randint(0, 5))]
    known = [[1, rng.choice((1, 1, 1, 7, 10, 11, 8, 16, 0))], [2, dims]]
    value = [[1, rng.choice(("t0", "t1", "w0", "x", ""))], [2, rng.choice(([[1, known]], [[1, known[:1]]], [[4, []]], []))]]
    graph.append([rng.choice((13, 13, 11, 12)), value])
