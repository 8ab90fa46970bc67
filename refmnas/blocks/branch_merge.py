"""Branch merge: results of different depths brought to one size, put together, mixed, added to the last.

    z_i = x_i resized to the rows and columns of x_n         bilinear, half_pixel        (1)
    y   = x_n + BN(1 x 1 (z_1, .., z_{n-1}, x_n))            channels behind one another (2)

(1) leaves an x_i of the same extents as it is.  In backward x_n's gradient has two
terms: dy, and what comes through (2).

Not in the paper of any network here: the branch structure of an introductory article on
MnasNet, of which NASNet's 1 x 1 before a cell is the nearest published kin.
"""

from __future__ import annotations

from ..layers import Add, BatchNorm, Chain, Concat, Graph, Pointwise, ResizeLike


def branch_merge(sizes, conventions):
    """Equations (1) and (2) as a Graph of as many inputs as `sizes`, (H, W, C) each; the last is x_n.

    >>> from refmnas.blocks.conventions import PYTORCH
    >>> branch_merge([(8, 8, 4), (4, 4, 6)], PYTORCH).shape(((8, 8, 4), (4, 4, 6)))
    (4, 4, 6)
    """
    c = conventions
    names = [*(f"x{k}" for k in range(1, len(sizes))), "last"]
    nodes: dict[str, tuple] = {}
    parts: list[str] = []
    for name in names[:-1]:
        nodes[f"{name}_sized"] = (ResizeLike(), name, "last")
        parts.append(f"{name}_sized")
    parts.append("last")
    width = sizes[-1][-1]
    mix = Pointwise(sum(size[-1] for size in sizes), width, bias=c.conv_bias, dtype=c.dtype)
    norm = BatchNorm(width, eps=c.bn_eps, momentum=c.bn_momentum, unbiased=c.bn_unbiased, dtype=c.dtype)
    nodes |= {
        "together": (Concat(), *parts),
        "mix": (Chain({"conv": mix, "bn": norm}), "together"),
        "sum": (Add(), "last", "mix"),
    }
    return Graph(dict(zip(names, sizes, strict=True)), nodes)
