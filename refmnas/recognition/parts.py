"""What a graph is made of: convolutions with their batch norm and activation, pools, gates, sums, dense layers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

NORM = ("gamma", "beta", "mean", "var")
_SWISH = {"sigmoid": "swish", "hard_sigmoid": "hard_swish"}


@dataclass
class Part:
    """op: conv, depthwise, matrix (a 1 x 1 convolution or a dense layer), pool, scale, add, act."""

    op: str
    inputs: list[str]
    output: str
    w: np.ndarray | None = None  # as our layouts have it
    b: np.ndarray | None = None
    groups: int = 1
    stride: int = 1
    pad: tuple[int, ...] = (0, 0, 0, 0)  # top, bottom, left, right
    act: str = "identity"
    norm: dict[str, np.ndarray] | None = None  # batch norm that was not folded
    eps: float | None = None
    kernel: int = 1  # of the pools over windows, which `nodes` alone takes, as shift, concat and an act of its own
    count_pad: bool = False


@dataclass
class Parts:
    """The parts in order, the names of what goes in and comes out, and the image's size where it is fixed."""

    parts: list[Part]
    image: str
    size: tuple[int | None, int | None]
    names: set[str] = field(default_factory=set)


class Unknown(Exception):
    """The graph has what none of our networks has."""


def joined(found):
    """The parts with each activation in what it is of: first x * sigmoid(x), then the others."""
    makers = {part.output: part for part in found}
    for part in found:
        gates = [makers[name] for name in part.inputs if name in makers and makers[name].op == "act"]
        gate = next((g for g in gates if part.op == "scale" and g.act in _SWISH and g.inputs[0] in part.inputs), None)
        if gate is not None:
            part.op, part.act, part.inputs = "act", _SWISH[gate.act], gate.inputs
    counts = Counter(name for part in found for name in part.inputs)
    found = [part for part in found if counts[part.output] or part is found[-1]]  # the sigmoids that went into a swish
    counts = Counter(name for part in found for name in part.inputs)
    kept = []
    for part in found:
        maker = makers.get(part.inputs[0])
        if part.op != "act":
            kept.append(part)
        elif maker is None or maker.act != "identity" or maker.op == "act" or counts[maker.output] != 1:
            raise Unknown
        else:
            maker.act, maker.output = part.act, part.output
            makers[part.output] = maker
    return kept
