"""The feature maps of a plan: those of the network, whatever is kept, batched and threaded."""

import numpy as np
import pytest

import refmnas
from refmnas.errors import SpecError
from refmnas.models import build, fold

BLOCKS = ("stages.0.0", "stages.1.1", "stages.2.0", "stages.4.0", "stages.6.0")
U = 2.0**-24


@pytest.fixture(scope="module")
def net():
    return build("mnasnet-a1", width=0.5, size=64, classes=10, seed=3)


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(1).standard_normal((3, 64, 64, 3)).astype(np.float32)


def test_the_maps_are_the_networks(net, x):
    found = refmnas.compile(net, batch=3).outputs(BLOCKS)(x)
    values = fold.evaluate(fold.nodes(net, dtype=np.float64), x.astype(np.float64))
    for name in BLOCKS:
        want = values.get(f"{name}.add", values[f"{name}.project"])
        assert found[name].shape == want.shape
        # No bound of a chain of steps is derived here: a map of another block or image is off by its own size.
        assert np.abs(found[name] - want).max() <= 1e4 * U * np.abs(want).max()


def test_their_bits_do_not_depend_on_threads_batch_and_company(net, x):
    want = refmnas.compile(net, batch=3).outputs(BLOCKS)(x)
    alone = refmnas.compile(net, batch=1, threads=3)
    for name in BLOCKS:
        got = np.concatenate([alone.outputs(name)(x[n : n + 1])[name] for n in range(3)])
        assert np.array_equal(got.view(np.int32), want[name].view(np.int32)), name


def test_the_plan_itself_goes_on_as_before(net, x):
    plan = refmnas.compile(net, batch=3)
    before = plan(x)
    plan.outputs(BLOCKS)(x[::-1].copy())
    assert np.array_equal(plan(x), before)


def test_what_is_never_stored_is_refused_with_what_there_is(net):
    with pytest.raises(SpecError, match=r"no step stores 'stages\.1\.1\.expand'; there are stages\.0\.0\.project, "):
        refmnas.compile(net).outputs(["stages.1.1.expand"])


@pytest.mark.parametrize(
    ("name", "size"),
    [("mnasnet-a1", 64), ("mobilenet-v3-small", 64), ("mobilenet-v3-small", 448), ("mobilenet-v1", 64), ("regnety-400mf", 64)],
)
def test_the_features_of_a_network_are_taken_by_stride(name, size):
    """The stem of V3, its head and V1's last block are fused in the plan, and computed all the same; at 448 by pixels."""
    net = build(name, width=0.5, size=size, classes=10, seed=3)
    x = np.random.default_rng(2).standard_normal((2, size, size, 3)).astype(np.float32)
    plan = refmnas.compile(net, batch=2)
    found = plan.outputs(net.features)(x)
    _, want = net.forward(x, features=True)
    assert list(found) == [2, 4, 8, 16, 32]
    for stride, ours in found.items():
        assert ours.shape == want[stride].shape
        assert np.abs(ours - want[stride]).max() <= 1e4 * U * np.abs(want[stride]).max()  # as above: no chain's bound


def test_storing_what_the_plan_fuses_changes_no_bits(net, x):
    """Storing the stem's plane changes which step computes the first block, not one bit of what follows."""
    plan = refmnas.compile(net, batch=3)
    alone, beside = plan.outputs("stages.4.0")(x), plan.outputs(["stages.4.0", "stem", "head"])(x)
    assert np.array_equal(alone["stages.4.0"].view(np.int32), beside["stages.4.0"].view(np.int32))
    threads = refmnas.compile(net, batch=3, threads=2).outputs(["stem", "head"])(x)
    assert all(np.array_equal(threads[name].view(np.int32), beside[name].view(np.int32)) for name in threads)
