"""Which part of a graph is which step of a network: from the output backwards.

Both are brought to the same form, and every part gets a number: equal for equal operators with equal
kernels, strides, pads, widths and activations over inputs of equal numbers.  Where the two outputs have one
number, each reader tells which part its inputs are; of a sum, whose order is nobody's business, the numbers tell,
and where those are equal the order of the file does.
"""

from __future__ import annotations

from collections.abc import Iterable

from .parts import Part, joined

_OPS = {"pointwise": "matrix", "linear": "matrix"}
_EITHER_ORDER = ("add", "scale")


def of_steps(steps):
    """The steps of a network as parts."""
    return joined([_part(step) for step in steps])


def _part(step):
    """A step's part: a group of one channel is depthwise, as `reduce` has it."""
    is_single = step.op == "conv" and step.groups > 1 and step.w.shape[2] == 1 and step.groups == step.w.shape[3]
    op = "depthwise" if is_single else _OPS.get(step.op, step.op)
    options = {"stride": step.stride, "pad": tuple(step.pad), "act": step.act, "step": step.name}
    pool = {"kernel": step.kernel, "count_pad": step.count_pad} if op in ("average_pool", "max_pool") else {}
    groups = step.groups if op == "conv" else 1
    return Part(op, list(step.inputs), step.name, w=step.w, b=step.b, groups=groups, **options, **pool)


def longer(shape):
    """The axes longer than 1: whether a kernel of 1 x 1 or a group of one channel has axes of its own differs."""
    return tuple(n for n in shape if n != 1)


def pairs(ours, theirs, image):
    """[(our part, theirs)] of every part with weights, in our order; None where the two are not the same network.

    image   what our first step reads, and theirs
    """
    table: dict[tuple, int] = {}
    numbers = [_numbers(parts, name, table) for parts, name in zip((ours, theirs), image, strict=True)]
    if None in numbers or numbers[0][ours[-1].output] != numbers[1][theirs[-1].output]:
        return None
    found = _followed(ours, theirs, numbers)
    weighed = [part for part in theirs if part.w is not None]
    if found is None or {id(part) for part in found.values()} != {id(part) for part in weighed}:
        return None
    return [(part, found[part.output]) for part in ours if part.w is not None]


def _numbers(parts, image, table):
    """{tensor: its number}, or None where a part reads what none makes."""
    known = {image: 0}
    for part in parts:
        if any(name not in known for name in part.inputs):
            return None
        inputs: Iterable[int] = [known[name] for name in part.inputs]
        inputs = sorted(inputs) if part.op in _EITHER_ORDER else inputs
        weights = None if part.w is None else (longer(part.w.shape), part.w.size)
        counts = part.count_pad and any(part.pad)
        key = (part.op, part.act, part.stride, tuple(part.pad), part.groups, weights, part.kernel, counts, *inputs)
        known[part.output] = table.setdefault(key, len(table) + 1)
    return known


def _followed(ours, theirs, numbers):
    """{our tensor: their part} of those with weights; None where two parts would be one step, or two steps one part."""
    makers = [{part.output: part for part in parts} for parts in (ours, theirs)]
    found: dict[str, Part] = {}
    open_, seen = [(ours[-1].output, theirs[-1].output)], set()
    while open_:
        names = open_.pop()
        if names in seen or names[0] not in makers[0]:
            continue
        seen.add(names)
        mine, other = (makers[k][name] for k, name in enumerate(names))
        if mine.w is not None and found.setdefault(mine.output, other) is not other:
            return None
        reads = [mine.inputs, other.inputs]
        if mine.op in _EITHER_ORDER:
            reads = [sorted(names, key=known.get) for names, known in zip(reads, numbers, strict=True)]
        open_ += zip(*reads, strict=True)
    return found if len({id(part) for part in found.values()}) == len(found) else None
