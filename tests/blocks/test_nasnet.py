"""NASNet-A's and ENAS's cells: shapes, names, what their sources do differently, and gradients."""

import numpy as np
import pytest

from refmnas.blocks import Conventions, nasnet
from refmnas.blocks.genotype import Genotype
from refmnas.errors import SpecError
from refmnas.layers import Graph, MaxPool, gradcheck
from refmnas.models.zoo import enas
from refmnas.models.zoo.nasnet import NORMAL, REDUCTION

C = Conventions(padding="same", dtype=np.float64)


def filled(layer, seed=0):
    rng = np.random.default_rng(seed)
    for name, p in layer.named_params():
        if p.trainable:
            p.value[...] = rng.uniform(-1, 1, p.value.shape) + 1.5 * name.endswith("gamma")
    return layer


@pytest.mark.parametrize("genotype", [NORMAL, REDUCTION], ids=["normal", "reduction"])
@pytest.mark.parametrize("before", [None, (6, 5, 4), (6, 5, 7), (12, 9, 4)], ids=["one", "same", "wider", "larger"])
def test_a_cell_gives_its_shape(genotype, before):
    cell = nasnet.cell(genotype, (6, 5, 4), before, 4, conventions=C)
    x = np.zeros((1, 6, 5, 4))
    y = cell.forward(x if before is None else (x, np.zeros((1, *before))))
    rows, columns = (6, 5) if genotype is NORMAL else (3, 3)
    assert y.shape[1:] == (rows, columns, 4 * len(genotype.output))


ENAS_NORMAL, ENAS_REDUCTION = enas.MICRO.normal, enas.MICRO.reduction
CELLS = [(NORMAL, "nasnet"), (REDUCTION, "nasnet"), (ENAS_NORMAL, "enas"), (ENAS_REDUCTION, "enas")]


@pytest.mark.parametrize(("genotype", "rules"), CELLS, ids=["normal", "reduction", "enas-normal", "enas-reduction"])
def test_a_cell_after_a_larger_one_is_differentiated(genotype, rules):
    """Both inputs from one image, so that one direction moves both; the first that meets no kink decides."""
    cell = nasnet.cell(genotype, (3, 3, 3), (5, 6, 3), 4, rules=rules, conventions=C)
    graph = filled(Graph({"x": (5, 6, 3)}, {"now": (MaxPool(3, stride=2, padding="same"), "x"), "y": (cell, "now", "x")}))
    x = np.random.default_rng(0).standard_normal((2, 5, 6, 3))
    checks = [gradcheck.along(graph, x, train=True, seed=seed) for seed in range(6)]
    smooth = [check for check in checks if not check.crosses_kink]
    assert smooth
    assert all(check.holds for check in smooth)


def test_the_sources_differ_where_the_figure_is_silent():
    """An identity of stride 2, a pool and a last result of other widths: other layers, and other arrays."""
    table = Genotype((("none", 0, "max3", 1),), stride=2)
    ours, theirs = (nasnet.cell(table, (4, 4, 5), (4, 4, 3), 4, rules=r, conventions=C) for r in ("nasnet", "enas"))
    assert list(ours.children["h2_left"].children) == ["act", "conv", "bn"]
    assert list(theirs.children["h2_left"].children) == ["reduce"]
    assert "act" not in theirs.children["h2_left"].children["reduce"].children
    assert (next(iter(ours.children)), next(iter(theirs.children))) == ("h0", "align")
    first = nasnet.cell(Genotype((("none", 0, "max3", 1),)), (4, 4, 5), None, 4, rules="nasnet", conventions=C)
    assert list(first.children["h2_right"].children) == ["pool", "conv", "bn"]  # of 5 channels, where 4 are wanted
    other = nasnet.cell(Genotype((("none", 0, "max3", 1),)), (4, 4, 4), None, 8, rules="enas", conventions=C)
    assert list(other.children["h2_right"].children) == ["pool", "act", "conv", "bn"]


def test_an_input_in_the_output_is_brought_to_its_shape():
    """slim's _combine_unused_states: 1 x 1 and BN where channels differ, the factorised reduction where rows do."""
    one = nasnet.cell(Genotype((("sep3", 0, "none", 0),), (1, 2)), (4, 4, 5), None, 4, conventions=C)
    assert list(one.children["h1_end"].children) == ["conv", "bn"]
    two = nasnet.cell(Genotype((("sep3", 0, "max3", 0),), (1, 2), 2), (5, 4, 4), (5, 4, 4), 4, conventions=C)
    assert "path_2" in two.children["h1_end"].children
    assert two.shape(((5, 4, 4), (5, 4, 4))) == (3, 2, 8)


@pytest.mark.parametrize(("sums", "output", "stride", "words"), [
    ((("sep3", 0, "none", 1), ("sep3", 3, "none", 0)), None, 1, "row 2 of 2: reads h3, which does not exist.*wanted 0 to 2"),
    ((("sep3", 0, "none", -1),), None, 1, "row 1 of 1: reads h-1"),
    ((("sep4", 0, "none", 1),), None, 1, "row 1 of 1: operation 'sep4', wanted sep, avg or max"),
    ((("sep3", 0, "none"),), None, 1, "row 1 of 1"),
    ((), None, 1, "sums"),
    ((("sep3", 0, "none", 1), ("sep3", 0, "none", 1)), (3,), 1, "nothing uses h2"),
    ((("sep3", 0, "none", 1),), (2, 2), 1, "output"),
    ((("sep3", 0, "none", 1),), (5,), 1, "output"),
    ((("sep3", 0, "none", 1),), None, 3, "stride 3"),
])  # fmt: skip
def test_a_table_that_cannot_be_is_named_with_its_row(sums, output, stride, words):
    with pytest.raises(SpecError, match=words.replace("(", r"\(")):
        Genotype(sums, output, stride)


def test_unknown_rules_are_named():
    with pytest.raises(SpecError, match="rules 'other', wanted one of nasnet, enas"):
        nasnet.cell(NORMAL, (4, 4, 4), None, 4, rules="other")


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
    cell = nasnet.cell(NORMAL, (4, 4, 4), (4, 4, 4), 4, drop_path=0.3, conventions=C)
    dropped = {name for name, layer in cell.children.items() if "drop_path" in layer.children}
    operations = {name for name in cell.children if name.endswith(("_left", "_right"))}
    assert dropped == operations
    assert len(operations) == 8  # ten, less the two that are none
