"""A plan's logits are, bit for bit, those of the contract's order written out in NumPy."""

import definition
import numpy as np
import pytest
from networks import stirred
from small import NETS, defined, images, net, size, stored, words

import refmnas
from refmnas import kernels
from refmnas.models import fold


@pytest.mark.parametrize("name", NETS)
def test_logits_are_the_definitions(name):
    network, shape = net(name), size(name)
    x, values, last = defined(name)
    logits = values[last]
    assert np.isfinite(logits).all()
    assert len(np.unique(logits)) > logits.shape[1]  # two images, two answers
    want = words(logits)
    for isa in kernels.isas():
        with kernels.select_isa(isa):
            plan = refmnas.compile(network, batch=2, size=shape, threads=2)
            wrong = int((words(plan(x)) != want).sum())
            assert not wrong, f"{name} {isa}: {wrong} of {want.size} logits differ"


@pytest.mark.parametrize(
    ("name", "dialect", "size"),
    [("mnasnet-a1", "tf", 35), ("mnasnet-b1", "torchvision", 33), ("mnasnet-small", "timm", 65), ("mobilenet-v2", "keras", 33),
     ("mobilenet-v1", "slim", 33), ("mobilenet-v3-large", "torchvision", 33), ("mobilenet-v3-small", "slim", 65),
     ("efficientnet-b0", "tf", 35), ("fbnet-c", "timm", 33), ("fbnet-c", "official", 33),
     ("regnetx-600mf", "pycls", 33), ("regnety-400mf", "torchvision", 34)],
)
def test_networks_of_the_zoo_are_the_definitions(name, dialect, size):
    network = stirred(name, dialect, width=0.35, classes=11)
    x = images((size, size))
    nodes, plan = fold.nodes(network, (size, size)), refmnas.compile(network, size=size)
    assert np.array_equal(words(plan(x)), words(definition.run(nodes, x)[nodes[-1].name]))


@pytest.mark.parametrize("name", NETS)
def test_stored_results_are_the_definitions(name):
    """Not the logits alone: what every block hands to the next, where a small difference could still be lost later."""
    network, shape = net(name), size(name)
    x, want, _ = defined(name)
    for isa in kernels.isas():
        with kernels.select_isa(isa):
            plan = refmnas.compile(network, size=shape, threads=3)
            kept = stored(plan)
            assert len(kept) >= 3
            for key, got in plan.outputs(kept)(x[:1]).items():
                wrong = int((words(got) != words(want[key][:1])).sum())
                assert not wrong, f"{name} {isa}: {wrong} of {got.size} of {key} differ"


def test_another_order_is_not_the_definitions():
    """The comparison can fail: the same sums from the last input channel to the first have other bits."""
    values, last = defined("plain")[1], fold.nodes(net("plain"), size("plain"))[-1]
    before, total = values[last.inputs[0]], np.broadcast_to(last.b, (2, *last.shape)).astype(np.float32)
    for c in reversed(range(len(last.w))):
        total = definition.fma(before[:, c : c + 1], last.w[c], total)
    assert not np.array_equal(words(total), words(values[last.name]))
