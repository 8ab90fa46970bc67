"""Layer by layer within the derived bound: each stored result against float64, from the stored results before it."""

import numpy as np
import pytest
from networks import few_first, stirred
from propagated import follow
from small import NETS, images, net, size, stored

import refmnas
from refmnas.models import fold, names
from refmnas.models.fold import IMAGE

LARGEST = [f"efficientnet-{n}" for n in ("b4", "b5", "b6", "b7", "b8", "l2")]


def width(name):
    return 0.1 if name in LARGEST or (name.startswith("regnet") and name.endswith("gf")) else 0.35


ZOO = [("mnasnet-a1", 1.0, 48), ("mnasnet-small", 1.0, 65), *((n, width(n), 37) for n in names())]


def margins(network, shape):
    """(name, largest error / bound) of every stored result and of the logits."""
    plan, x = refmnas.compile(network, batch=2, size=shape, threads=2), images(shape, 2, seed=4)
    kept = stored(plan)
    seen = {IMAGE: x} | plan.outputs(kept)(x)
    nodes = fold.nodes(network, shape)
    seen[nodes[-1].name] = plan(x)
    values, errors = {}, {}
    for node in nodes:
        for name in node.inputs:
            if name in seen and name not in values:  # what float32 produced stands for itself from here on
                values[name], errors[name] = seen[name].astype(np.float64), np.zeros(seen[name].shape)
        follow([node], values, errors)
        if node.name in seen:
            got, want = seen[node.name].astype(np.float64), values.pop(node.name)
            off, bound = np.abs(got - want), errors.pop(node.name)
            share = np.divide(off, bound, out=np.zeros_like(off), where=off > 0)  # what is only moved has no bound but 0
            yield node.name, float(share.max()), np.abs(want).max()


def hold(network, shape):
    found = list(margins(network, shape))
    for name, margin, largest in found:
        assert largest > 1e-3, f"{name} has nothing to compare"
        assert margin <= 1, f"{name}: error is {margin:.2f} of its bound"
    return found


@pytest.mark.parametrize("name", NETS)
def test_small_networks_stay_within_the_bound_of_every_block(name):
    assert len(hold(net(name), size(name))) >= 4


@pytest.mark.parametrize(("name", "width", "edge"), few_first(ZOO), ids=str)
def test_networks_of_the_zoo_stay_within_the_bound_of_every_block(name, width, edge):
    hold(stirred(name, width=width, classes=20), (edge, edge))


def test_the_bound_is_one_that_can_fail():
    """A weight off by 1e-4 of itself, which no logit shows at a glance, is outside."""
    network, shape = net("plain"), size("plain")
    plan = refmnas.compile(network, batch=2, size=shape)
    (key,) = [k for k in network.parameters() if "stages.1.0.depthwise" in k and k.endswith(".w")]
    network.parameters()[key][...] *= 1 + 1e-4
    other = refmnas.compile(network, batch=2, size=shape)
    x = images(shape, 2)
    assert np.abs(plan(x) - other(x)).max() < 1e-2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refmnas, "compile", lambda *_, **__: plan)
        assert max(margin for _, margin, _ in margins(network, shape)) > 1
