"""Small networks with each thing that a step of the engine can be: one table, read by several tests."""

from dataclasses import replace
from functools import cache

import definition
import numpy as np
from networks import stirred
from small_cells import CELLS, GRAPHS, graph

from refmnas.models import dialect, fold
from refmnas.models.spec import Head, NetSpec, Stage, Stem


def _net(stem, *stages, classes=10, head=24, hidden=0, activation="relu"):
    return NetSpec("small", "tests", stem, stages, Head(head, classes, hidden=hidden), activation=activation)


# name: (table, source of its conventions, size of the image)
NETS = {
    # A stem in the first block's ring; bands with and without expansion; slabs with a sum.
    "plain": (
        _net(Stem(3, 2, 8), Stage("sep", 1, 3, 1, 1, 8, skip=False), Stage("mbconv", 2, 3, 2, 3, 16),
             Stage("mbconv", 2, 5, 2, 2, 24)),
        "torchvision", (72, 69),
    ),
    # The first block's sum needs the stem that would live in its ring.
    "stem-skip": (_net(Stem(3, 2, 8), Stage("sep", 2, 3, 1, 1, 8), Stage("mbconv", 1, 5, 2, 3, 12)), "timm", (67, 70)),
    # TensorFlow's padding is uneven at stride 2; ReLU6; odd sizes.
    "same": (
        _net(Stem(3, 2, 9), Stage("mbconv", 2, 3, 1, 2, 9), Stage("mbconv", 1, 5, 2, 3, 17), Stage("mbconv", 1, 7, 2, 1, 20),
             activation="relu6"),
        "tf", (67, 35),
    ),
    # Squeeze and excitation over bands and slabs, of blocks with and without expansion.
    "excited": (
        _net(Stem(5, 2, 8), Stage("sep", 1, 3, 1, 1, 8, se=0.5), Stage("mbconv", 2, 3, 1, 2, 8, se=0.25),
             Stage("mbconv", 3, 5, 2, 3, 16, se=0.25), classes=71, head=130),
        "tf", (65, 66),
    ),
    "swish": (
        _net(Stem(3, 1, 5), Stage("mbconv", 2, 3, 2, 3, 8, se=0.5), Stage("mbconv", 2, 9, 1, 2, 8), activation="swish"),
        "timm", (37, 41),
    ),
    "hard-swish": (
        _net(Stem(7, 2, 40), Stage("mbconv", 2, 5, 1, 1, 40, se=0.25), Stage("mbconv", 2, 3, 2, 2, 64, se=0.25),
             activation="hard_swish"),
        "tf", (29, 71),
    ),
    # A dense layer between the mean and the last one; rows with an activation of their own.
    "dense-head": (
        _net(Stem(3, 2, 8), Stage("sep", 1, 3, 1, 1, 8, act="relu"), Stage("mbconv", 2, 5, 2, 2.5, 16, se=0.25, act="relu6"),
             classes=71, head=40, hidden=139, activation="hard_swish"),
        "tf", (69, 41),
    ),
    # No 1 x 1 convolution of the head: the last projection is it, here after a slab with its gate, below after a band.
    "bare": (
        _net(Stem(3, 2, 8), Stage("separable", 1, 3, 1, 1, 16, skip=False),
             Stage("separable", 3, 5, 2, 1, 41, se=0.25, skip=False), head=0, activation="relu6"),
        "tf", (41, 70),
    ),
    "bare-band": (
        _net(Stem(3, 1, 12), Stage("separable", 3, 3, 1, 1, 20, skip=False), Stage("separable", 1, 3, 1, 1, 17, skip=False),
             head=0, classes=40),
        "timm", (37, 33),
    ),
    # A 1 x 1 convolution that expands by 1.
    "kept": (_net(Stem(3, 2, 8), Stage("mbconv", 2, 3, 1, 1, 8), Stage("mbconv", 2, 5, 2, 1, 24)), "timm", (66, 40)),
    # RegNet's block, as a band, whose sum has a shortcut or not, and in chunks; groups of a block of 8, and of half
    # a block of 16.  The last block's sum is what the mean is of.
    "grouped": (
        _net(Stem(3, 2, 16), Stage("bottleneck", 1, 3, 1, 1, 16, group=8), Stage("bottleneck", 1, 3, 2, 1, 32, group=16),
             Stage("bottleneck", 3, 3, 2, 1, 56, group=8), head=0),
        "pycls", (66, 41),
    ),
    # Groups that end inside a block of 16, several blocks of one group; squeeze and excitation, uneven padding.
    "grouped-se": (
        _net(Stem(3, 2, 12), Stage("bottleneck", 2, 3, 2, 1, 24, se=0.25, group=24),
             Stage("bottleneck", 2, 3, 2, 1, 72, se=0.25, group=24), Stage("bottleneck", 1, 5, 2, 1, 120, se=0.25, group=40),
             head=0, classes=40),
        "tf", (65, 23),
    ),
    # Groups that are no multiple of eight, odd widths, a shortcut without a stride, activations after the store; a
    # head of its own behind the last sum.
    "grouped-odd": (
        _net(Stem(3, 1, 9), Stage("bottleneck", 1, 5, 1, 1, 12, group=4), Stage("bottleneck", 2, 3, 2, 1, 36, group=12),
             Stage("bottleneck", 1, 7, 2, 1, 20, se=0.5, group=10), Stage("mbconv", 1, 3, 2, 2, 16), activation="hard_swish"),
        "timm", (33, 20),
    ),
    # Planes smaller than a tile's seven pixels and than the kernel.
    "tiny": (_net(Stem(3, 2, 8), Stage("mbconv", 2, 5, 2, 4, 16, se=0.25), Stage("mbconv", 2, 7, 2, 3, 24)), "tf", (9, 5)),
    **CELLS,
    # Graphs of layers, not tables.
    **{name: (None, "", size) for name, (_, size) in GRAPHS.items()},
}  # fmt: skip
GATES = {"swish": "hard_sigmoid", "hard-swish": "hard_sigmoid_slim", "tiny": "hard_sigmoid_keras"}


def net(name, seed=0):
    """The network, batch norm with something to fold."""
    if name in GRAPHS:
        return graph(name, seed)
    spec, source, _ = NETS[name]
    if name in CELLS:
        return stirred(spec, dialect.of(source, spec.name), seed=seed)
    record = replace(dialect.of(source, "mnasnet-a1"), gate=GATES.get(name, "sigmoid"))
    return stirred(spec, record, seed=seed)


def size(name):
    return NETS[name][2]


def images(shape, batch=1, seed=0):
    """Both signs, a few sizes: (N, H, W, 3)."""
    return np.random.default_rng(seed).standard_normal((batch, *shape, 3), np.float32)


@cache
def defined(name):
    """(two images, the definition's result of every step by name, the last step's name): computed once, so only read."""
    x, nodes = images(size(name), 2), fold.nodes(net(name), size(name))
    values = definition.run(nodes, x)
    for a in (x, *values.values()):
        a.flags.writeable = False
    return x, values, nodes[-1].name


def words(y):
    """Floats as unsigned words: -0.0 differs from 0.0."""
    return np.ascontiguousarray(y).view(np.uint32)


def stored(plan):
    """The names of the feature maps that a plan stores."""
    return list(plan.outputs([])._shapes)
