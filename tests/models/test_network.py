"""A built network: names both ways, gradients, errors that leave it as it was."""

import numpy as np
import pytest

from refmnas.errors import DtypeError, FormatError, ShapeError, SpecError
from refmnas.models import build, names, naming

SOURCES = [
    ("mnasnet-b1", "torchvision", "torchvision"), ("mobilenet-v2", "torchvision", "torchvision"),
    ("mnasnet-a1", "timm", "timm"), ("efficientnet-lite0", "tf", "efficientnet-pytorch"),
    ("efficientnet-lite0", "tf", "tf"), ("mnasnet-a1", "tf", "tf"), ("mobilenet-v2", "slim", "slim"),
    ("mnasnet-small", "tf", "refmnas"),
]  # fmt: skip


def tiny(name="mnasnet-a1", **options):
    return build(name, width=0.35, classes=7, **({"dropout": 0.0, "drop_path": 0.0} | options))


@pytest.mark.parametrize("name", names())
def test_every_network_builds_and_its_cost_is_that_of_its_arrays(name):
    net = build(name, width=0.35)
    assert sum(v.size for v in net.parameters().values()) == sum(row.parameters for row in net.cost())
    shapes = {k: a.shape for k, a in naming.inventory.of(net.spec, net.dialect).items()}
    assert {k: v.shape for k, v in net.state().items()} == shapes


@pytest.mark.parametrize(("name", "dialect", "source"), SOURCES)
def test_state_goes_out_and_comes_back(name, dialect, source):
    net, other = tiny(name, dialect=dialect, seed=1), tiny(name, dialect=dialect, seed=2)
    state = net.state(source)
    assert naming.detect(state) == source
    other.load(state)
    assert all(np.array_equal(v, other.state(source)[k]) for k, v in state.items())
    state["extra.thing"] = np.zeros(1)
    with pytest.raises(FormatError, match=r"unknown: extra\.thing"):
        other.load(state, source)


def test_a_failed_load_leaves_the_network_as_it_was_and_names_the_entry():
    net = tiny(dialect="timm")
    before, state = net.state(), net.state("timm")
    del state["conv_head.weight"]
    with pytest.raises(FormatError, match=r"missing: conv_head\.weight"):
        net.load(state)
    state = net.state("timm")
    state["conv_head.weight"] = np.zeros((2, 2, 1, 1))
    with pytest.raises(FormatError, match=r"conv_head\.weight has shape \(2, 2, 1, 1\), wanted"):
        net.load(state)
    assert all(np.array_equal(v, before[k]) for k, v in net.state().items())


def test_weights_of_another_network_are_named():
    with pytest.raises(FormatError, match="they are the names of mnasnet-a1"):
        tiny("mnasnet-b1", dialect="timm").load(tiny("mnasnet-a1", dialect="timm").state("timm"))


def test_version_1_of_torchvision_has_an_unscaled_stem():
    net = build("mnasnet-b1", width=0.5, dialect="torchvision")
    version_1 = type(net)(naming.version_1(net.spec), net.dialect, dtype=net.dtype, seed=3)
    net.load(version_1.state("torchvision"))
    assert net.parameters()["stem.conv.w"].shape == (3, 3, 3, 32)
    assert sum(v.size for v in net.parameters().values()) == 2_220_824


def test_width_and_classes_are_read_off_the_weights():
    state = build("mnasnet-a1", width=0.75, classes=12, dialect="timm").state("timm")
    from refmnas.models import zoo

    spec = naming.fitting(state, zoo.get("mnasnet-a1"))
    assert (spec.width, spec.head.classes) == (0.75, 12)


@pytest.mark.parametrize("train", [False, True])
def test_backward_is_the_derivative(train):
    """Central differences of step h along a random direction.

    Error: h^2 / 6 times the third derivative, plus rounding u * |f| / h.  Both are judged
    against a second step of 2 h: the true derivative differs from the central one by
    at most about a third of the difference between the two, taken ten times for safety
    (labelled: an estimate, not a proof), plus 2^10 u |f| / h for the rounding of the sums.
    """
    net = tiny(dtype=np.float64, seed=4)
    rng = np.random.default_rng(5)
    x = rng.normal(size=(3, 33, 33, 3))
    for name, v in net.parameters().items():
        if name.endswith("beta"):  # at 0, a pixel whose channels are all 0 would stand exactly on a kink
            v[...] = rng.normal(size=v.shape)
    state = net.state()
    y = net.forward(x, train=train)
    dy = rng.normal(size=y.shape)
    dx = net.backward(dy)
    grads = net.gradients()
    direction = {k: rng.normal(size=v.shape) * 1e-1 for k, v in grads.items()}
    along = rng.normal(size=x.shape)
    want = (dx * along).sum() + sum((grads[k] * direction[k]).sum() for k in grads)

    def value(step):
        net.load(state)
        for k, v in net.parameters().items():
            v += step * direction[k]
        return float((net.forward(x + step * along, train=train) * dy).sum())

    h = 1e-7
    once, twice = ((value(s) - value(-s)) / (2 * s) for s in (h, 2 * h))
    allowed = 10 * abs(once - twice) + 2**10 * 2.0**-53 * max(abs(dy * y).sum(), 1) / h
    assert abs(once - want) <= allowed
    assert allowed < 1e-2 * abs(want) + 1e-2


def test_training_moves_the_statistics_and_evaluation_does_not():
    net = tiny()
    x = np.random.default_rng(0).normal(size=(2, 64, 64, 3)).astype(np.float32)
    before = net.state()
    net.forward(x)
    assert all(np.array_equal(v, before[k]) for k, v in net.state().items())
    net.forward(x, train=True)
    moved = [k for k, v in net.state().items() if not np.array_equal(v, before[k])]
    assert moved == [k for k in before if k.endswith((".mean", ".var"))]


def test_bad_input_is_named():
    net = tiny()
    with pytest.raises(ShapeError, match=r"x has shape \(1, 3, 64, 64\).*transpose"):
        net.forward(np.zeros((1, 3, 64, 64), np.float32))
    with pytest.raises(DtypeError, match="x is float64, wanted float32"):
        net.forward(np.zeros((1, 64, 64, 3)))
    with pytest.raises(SpecError, match="did you mean 'mnasnet-a1'"):
        build("mnasnet-a")
    with pytest.raises(SpecError, match="no source 'pytorch'"):
        build("mnasnet-a1", dialect="pytorch")
    assert net.forward(np.zeros((0, 64, 64, 3), np.float32)).shape == (0, 7)
