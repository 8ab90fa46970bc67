"""What a graph is made of: convolutions with their batch norm and activation, pools, gates, sums, dense layers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

NORM = ("gamma", "beta", "mean", "var")
_SWISH = {"sigmoid": "swish", "hard_sigmoid": "hard_swish"}


@dataclass
class Part:
    """op: conv, depthwise, matrix (a 1 x 1 convolution or a dense layer), pool, scale, add, act; and of networks of
    cells concat, shift, average_pool, max_pool: as `refmnas.models.node` has them.
    """

    op: str
    inputs: list[str]
    output: str
    w: np.ndarray | None = None  # as our layouts have it
    b: np.ndarray | None = None
    groups: int = 1
    stride: int | tuple[int, int] = 1  # of rows and columns; (rows, columns) where they differ
    pad: tuple[int, ...] = (0, 0, 0, 0)  # top, bottom, left, right
    act: str = "identity"
    norm: dict[str, np.ndarray] | None = None  # batch norm that was not folded
    eps: float | None = None
    kernel: int = 1  # of the pools over windows
    count_pad: bool = False
    step: str = ""  # which step of a network it is made of


@dataclass
class Parts:
    """The parts in order, the names of what goes in and comes out, and the image's size where it is fixed."""

    parts: list[Part]
    image: str
    size: tuple[int | None, int | None]
    names: set[str] = field(default_factory=set)


class Unknown(Exception):
    """The graph has what none of our networks has."""


def stride_of(strides):
    """The stride of a part from those of rows and columns.

    >>> stride_of([2, 2]), stride_of([2, 1])
    (2, (2, 1))
    """
    rows, columns = (int(n) for n in strides)
    return rows if rows == columns else (rows, columns)


def pair(stride):
    """(of rows, of columns) of a part's stride."""
    return stride if isinstance(stride, tuple) else (stride, stride)


def joined(found):
    """The parts with each activation in what it is of, where nothing else reads that: first x * sigmoid(x), then the
    others; equal activations of one tensor are one.
    """
    makers = {part.output: part for part in found}
    for part in found:
        gates = [makers[name] for name in part.inputs if name in makers and makers[name].op == "act"]
        gate = next((g for g in gates if part.op == "scale" and g.act in _SWISH and g.inputs[0] in part.inputs), None)
        if gate is not None:
            part.op, part.act, part.inputs = "act", _SWISH[gate.act], gate.inputs
    found = _once(found)
    counts = _readers(found)
    found = [part for part in found if counts[part.output] or part is found[-1]]  # the sigmoids that went into a swish
    counts = _readers(found)
    kept = []
    for part in found:
        maker = makers.get(part.inputs[0])
        is_free = maker is not None and maker.op != "act" and maker.act == "identity" and counts[maker.output] == 1
        if part.op == "act" and is_free:
            maker.act, maker.output = part.act, part.output
            makers[part.output] = maker
        else:
            kept.append(part)
    return kept


def _readers(found):
    return Counter(name for part in found for name in part.inputs)


def _once(found):
    """Without those activations that another one equals: a file may have one for each of its readers."""
    kept: list[Part] = []
    first: dict[tuple, str] = {}
    renamed: dict[str, str] = {}
    for part in found:
        part.inputs = [renamed.get(name, name) for name in part.inputs]
        key = (part.act, *part.inputs)
        if part.op == "act" and key in first:
            renamed[part.output] = first[key]
            continue
        if part.op == "act":
            first[key] = part.output
        kept.append(part)
    return kept
