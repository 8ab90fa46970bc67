"""NASNet-A: the cells' shapes, names and gradients, and the published size of the whole network."""

import math

import numpy as np
import pytest

from refmnas.blocks import Conventions, nasnet
from refmnas.layers import Graph, MaxPool, gradcheck
from refmnas.models.nasnet import mobile

C = Conventions(padding="same", dtype=np.float64)


def filled(layer, seed=0):
    rng = np.random.default_rng(seed)
    for name, p in layer.named_params():
        if p.trainable:
            p.value[...] = rng.uniform(-1, 1, p.value.shape) + 1.5 * name.endswith("gamma")
    return layer


@pytest.mark.parametrize("genotype", [nasnet.NORMAL, nasnet.REDUCTION], ids=["normal", "reduction"])
@pytest.mark.parametrize("before", [None, (6, 5, 4), (6, 5, 7), (12, 9, 4)], ids=["one", "same", "wider", "larger"])
def test_a_cell_gives_its_shape(genotype, before):
    cell = nasnet.cell(genotype, (6, 5, 4), before, 4, conventions=C)
    x = np.zeros((1, 6, 5, 4))
    y = cell.forward(x if before is None else (x, np.zeros((1, *before))))
    rows, columns = (6, 5) if genotype is nasnet.NORMAL else (3, 3)
    assert y.shape[1:] == (rows, columns, 4 * len(genotype.output))


@pytest.mark.parametrize("genotype", [nasnet.NORMAL, nasnet.REDUCTION], ids=["normal", "reduction"])
def test_a_cell_after_a_larger_one_is_differentiated(genotype):
    """Both inputs from one image, so that one direction moves both; the first that meets no kink decides."""
    cell = nasnet.cell(genotype, (3, 3, 3), (5, 6, 3), 4, conventions=C)
    graph = filled(Graph({"x": (5, 6, 3)}, {"now": (MaxPool(3, stride=2, padding="same"), "x"), "y": (cell, "now", "x")}))
    x = np.random.default_rng(0).standard_normal((2, 5, 6, 3))
    checks = [gradcheck.along(graph, x, train=True, seed=seed) for seed in range(6)]
    smooth = [check for check in checks if not check.crosses_kink]
    assert smooth
    assert all(check.holds for check in smooth)


def test_the_factorised_reduction_reads_two_of_four_pixels():
    layer = nasnet.factorised((5, 5, 1), 2, C)
    for name, p in layer.named_params():
        p.value[...] = 1 if name.endswith(("w", "gamma", "var")) else 0
    seen = np.zeros((5, 5), int)
    for r, s in np.ndindex(5, 5):
        x = np.zeros((1, 5, 5, 1))
        x[0, r, s, 0] = 1
        seen[r, s] = np.count_nonzero(layer.forward(x))
    even = np.arange(5) % 2 == 0
    assert np.array_equal(seen == 1, np.equal.outer(even, even))
    assert seen.max() == 1


def test_drop_path_drops_operations_and_not_identities():
    cell = nasnet.cell(nasnet.NORMAL, (4, 4, 4), (4, 4, 4), 4, drop_path=0.3, conventions=C)
    dropped = {name for name, layer in cell.children.items() if "drop_path" in layer.children}
    operations = {name for name in cell.children if name.endswith(("_left", "_right"))}
    assert dropped == operations
    assert len(operations) == 8  # ten, less the two that are none


def test_the_mobile_network_has_the_published_size():
    """5.3 M parameters and 564 M multiply-adds in the paper; 4 @ 1056 is the number of channels before the dense layer."""
    graph = mobile()
    assert sum(p.value.size for _, p in graph.named_params() if p.trainable) == 5_289_978
    steps = list(graph.steps((224, 224, 3)))
    assert steps[-1].shape_in == (1056,)
    macs = sum(s.parameters * math.prod(s.shape[:-1]) for s in steps if s.kind in ("conv", "depthwise", "pointwise"))
    assert macs + 1056 * 1000 == 563_638_816
    shapes = {s.name.partition(".")[0]: s.shape for s in steps}
    assert (shapes["stem"], shapes["stem_0"], shapes["stem_1"]) == ((111, 111, 32), (56, 56, 44), (28, 28, 88))
    assert (shapes["cell_3"], shapes["cell_7"], shapes["cell_11"]) == ((28, 28, 264), (14, 14, 528), (7, 7, 1056))
