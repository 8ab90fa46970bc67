"""NASNet-A of ImageNet as one Graph of cells: 4 @ 1056 ("mobile").

    stem        3 x 3 convolution of stride 2 without padding, BN
    stem cells  two reduction cells of a quarter and a half of the filters
    cells       N normal; reduction, N normal; reduction, N normal; each reduction doubles the filters
    head        relu, global average pool, dropout, dense

Every cell reads the two results before it.  Shapes are those of an image of `size`.

Source: Zoph et al. 2017, Learning Transferable Architectures, arXiv:1707.07012, appendix A;
slim's nasnet.py for the stem; pretrainedmodels 0.7.4's nasnet_mobile.py, which this equals.
"""

from __future__ import annotations

import numpy as np

from ..blocks import Conventions, nasnet
from ..layers import Activation, BatchNorm, Chain, Conv, Dropout, GlobalPool, Graph, Linear

SLIM = Conventions(padding="same", bn_eps=1e-3, bn_momentum=3e-4)  # slim's decay is 0.9997


def mobile(*, filters=44, repeats=4, stem=32, classes=1000, size=224, dropout=0.5, drop_path=0.0, conventions=SLIM):
    """NASNet-A (4 @ 1056); `filters` is 1056 / 24.  Weights are zeros, as of any layer.

    >>> graph = mobile()
    >>> sum(p.value.size for _, p in graph.named_params() if p.trainable)
    5289978
    """
    c = conventions
    first = Conv(3, stem, kernel=3, stride=2, padding="valid", dtype=c.dtype)
    norm = BatchNorm(stem, eps=c.bn_eps, momentum=c.bn_momentum, unbiased=c.bn_unbiased, dtype=c.dtype)
    nodes: dict[str, tuple] = {"stem": (Chain({"conv": first, "bn": norm}), "x")}
    names, sizes = [None, "stem"], [None, first.shape((size, size, 3))]
    for name, genotype, width in _cells(filters, repeats):
        number = len(names)
        layer = nasnet.cell(genotype, sizes[-1], sizes[-2], width, drop_path=drop_path, seed=number, conventions=c)
        reads = [n for n in (names[-1], names[-2]) if n is not None]
        nodes[name] = (layer, *reads)
        names.append(name)
        sizes.append(layer.shape((sizes[-1], sizes[-2]) if len(reads) == 2 else sizes[-1]))
    nodes["head"] = (Chain({
        "act": Activation(c.activation, kink=c.kink),
        "pool": GlobalPool(),
        "drop": Dropout(dropout),
        "dense": Linear(sizes[-1][-1], classes, dtype=c.dtype),
    }), names[-1])  # fmt: skip
    return Graph({"x": (size, size, 3)}, nodes)


def _cells(filters, repeats):
    """(name, table, filters) of every cell."""
    yield "stem_0", nasnet.REDUCTION, int(np.round(filters / 4))
    yield "stem_1", nasnet.REDUCTION, int(np.round(filters / 2))
    for stage in range(3):
        if stage:
            yield f"reduction_{stage - 1}", nasnet.REDUCTION, filters * 2**stage
        for k in range(repeats):
            yield f"cell_{stage * repeats + k}", nasnet.NORMAL, filters * 2**stage
