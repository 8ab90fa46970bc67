"""Networks whose windows have another stride for rows than for columns, ended by a softmax: read by several tests."""

from functools import cache

import numpy as np
from random_graph import Growing

from refmnas.io import onnx
from refmnas.models.node import Node

DOWN, RIGHT = (2, 1), (1, 2)
# name: (stride of the stem, of the windows, size of the image, what the blocks are)
STRIDED = {
    "bands": (2, DOWN, (70, 66), "depthwise"),
    "bands-right": (DOWN, RIGHT, (66, 40), "depthwise"),
    "slabs": (DOWN, DOWN, (37, 22), "depthwise"),
    "slabs-right": (RIGHT, (1, 3), (21, 45), "depthwise"),
    "grouped": (2, DOWN, (69, 44), "conv"),
    "grouped-right": (RIGHT, RIGHT, (30, 52), "conv"),
    "alone": (RIGHT, (3, 2), (25, 31), "alone"),
}


class _Strided(Growing):
    def windowed_by(self, op, x, stride, kernel=3, act="relu6", channels=None, groups=1, **options):
        h, w, c = x.shape
        pad = (kernel // 2,) * 4
        down, right = stride if isinstance(stride, tuple) else (stride, stride)
        p, q = (h + 2 * pad[0] - kernel) // down + 1, (w + 2 * pad[0] - kernel) // right + 1
        d = channels or c
        w_shape = {"conv": (kernel, kernel, c // groups, d), "depthwise": (kernel, kernel, c)}.get(op)
        options |= {"groups": groups} if op == "conv" else {}
        return self.add(op, [x], (p, q, d), w_shape, act=act, kernel=kernel, stride=stride, pad=pad, **options)

    def one(self, x, channels, act="identity"):
        return self.add("pointwise", [x], (*x.shape[:2], channels), (x.shape[2], channels), act=act)

    def block(self, x, kind, stride, kernel, channels):
        """Expansion, window, squeeze and excitation where the stride is 1, projection, sum where it can be."""
        wide = self.one(x, 3 * x.shape[2] // 8 * 8 or 8, "relu")
        groups = {"conv": 2}.get(kind, 1)
        v = self.windowed_by(kind, wide, stride, kernel, act="swish", groups=groups)
        y = self.one(v, channels)
        return self.add("add", [y, x], y.shape, act="identity") if y.shape == x.shape else y

    def blocks(self, x, kind, stride):
        for step, kernel, channels in ((stride, 3, 16), (1, 3, 16), (stride, 5, 20)):
            x = self.block(x, kind, step, kernel, channels)
        return x

    def alone(self, x, stride):
        """Windows that no block takes: pools, a dense and a grouped convolution, one pixel of a larger step."""
        x = self.windowed_by("conv", x, stride, 3, "relu", channels=14)
        most, mean = self.windowed_by("max_pool", x, DOWN, 3), self.windowed_by("average_pool", x, DOWN, 2, count_pad=True)
        both = self.add("concat", [most, self.windowed_by("average_pool", x, DOWN, 3)], (*most.shape[:2], 28), act="identity")
        one = self.windowed_by("conv", both, RIGHT, 1, "identity", channels=10)
        tail = self.windowed_by("conv", one, RIGHT, 3, "swish", channels=12, groups=2)
        assert mean.shape != most.shape
        return self.windowed_by("depthwise", tail, (1, 3), 3)


@cache
def nodes(name):
    """A list of nodes; an image's size is the first one's."""
    stem, stride, size, kind = STRIDED[name]
    g = _Strided(sorted(STRIDED).index(name))
    g.size = (*size, 3)
    down, right = stem if isinstance(stem, tuple) else (stem, stem)
    p, q = (size[0] - 1) // down + 1, (size[1] - 1) // right + 1
    x = g.add("conv", [], (p, q, 8), (3, 3, 3, 8), act="hard_swish", kernel=3, stride=stem, pad=(1, 1, 1, 1))
    x = g.alone(x, stride) if kind == "alone" else g.blocks(x, kind, stride)
    mean = g.add("pool", [x], x.shape[2:], act="identity")
    dense = g.add("linear", [mean], (21,), (x.shape[2], 21), act="identity")
    g.nodes.append(Node("shares", "softmax", (dense.name,), (21,), (21,)))
    needed, kept = {"shares"}, []
    for node in reversed(g.nodes):
        if node.name in needed:
            needed.update(node.inputs)
            kept.append(node)
    return kept[::-1]


def graph(name, folder):
    """The same as a file's graph."""
    path = folder / f"{name}.onnx"
    onnx.save(path, nodes(name))
    return onnx.load(path)


def images(name, batch, seed=0):
    return np.random.default_rng(seed).standard_normal((batch, *STRIDED[name][2], 3), np.float32)
