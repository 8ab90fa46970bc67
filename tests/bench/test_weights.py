"""The bench's weights keep every tensor of order 1, so that no logit hangs on a few roundings."""

from dataclasses import replace

import numpy as np
import pytest

from refmnas.bench import entrants, weights
from refmnas.models import build, fold

NAMES = ("mnasnet-a1", "mobilenet-v3-small", "efficientnet-b0", "regnetx-200mf", "enas-micro")


def sizes(net, seed=0):
    """(name, the size of what it sums) of every step with weights, for the normal image of a seed."""
    nodes = fold.nodes(net)
    x = np.random.default_rng(seed).standard_normal((1, net.size, net.size, 3), np.float32)
    values = fold.evaluate(nodes, x)
    for node in nodes:
        if node.w is not None:
            z = fold.computed(node, [values[name] for name in node.inputs]) - node.b
            yield node.name, np.sqrt(np.mean(z**2))


@pytest.mark.parametrize("name", NAMES)
def test_every_step_with_weights_sums_to_numbers_of_order_1(name):
    """1 for the image that they were made by, but for rounding: no chain's bound."""
    found = dict(sizes(entrants.network(name, size=64, width=0.5)))
    assert len(found) > 20
    assert max(abs(size - 1) for size in found.values()) <= 1e4 * 2.0**-24


def test_of_another_image_too_and_not_so_the_weights_that_are_only_drawn():
    assert max(dict(sizes(entrants.network("efficientnet-b0"), seed=5)).values()) < 2
    assert max(dict(sizes(weights.drawn(build("efficientnet-b0")), seed=5)).values()) > 20


def test_equal_seeds_give_equal_weights_and_names_stay():
    one, other = (entrants.network("mnasnet-small", size=48, seed=3).state() for _ in range(2))
    assert set(one) == set(build("mnasnet-small", size=48).state())
    assert all(np.array_equal(one[key], other[key]) for key in one)
    assert any(not np.array_equal(a, entrants.network("mnasnet-small", size=48, seed=4).state()[key]) for key, a in one.items())


def test_the_rounding_of_an_efficientnet_stays_below_the_limit_of_a_right_answer():
    """The 1e-4 of the largest logit beyond which the bench calls a competitor wrong, by an order of magnitude."""
    net = entrants.network("efficientnet-b0")
    nodes = fold.nodes(net)
    wide = [node if node.w is None else replace(node, w=node.w.astype("f8"), b=node.b.astype("f8")) for node in nodes]
    x = np.random.default_rng(1).standard_normal((1, net.size, net.size, 3), np.float32)
    got, want = (fold.evaluate(steps, image)[nodes[-1].name] for steps, image in ((nodes, x), (wide, x.astype("f8"))))
    assert np.abs(got - want).max() <= 1e-5 * np.abs(want).max()
