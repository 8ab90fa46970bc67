"""An image's result is the same bits in any plan of the same weights and size: a sample of benchmarks/bits.py."""

import numpy as np
import pytest
from networks import FEW, few_first
from script import script
from small import images, net, size, words

import refmnas
from refmnas import kernels
from refmnas.models import names

bits = script("bits")

LARGE = ("mnasnet-d1", "mnasnet-d1-320", *[f"efficientnet-lite{n}" for n in range(1, 5)])
LARGER = [f"efficientnet-{n}" for n in ("b3", "b4", "b5", "b6", "b7", "b8", "l2")]
LARGER += [name for name in names() if name.startswith("regnet") and name.endswith("gf")]


def sample(count):
    """Every instruction set, every number of threads and every batch; the pairs move with `count`."""
    isas, threads = enumerate(kernels.isas()), tuple(enumerate(bits.THREADS))
    return [(isa, n, bits.BATCHES[(k + j + count) % 3]) for j, isa in isas for k, n in threads]


def agree(network, x, kinds):
    compared, differing, wrong = bits.compare(network, x, kinds)
    assert differing == 0, f"{differing} of {compared} outputs differ, in {wrong}"
    assert compared >= 3 * len(kinds)


# Every how many-th plan of the sample: steps that meet each instruction set, number of threads and batch.
NETWORKS = [*((name, 7) for name in FEW), *(pytest.param(n, 2, marks=pytest.mark.zoo) for n in names() if n not in LARGER)]


@pytest.mark.parametrize(("name", "step"), NETWORKS)
def test_every_network_has_the_same_bits_in_every_plan(name, step):
    k = names().index(name)
    edge = bits.SIZES[k % 4] if name not in LARGE else 33
    agree(bits.stirred(name, 0.35, 50, k), images((edge, edge), 3, seed=k), sample(k)[k % step :: step])


@pytest.mark.zoo
@pytest.mark.parametrize("name", LARGER)
def test_the_largest_have_too(name):
    agree(bits.stirred(name, 0.1, 50, 1), images((33, 33), 2), sample(1)[::3])


WHOLE = ("mnasnet-a1", 33), ("mobilenet-v2", 41), ("mnasnet-small", 65), ("mobilenet-v3-large", 33), ("efficientnet-b0", 34)


@pytest.mark.parametrize(("name", "edge"), few_first(WHOLE, ["mnasnet-a1"]))
def test_whole_widths_have_the_same_bits_in_every_plan(name, edge):
    agree(bits.stirred(name, 1.0, 50, edge), images((edge, edge), 2, seed=edge), sample(edge)[edge % 3 :: 3])


KINDS = (
    "excited", "swish", "hard-swish", "tiny", "dense-head", "bare", "bare-band", "kept", "grouped", "grouped-se", "grouped-odd",
    "cells", "cells-enas", "cells-swish", "odd",
)  # fmt: skip


@pytest.mark.parametrize("step", [11, pytest.param(4, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("k", "name"), [*enumerate(KINDS)])
def test_small_networks_with_every_kind_of_step_do_too(k, name, step):
    agree(net(name), images(size(name), 3), bits.everything()[k % step :: step])


def test_a_run_again_gives_the_same_bits():
    plan = refmnas.compile(net("excited"), batch=2, size=size("excited"), threads=3)
    x = images(size("excited"), 2)
    want = words(plan(x))
    y = np.full((2, 71), np.nan, np.float32)
    for _ in range(50):
        assert np.array_equal(words(plan(x, out=y)), want)


def test_more_images_change_no_neighbour():
    """An image of infinities or NaN leaves the others of its batch as they are."""
    shape = size("swish")
    plan, x = refmnas.compile(net("swish"), batch=3, size=shape, threads=2), images(shape, 3)
    want = words(plan(x))
    for value in (np.inf, np.nan, 3e38):
        x[1] = value
        got = words(plan(x))
        assert np.array_equal(got[[0, 2]], want[[0, 2]])


@pytest.mark.parametrize("isa", kernels.isas())
def test_bits_do_not_depend_on_where_an_image_lies(isa):
    shape = size("plain")
    with kernels.select_isa(isa):
        plan = refmnas.compile(net("plain"), size=shape)
    x = images(shape)
    want = words(plan(x))
    for floats in range(0, 16, 3):
        memory = np.empty(x.size + 64, np.float32)
        start = (-memory.ctypes.data // 4) % 16 + floats
        moved = memory[start : start + x.size].reshape(x.shape)
        moved[...] = x
        assert np.array_equal(words(plan(moved)), want)


def test_the_comparison_can_fail(monkeypatch):
    """The last layer's weights moved by one unit in the last place is seen."""
    answers, moved = bits.answers, []

    def other(network, x, isa, threads, batch):
        if batch == 2:
            w = network.parameters()["head.dense.w"]
            w[...] = np.nextafter(w, np.float32(9))
            moved.append(1)
        return answers(network, x, isa, threads, batch)

    monkeypatch.setattr(bits, "answers", other)
    _, differing, wrong = bits.compare(net("plain"), images(size("plain"), 2), [("scalar", 1, 1), ("scalar", 1, 2)])
    assert moved
    assert differing
    assert wrong == [("scalar", 1, 2)]
