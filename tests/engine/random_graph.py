"""Random networks of nodes: any op after any other, results read by several, concatenations of everything."""

import numpy as np

from refmnas.models.node import IMAGE, Node

ACTS = ("identity", "relu", "relu6", "swish", "hard_sigmoid")
SIZES = (3, 8, 11, 16, 21)


class Growing:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes: list[Node] = []

    def pick(self, values):
        return values[int(self.rng.integers(len(values)))]

    def add(self, op, sources, shape, w_shape=None, act=None, **options):
        """A node after `sources`, with weights of He's spread."""
        w = b = None
        if w_shape:
            spread = np.sqrt(2 * w_shape[-1] / np.prod(w_shape)) if op != "depthwise" else 0.5
            w = (self.rng.standard_normal(w_shape) * spread).astype(np.float32)
            b = self.rng.normal(0, 0.3, w_shape[-1]).astype(np.float32)
        name, shape_in = f"n{len(self.nodes)}", sources[0].shape if sources else self.size
        inputs = tuple(s.name for s in sources) or (IMAGE,)
        self.nodes.append(Node(name, op, inputs, shape_in, shape, w, b, act=act or self.pick(ACTS), **options))
        return self.nodes[-1]

    def images(self):
        return [n for n in self.nodes if len(n.shape) == 3]

    def grow(self):
        """One more node after a random earlier one."""
        x = self.pick(self.images()[-4:])
        h, w, c = x.shape
        op = self.pick(("conv", "depthwise", "pointwise", "average_pool", "max_pool", "act", "shift", "scale", "add", "concat"))
        alike = [n for n in self.images() if n.shape[:2] == (h, w)]
        if op == "concat":
            parts = [x] + [self.pick(alike) for _ in range(int(self.rng.integers(1, 4)))]
            self.add(op, parts, (h, w, sum(p.shape[2] for p in parts)), act="identity")
        elif op == "add":
            self.add(op, [x, self.pick([n for n in alike if n.shape == x.shape])], x.shape)
        elif op == "scale":
            self.add(op, [x, self.add("pool", [x], (c,))], x.shape)
        elif op in ("act", "shift"):
            self.add(op, [x], x.shape)
        elif op == "pointwise":
            d = self.pick(SIZES)
            self.add(op, [x], (h, w, d), (c, d))
        else:
            self.windowed(op, x)

    def windowed(self, op, x):
        h, w, c = x.shape
        kernel = self.pick([k for k in (1, 2, 3, 5) if k <= min(h, w)])
        pad = tuple(int(p) for p in self.rng.integers(0, kernel, 4))
        stride = self.pick((1, 1, 2, (2, 1), (1, 2), (1, 3)))
        down, right = stride if isinstance(stride, tuple) else (stride, stride)
        p, q = (h + pad[0] + pad[1] - kernel) // down + 1, (w + pad[2] + pad[3] - kernel) // right + 1
        options = {"kernel": kernel, "stride": stride, "pad": pad}
        if op == "conv":
            groups = self.pick([g for g in (1, 2, 3) if c % g == 0])
            d = self.pick(SIZES) * groups
            self.add(op, [x], (p, q, d), (kernel, kernel, c // groups, d), groups=groups, **options)
        elif op == "depthwise":
            self.add(op, [x], (p, q, c), (kernel, kernel, c), **options)
        else:
            self.add(op, [x], (p, q, c), count_pad=op == "average_pool" and bool(self.rng.integers(2)), **options)


def nodes(seed, count=14):
    """A stem, `count` nodes, and a mean with a dense layer; the size of the image is the first node's."""
    g = Growing(seed)
    g.size = (int(g.rng.integers(9, 20)), int(g.rng.integers(9, 20)), 3)
    p, q = (g.size[0] - 1) // 2 + 1, (g.size[1] - 1) // 2 + 1
    g.add("conv", [], (p, q, 11), (3, 3, 3, 11), kernel=3, stride=2, pad=(1, 1, 1, 1))
    while len(g.nodes) < count:
        g.grow()
    last = g.images()[-1]
    mean = g.add("pool", [last], last.shape[2:], act="identity")
    g.add("linear", [mean], (5,), (last.shape[2], 5), act="identity")
    return g.nodes
