"""NASNet's cell, and ENAS's: a searched table as a small graph over the last two cells' results.

    h_0 = BN(1 x 1 (relu(x)))                          x the last cell's result, F channels   (1)
    h_1 = the one before it, brought to h_0's extents and channels                           (2)
    h_k = f_k(h_i) + g_k(h_j),   k = 2 .. 6            i, j < k; f, g of the cell's table     (3)
    y   = the h of the table's output, channels behind one another                           (4)

Line (2) is nothing where the shape is F's already and for the first cell of all; (relu,
1 x 1, BN) where channels differ; and where rows differ the factorised reduction, which
reads two of four pixels, not one: every second row and column, and those of the image
moved by one each way, each through half of the 1 x 1 filters, channels behind one
another, BN.

What the figure leaves open, the two sources do each in its own way (`rules`):

                                          nasnet                    enas
    an operation none that needs it       relu, 1 x 1 (stride), BN  factorised reduction
    a pool of other channels than F       then 1 x 1, BN            then relu, 1 x 1, BN
    x of other channels than F            nothing before (1)        relu, 1 x 1, BN before (1)

`drop_path` drops the result of an operation (none aside) image by image in training.

Source: Zoph et al. 2017, Learning Transferable Architectures, arXiv:1707.07012, figure 4;
for what the figure leaves open, slim's nasnet_utils.py and melodyguan/enas micro_child.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import SpecError
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
from .genotype import Genotype

RULES = ("nasnet", "enas")


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


def cell(
    genotype: Genotype, now, before, filters, *, rules="nasnet", drop_path=0.0, seed=0,
    conventions: Conventions = PYTORCH,
):  # fmt: skip
    """Equations (1) to (4) as a Graph of the inputs now and before, sizes of one image; before None: now is both.

    >>> table = Genotype((("sep3", 0, "none", 1), ("avg3", 0, "max3", 1)))
    >>> cell(table, (8, 8, 24), (16, 16, 12), 4).shape(((8, 8, 24), (16, 16, 12)))
    (8, 8, 8)
    """
    if rules not in RULES:
        raise SpecError(f"cell: rules {rules!r}, wanted one of {', '.join(RULES)}")
    c = conventions
    inputs = {"now": now} if before is None else {"now": now, "before": before}
    nodes, states = _first_two(now, before, filters, rules, c)
    for k, (f, i, g, j) in enumerate(genotype.sums, 2):
        parts: list[str] = []
        for side, operation, source in (("left", f, i), ("right", g, j)):
            name, size = states[source]
            children = _operation(operation, size, filters, genotype.stride if source < 2 else 1, rules, c)
            if children and drop_path and operation != "none":
                children["drop_path"] = DropPath(drop_path, seed=(seed, k, len(parts)))
            if children:
                name = f"h{k}_{side}"
                nodes[name] = (Chain(children), states[source][0])
                size = nodes[name][0].shape(size)
            parts.append(name)
        nodes[f"h{k}"] = (Add(), *parts)
        states.append((f"h{k}", size))
    nodes["y"] = (Concat(), *_ends(nodes, states, genotype.output, filters, c))
    return Graph(inputs, nodes)


def _first_two(now, before, filters, rules, c):
    """(nodes, [(name, size)]) of equations (1) and (2)."""
    nodes: dict[str, tuple] = {}
    source, width = "now", now[-1]
    if rules == "enas" and width != filters:
        nodes["align"] = (squeeze(width, filters, c), source)
        source, width = "align", filters
    nodes["h0"] = (squeeze(width, filters, c), source)
    states: list[tuple[str, Any]] = [("h0", (*now[:2], filters)), ("now", now)]
    if before is not None:
        states[1] = ("before", before)
        if before[:2] != now[:2] or before[-1] != filters:
            reduces = before[:2] != now[:2]
            nodes["h1"] = (factorised(before, filters, c) if reduces else squeeze(before[-1], filters, c), "before")
            states[1] = ("h1", (*now[:2], filters))
    return nodes, states


def _ends(nodes, states, output, filters, c):
    """The names of what (4) puts together: an input of another shape than the last state's is brought to it first."""
    wanted = states[-1][1]
    for k in output:
        name, size = states[k]
        if tuple(size[:2]) != tuple(wanted[:2]):
            nodes[f"h{k}_end"] = (factorised(size, filters, c, activation=False), name)
        elif size[-1] != filters:
            nodes[f"h{k}_end"] = (Chain(_mixed(size[-1], filters, c)), name)
        yield f"h{k}_end" if f"h{k}_end" in nodes else name


def norm(channels, c):
    """Batch norm by the conventions."""
    return BatchNorm(channels, eps=c.bn_eps, momentum=c.bn_momentum, unbiased=c.bn_unbiased, dtype=c.dtype)


def _mixed(c_in, filters, c, *, stride=1, activation=False):
    """Children [relu,] 1 x 1, BN."""
    before = {"act": Activation(c.activation, kink=c.kink)} if activation else {}
    return before | {"conv": Pointwise(c_in, filters, stride=stride, dtype=c.dtype), "bn": norm(filters, c)}


def squeeze(c_in, filters, c):
    """relu, 1 x 1, BN: the activation comes first in these cells."""
    return Chain(_mixed(c_in, filters, c, activation=True))


def factorised(size, filters, c, *, activation=True):
    """The factorised reduction of line (2), from `size` to half of its rows and columns; its relu may be left out."""
    half = filters // 2
    first = {"act": (Activation(c.activation, kink=c.kink), "x")} if activation else {}
    source = "act" if activation else "x"
    nodes = first | {
        "path_1": (Pointwise(size[-1], half, stride=2, dtype=c.dtype), source),
        "shift": (Shift(), source),
        "path_2": (Pointwise(size[-1], filters - half, stride=2, dtype=c.dtype), "shift"),
        "both": (Concat(), "path_1", "path_2"),
        "bn": (norm(filters, c), "both"),
    }
    return Graph({"x": size}, nodes)


def _operation(name, size, filters, stride, rules, c):
    """The children of an operation's chain; none where it is the state itself."""
    c_in, is_enas = size[-1], rules == "enas"
    if name == "none":
        if stride > 1 and is_enas:
            return {"reduce": factorised(size, filters, c, activation=False)}
        return _mixed(c_in, filters, c, stride=stride, activation=True) if stride > 1 or c_in != filters else {}
    kernel = int(name[3:])
    if name.startswith("sep"):
        return _separable(kernel, c_in, filters, stride, c)
    options = {"stride": stride, "padding": c.padding}
    if name.startswith("max"):
        children: dict[str, Layer] = {"pool": MaxPool(kernel, **options)}
    else:
        children = {"pool": AveragePool(kernel, **options, count_pad=c.strided_pool_counts and stride > 1)}
    return children | (_mixed(c_in, filters, c, activation=is_enas) if c_in != filters else {})


def _separable(kernel, c_in, filters, stride, c):
    """(relu, depthwise, 1 x 1, BN) twice, the stride in the first."""
    children: dict[str, Layer] = {}
    for number, (width, step) in enumerate(((c_in, stride), (filters, 1)), 1):
        children[f"act{number}"] = Activation(c.activation, kink=c.kink)
        children[f"depthwise{number}"] = Depthwise(width, kernel=kernel, stride=step, padding=c.padding, dtype=c.dtype)
        children[f"pointwise{number}"] = Pointwise(width, filters, dtype=c.dtype)
        children[f"bn{number}"] = norm(filters, c)
    return children
