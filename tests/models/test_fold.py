"""The folded steps compute what the network computes."""

import numpy as np
import pytest
from networks import few_first

from refmnas.models import build, fold, names

U = 2.0**-53


def stirred(net, seed):
    """Statistics that are not those of a fresh network, so that folding has something to do."""
    rng = np.random.default_rng(seed)
    state = net.state()
    for name, a in state.items():
        if name.endswith((".mean", ".beta")):
            state[name] = rng.normal(0, 0.2, a.shape)
        elif name.endswith(".var"):
            state[name] = rng.uniform(0.5, 1.5, a.shape)
        elif name.endswith(".gamma"):  # below 1: the deepest networks must not grow from block to block
            state[name] = rng.uniform(0.3, 1.0, a.shape)
    return net.load(state)


@pytest.mark.parametrize("name", few_first(names()))
def test_the_folded_steps_give_the_networks_logits(name):
    net = stirred(build(name, width=0.2, size=40, classes=10, dtype=np.float64), 1)
    x = np.random.default_rng(2).standard_normal((2, 40, 40, 3))
    want = net.forward(x)
    steps = fold.nodes(net, dtype=np.float64)
    values = fold.evaluate(steps, x)
    assert all(values[n.name].shape[1:] == n.shape for n in steps)
    got = values[steps[-1].name]
    # No bound of the whole network is derived here; a step that is missing, doubled or misread is off by 1e-3
    # and more of the logits, and float64 by less than U times the steps times a growth of 1e4.
    assert np.abs(got - want).max() <= 1e4 * len(steps) * U * np.abs(want).max()


@pytest.mark.parametrize("name", few_first(names()))
def test_every_multiply_add_and_every_weight_is_in_the_steps(name):
    net = build(name, width=0.2)
    steps = fold.nodes(net)
    assert sum(n.macs for n in steps) == sum(row.macs for row in net.cost())
    names_of_steps = [n.name for n in steps]
    assert len(set(names_of_steps)) == len(names_of_steps)
    known = {fold.IMAGE}
    for n in steps:
        assert set(n.inputs) <= known, n.name
        known.add(n.name)


def test_a_step_keeps_the_name_of_its_block():
    steps = {n.name: n for n in fold.nodes(build("mnasnet-a1"))}
    assert steps["stem"].act == "relu"
    assert steps["stages.0.0.project"].act == "identity"
    assert steps["stages.2.0.se.reduce"].act == "relu"
    assert steps["stages.2.0.se.expand"].act == "sigmoid"
    assert steps["stages.2.0.se.scale"].inputs == ("stages.2.0.depthwise", "stages.2.0.se.expand")
    assert steps["stages.1.1.add"].inputs == ("stages.1.0.project", "stages.1.1.project")
