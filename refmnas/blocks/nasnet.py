"""NASNet-A: two searched cells, each a small graph over the last two cells' results.

    h_0 = BN(1 x 1 (relu(x)))                          x the last cell's result, F channels   (1)
    h_1 = the one before it, brought to h_0's extents and channels                           (2)
    h_k = f_k(h_i) + g_k(h_j),   k = 2 .. 6            i, j < k; f, g of the cell's table     (3)
    y   = the h that no other used, channels behind one another                              (4)

The table's operations: sepK is (relu, depthwise K x K, 1 x 1, BN) twice, avg3 and max3 are
pools of 3 x 3, none is the value itself.  In the reduction cell what reads h_0 or h_1 has
stride 2.  Line (2) is nothing where the shape is F's already and for the first cell of
all; (relu, 1 x 1, BN) where channels differ; and where rows differ the factorised
reduction, which reads two of four pixels, not one: every second row and column, and those
of the image moved by one each way, each through half of the 1 x 1 filters, channels behind
one another, BN.

`drop_path` drops the result of an operation (none aside) image by image in training.

Source: Zoph et al. 2017, Learning Transferable Architectures, arXiv:1707.07012, figure 4;
for what the figure leaves open, slim's nasnet_utils.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..layers import (
    Activation,
    Add,
    AveragePool,
    BatchNorm,
    Chain,
    Concat,
    Depthwise,
    DropPath,
    Graph,
    Layer,
    MaxPool,
    Pointwise,
)
from .conventions import PYTORCH, Conventions


class Genotype(NamedTuple):
    """A cell's table: (operation, i, operation, j) of each sum of (3), and the h that (4) puts together."""

    sums: tuple[tuple[str, int, str, int], ...]
    output: tuple[int, ...]
    stride: int


NORMAL = Genotype(
    (("sep5", 0, "sep3", 1), ("sep5", 1, "sep3", 1), ("avg3", 0, "none", 1), ("avg3", 1, "avg3", 1), ("sep3", 0, "none", 0)),
    (1, 2, 3, 4, 5, 6), 1,
)  # fmt: skip
REDUCTION = Genotype(
    (("sep5", 0, "sep7", 1), ("max3", 0, "sep7", 1), ("avg3", 0, "sep5", 1), ("none", 3, "avg3", 2), ("sep3", 2, "max3", 0)),
    (3, 4, 5, 6), 2,
)  # fmt: skip


class Shift(Layer):
    """The image moved up and left by one pixel, zeros behind it: y[n,r,s,c] = x[n,r+1,s+1,c]."""

    kind = "shift"

    def forward(self, x, train=False):
        y = np.zeros_like(x)
        y[:, :-1, :-1] = x[:, 1:, 1:]
        return self.remember(y)

    def backward(self, dy):
        self.recall(dy)
        dx = np.zeros_like(dy)
        dx[:, 1:, 1:] = dy[:, :-1, :-1]
        return dx


def cell(genotype, now, before, filters, *, drop_path=0.0, seed=0, conventions: Conventions = PYTORCH):
    """Equations (1) to (4) as a Graph of the inputs now and before, sizes of one image; before None: now is both.

    >>> cell(NORMAL, (8, 8, 24), (16, 16, 12), 4).shape(((8, 8, 24), (16, 16, 12)))
    (8, 8, 24)
    """
    c = conventions
    inputs = {"now": now} if before is None else {"now": now, "before": before}
    nodes: dict[str, tuple] = {"h0": (squeeze(now[-1], filters, c), "now")}
    names, widths = ["h0", "now"], [filters, now[-1]]
    if before is not None:
        names[1], widths[1] = "before", before[-1]
        if before[:2] != now[:2] or before[-1] != filters:
            reduces = before[:2] != now[:2]
            layer = factorised(before, filters, c) if reduces else squeeze(before[-1], filters, c)
            nodes["h1"] = (layer, "before")
            names[1], widths[1] = "h1", filters
    for k, (f, i, g, j) in enumerate(genotype.sums, 2):
        parts: list[str] = []
        for side, operation, source in (("left", f, i), ("right", g, j)):
            layer = _operation(operation, widths[source], filters, genotype.stride if source < 2 else 1, c)
            if layer is not None:
                if drop_path:
                    layer = Chain({"op": layer, "drop_path": DropPath(drop_path, seed=(seed, k, len(parts)))})
                nodes[f"h{k}_{side}"] = (layer, names[source])
            parts.append(names[source] if layer is None else f"h{k}_{side}")
        nodes[f"h{k}"] = (Add(), *parts)
        names.append(f"h{k}")
        widths.append(filters)
    nodes["y"] = (Concat(), *(names[k] for k in genotype.output))
    return Graph(inputs, nodes)


def _norm(channels, c):
    return BatchNorm(channels, eps=c.bn_eps, momentum=c.bn_momentum, unbiased=c.bn_unbiased, dtype=c.dtype)


def squeeze(c_in, filters, c):
    """relu, 1 x 1, BN: the activation comes first in these cells."""
    relu, conv = Activation(c.activation, kink=c.kink), Pointwise(c_in, filters, dtype=c.dtype)
    return Chain({"act": relu, "conv": conv, "bn": _norm(filters, c)})


def factorised(size, filters, c):
    """The factorised reduction of line (2), from `size` to half of its rows and columns."""
    half = filters // 2
    nodes = {
        "act": (Activation(c.activation, kink=c.kink), "x"),
        "even": (_every_second(), "act"),
        "path_1": (Pointwise(size[-1], half, dtype=c.dtype), "even"),
        "shift": (Shift(), "act"),
        "odd": (_every_second(), "shift"),
        "path_2": (Pointwise(size[-1], filters - half, dtype=c.dtype), "odd"),
        "both": (Concat(), "path_1", "path_2"),
        "bn": (_norm(filters, c), "both"),
    }
    return Graph({"x": size}, nodes)


def _every_second():
    return AveragePool(1, stride=2, padding=(0, 0, 0, 0))


def _operation(name, c_in, filters, stride, c):
    """The layer of an operation's name; None for none."""
    if name == "none":
        return None
    kernel = int(name[3:])
    if name.startswith("sep"):
        children = {}
        for number, (width, step) in enumerate(((c_in, stride), (filters, 1)), 1):
            children[f"act{number}"] = Activation(c.activation, kink=c.kink)
            children[f"depthwise{number}"] = Depthwise(width, kernel=kernel, stride=step, padding=c.padding, dtype=c.dtype)
            children[f"pointwise{number}"] = Pointwise(width, filters, dtype=c.dtype)
            children[f"bn{number}"] = _norm(filters, c)
        return Chain(children)
    pool = MaxPool if name.startswith("max") else AveragePool
    return pool(kernel, stride=stride, padding=c.padding)
