"""Feature maps by stride, as a detector or a segmenter takes them: the deepest map of each.

The map of stride s is the last one before the image is next made smaller: the result of
the block before a stride of 2, or of the stem where the first block has that stride; of
the largest stride, of the last block.  What follows the blocks is the classifier's, and
no map, but for a head with a dense layer behind its pool (MobileNetV3): there the 1 x 1
convolution stands before the pool in the paper's own table of the body, and its result
is the map.  In a network of cells the maps are those of the stem's convolution and of cells.

Source: the rule of timm's feature_info under features_only=True, feature_location
"bottleneck" (timm/models/_efficientnet_builder.py, regnet.py), which has that convolution
among MobileNetV3's blocks as well.
"""

from __future__ import annotations

import math
from contextlib import contextmanager

from . import cells, plan
from .cell_spec import CellSpec

STEM, HEAD = "stem", "head"


def names(spec, dialect):
    """{stride: the layer whose result is its map}, from stride 2 on; names as `refmnas.models.fold` has them.

    >>> from refmnas.models import dialect, zoo
    >>> names(zoo.get("mnasnet-a1"), dialect.of("timm", "mnasnet-a1"))
    {2: 'stages.0.0', 4: 'stages.1.1', 8: 'stages.2.2', 16: 'stages.4.1', 32: 'stages.6.0'}
    """
    if isinstance(spec, CellSpec):
        return _of_cells(spec)
    stride, found = spec.stem.stride, {spec.stem.stride: STEM}
    for row in plan.blocks(spec, dialect):
        stride *= row.stride
        found[stride] = row.prefix
    if spec.head.channels and spec.head.hidden:
        found[stride] = HEAD
    found.pop(1, None)
    return found


def _of_cells(spec):
    """A cell's result is its node y."""
    stride = spec.stem.stride
    found = {stride: STEM}
    for row in cells.rows(spec):
        stride *= row.genotype.stride
        found[stride] = f"{row.name}.y"
    found.pop(1, None)
    return found


def of_graph(graph, size):
    """The same of a `layers.Graph` of one input, for an image of `size` (H, W, C): {stride: node}.

    A stride is the power of two next to the ratio of the rows, since a padding may cost some of them; a node
    without rows is the classifier's.

    >>> from refmnas.models import build
    >>> of_graph(build("nasnet-a-mobile")._chain, (224, 224, 3))
    {2: 'stem', 4: 'stem_0', 8: 'cell_3', 16: 'cell_7', 32: 'cell_11'}
    """
    found = {}
    for name, shape in graph.sizes(size).items():
        if len(shape) == 3 and name not in graph.names:
            found[2 ** round(math.log2(size[0] / shape[0]))] = name
    found.pop(1, None)
    return found


@contextmanager
def tapped(network, wanted):
    """Within it one forward of `network`, a Chain or a Graph, fills the dict given: {key: what the layer named gives}.

    wanted   {key: name} of `names` or `of_graph`; the arrays are copies

    >>> from refmnas.models import build
    >>> net = build("enas-micro", width=0.25)
    >>> with tapped(net._chain, {4: "cell_14.y"}) as maps:
    ...     _ = net.forward(np.zeros((1, 32, 32, 3), np.float32))
    >>> maps[4].shape
    (1, 8, 8, 160)
    """
    maps: dict = {}
    layers = {key: _layer(network, name) for key, name in wanted.items()}
    for key, layer in layers.items():
        layer.forward = _noting(layer.forward, maps, key)  # the instance's own, until it is deleted
    try:
        yield maps
    finally:
        for layer in layers.values():
            del layer.forward


def _noting(forward, maps, key):
    def noting(x, train=False):
        y = forward(x, train)
        maps[key] = y.copy()
        return y

    return noting


def _layer(network, name):
    """The layer whose result a name of `names` means: of the head the one before its pool."""
    if name == HEAD:
        before = list(network.children[HEAD].children)
        name = f"{HEAD}.{before[before.index('pool') - 1]}"
    for word in name.split("."):
        network = network.children[word]
    return network
