"""Small networks of cells, and two graphs that have what no published cell has: see small.py."""

import numpy as np

from refmnas.blocks.genotype import Genotype
from refmnas.blocks.nasnet import Shift
from refmnas.layers import (
    Activation,
    Add,
    AveragePool,
    Chain,
    Concat,
    Conv,
    Depthwise,
    GlobalPool,
    Graph,
    Linear,
    MaxPool,
    Pointwise,
    SqueezeExcite,
)  # fmt: skip
from refmnas.models.cell_spec import CellSpec
from refmnas.models.spec import Head, Stem

NORMAL = Genotype((("sep3", 0, "none", 1), ("avg3", 0, "avg3", 0), ("sep5", 1, "max3", 2)), output=(1, 2, 3, 4))
REDUCTION = Genotype((("sep5", 0, "max3", 1), ("avg3", 0, "sep3", 1), ("none", 2, "avg3", 3)), output=(3, 4), stride=2)


def _cells(filters, repeats, **options):
    return CellSpec("small", "tests", Stem(3, 2, 9), NORMAL, REDUCTION, filters, repeats, Head(0, 10), **options)


# name: (table, source of its conventions, size of the image)
CELLS = {
    # Cells in the stem; odd sizes, whose factorised reduction reads beyond the image; widths that leave lanes empty.
    "cells": (_cells(12, 1, stem_cells=2, stem_padding="valid"), "slim", (37, 34)),
    # ENAS's rules: the inputs are aligned, states of other sizes are brought to the last one's; whole blocks of 8.
    "cells-enas": (_cells(8, 2, rules="enas", activation="relu6"), "official", (18, 23)),
    # An activation that no kernel's end takes.
    "cells-swish": (_cells(10, 1, activation="swish"), "slim", (21, 16)),
}


class Graphed:
    """What `compile` reads of a network."""

    def __init__(self, layer, size, seed):
        self._chain, self.size = layer, size
        rng = np.random.default_rng(seed)
        for step in _weighed(layer):
            for key, parameter in step.params.items():
                shape = parameter.value.shape
                spread = 0.3 if key == "b" else np.sqrt(2 / (np.prod(shape) / shape[-1]))
                parameter.value[...] = rng.standard_normal(shape) * spread


def _weighed(layer):
    if layer.params:
        yield layer
    for child in getattr(layer, "children", {}).values():
        yield from _weighed(child)


def _chain(layer, act):
    return Chain({"conv": layer, "act": Activation(act)})


def _odd(size):
    """Nodes alone: windows of several sizes, groups, gates, concatenations of what lies elsewhere already, a hidden layer."""
    same = {"padding": "same", "bias": True}
    return Graph({"x": (*size, 3)}, {
        "stem": (_chain(Conv(3, 10, kernel=3, stride=2, **same), "hard_swish"), "x"),
        "wide": (_chain(Conv(10, 12, kernel=3, groups=2, **same), "swish"), "stem"),
        "large": (_chain(Conv(10, 12, kernel=6, **same), "relu6"), "stem"),
        "both": (Concat(), "wide", "large", "wide"),
        "most": (MaxPool(4, padding=(2, 1, 1, 2)), "stem"),
        "mean": (Chain({"pool": AveragePool(3, padding=(1, 1, 1, 1), count_pad=True), "act": Activation("sigmoid")}), "most"),
        "split": (Pointwise(36, 20, bias=True), "both"),
        "again": (Concat(), "wide", "split", "mean"),
        "grouped": (Conv(42, 21, kernel=1, groups=3, bias=True), "again"),
        "cut": (Depthwise(36, kernel=3, stride=2, bias=True), "both"),
        "gated": (Chain({"se": SqueezeExcite(36, 9), "act": Activation("relu6")}), "both"),
        "plain": (Pointwise(36, 36, bias=True), "gated"),
        "sum": (Add(), "plain", "gated"),
        "twice": (Add(), "sum", "sum"),
        "less": (Chain({"act": Activation("relu"), "pool": MaxPool(2, stride=2, padding="same")}), "twice"),
        "moved": (Shift(), "less"),
        "total": (_chain(Shift(), "identity"), "cut"),
        "ends": (Add(), "moved", "total"),
        "small": (AveragePool(5, stride=2, padding=(2, 2, 2, 2)), "grouped"),
        "last": (Concat(), "ends", "small", "moved"),
        "head": (Chain({
            "act": Activation("swish"), "pool": GlobalPool(), "hidden": Linear(93, 19), "act1": Activation("relu"),
            "dense": Linear(19, 7),
        }), "last"),
    }, "head")  # fmt: skip


GRAPHS = {"odd": (_odd, (23, 17)), "odd-even": (_odd, (16, 30))}


def graph(name, seed):
    layer, size = GRAPHS[name]
    return Graphed(layer(size), size, seed)
