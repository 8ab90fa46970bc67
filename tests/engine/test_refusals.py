"""What cannot be is refused by a named error that says what came, before any memory of a plan is taken."""

from dataclasses import replace

import numpy as np
import pytest
from networks import every_step, stirred
from small import images, net, size

import refmnas
from refmnas import kernels
from refmnas.engine import grouped, pack, run
from refmnas.errors import DataError, DtypeError, KernelError, RefmnasError, ShapeError, SpecError
from refmnas.models import build, fold

NAME = "plain"


@pytest.fixture
def no_memory(monkeypatch):
    """Whatever asks for a plan's memory fails the test."""

    def taken(*_):
        raise AssertionError("memory was taken before the refusal")

    monkeypatch.setattr(run, "_arrays", taken)
    monkeypatch.setattr(run.mmap, "mmap", taken)


@pytest.fixture(scope="module")
def plan():
    return refmnas.compile(net(NAME), batch=2, size=size(NAME))


@pytest.fixture(scope="module")
def x():
    return images(size(NAME), 2)


def refused(error, call, *words):
    with pytest.raises(RefmnasError) as raised:
        call()
    text = str(raised.value)
    assert type(raised.value) is error, text
    for word in ("wanted", *words):
        assert str(word) in text, (word, text)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("part", ["stem", "stages.1.0.depthwise", "stages.2.1.project", "head", "head.dense"])
def test_weights_that_are_not_finite_are_refused_by_name(part, value, no_memory):
    network = net(NAME)
    nodes = [n.name for n in fold.nodes(network, size(NAME))]
    assert part in nodes
    state = network.state()
    key = next(k for k in state if k.startswith(part + ".") and k.endswith(".w"))
    state[key].flat[-1] = value
    network.load(state)
    with np.errstate(invalid="ignore"), pytest.raises(DataError, match=part.replace(".", r"\.")):
        refmnas.compile(network, size=size(NAME))


def test_statistics_that_fold_to_no_number_are_refused_by_name(no_memory):
    network = net(NAME)
    key = next(k for k in network.state() if k.startswith("stages.1.0") and k.endswith(".beta"))
    network.parameters()[key][0] = np.nan
    with pytest.raises(DataError, match=r"bias of stages\.1\.0"):
        refmnas.compile(network, size=size(NAME))


@pytest.mark.parametrize("batch", [0, -1, 1.5, True, "2", None, 1 << 40])
def test_a_batch_that_cannot_be_is_refused(batch, no_memory):
    refused(SpecError, lambda: refmnas.compile(net(NAME), batch=batch), "batch", batch)


@pytest.mark.parametrize("threads", [0, -3, 2.0, False, 257, 10**9, "all"])
def test_a_number_of_threads_that_cannot_be_is_refused(threads, no_memory):
    refused(SpecError, lambda: refmnas.compile(net(NAME), threads=threads), "threads", threads)


@pytest.mark.parametrize("bad", [0, -5, 2.5, (8, 0), (8,), (8, 8, 8), "64", 1 << 40, ((1, 2), (3, 4)), (8, None)])
def test_a_size_that_cannot_be_is_refused(bad, no_memory):
    refused(SpecError, lambda: refmnas.compile(net(NAME), size=bad), "size")


@pytest.mark.parametrize("edge", [1, 2, 3])
def test_a_size_at_which_a_feature_map_vanishes_names_the_layer(edge, no_memory):
    """Torch's symmetric padding keeps a pixel at any size but for kernels wider than pads: here one is cut."""
    nodes = fold.nodes(net(NAME), (9, 9))
    empty = [replace(n, shape=(0, *n.shape[1:])) if k == edge else n for k, n in enumerate(nodes)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run.fold, "nodes", lambda *_: empty)
        refused(SpecError, lambda: refmnas.compile(net(NAME), size=9), nodes[edge].name, "no pixel", "larger image")


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        (lambda x: x.astype(np.float64), DtypeError, ["float64"]),
        (lambda x: x.astype(">f4"), DtypeError, [">f4"]),
        (lambda x: x.astype(np.float16), DtypeError, ["float16"]),
        (lambda x: (x * 50).astype(np.uint8), DtypeError, ["uint8"]),
        (lambda x: x.tolist(), DtypeError, ["list"]),
        (lambda x: None, DtypeError, ["NoneType"]),
        (lambda x: x[0], ShapeError, ["(72, 69, 3)"]),
        (lambda x: x[:1], ShapeError, ["(1, 72, 69, 3)"]),
        (lambda x: x[:0], ShapeError, ["(0, 72, 69, 3)"]),
        (lambda x: x[..., :2], ShapeError, ["(2, 72, 69, 2)"]),
        (lambda x: x.transpose(0, 3, 1, 2), ShapeError, ["(2, 3, 72, 69)", "NHWC"]),
        (lambda x: x.transpose(0, 2, 1, 3), ShapeError, ["(2, 69, 72, 3)"]),
    ],
)
def test_an_input_that_does_not_fit_is_refused(plan, x, bad, error, words):
    refused(error, lambda: plan(bad(x)), *words)
    refused(error, lambda: plan.profile(bad(x), runs=1), *words)


def test_a_layout_that_nobody_knows_is_refused(plan, x):
    refused(SpecError, lambda: plan(x, layout="HWCN"), "HWCN")
    refused(ShapeError, lambda: plan(x, layout="NCHW"), "NCHW", "(2, 72, 69, 3)")


@pytest.mark.parametrize(
    "form",
    [
        np.asfortranarray,
        lambda x: np.repeat(x, 2, axis=1)[:, ::2],
        lambda x: x[:, ::-1].copy()[:, ::-1],
        lambda x: _moved(x, 1),
        lambda x: np.frombuffer(x.tobytes(), np.float32).reshape(x.shape),
    ],
    ids=["fortran", "every second", "mirrored", "unaligned", "read-only"],
)
def test_an_input_may_lie_in_any_form(plan, x, form):
    given = form(x)
    before = given.copy()
    assert np.array_equal(plan(given), plan(x))
    assert np.array_equal(given, before)


def test_channels_first_is_the_same_image(plan, x):
    assert np.array_equal(plan(np.ascontiguousarray(x.transpose(0, 3, 1, 2)), layout="NCHW"), plan(x))


def _moved(a, by):
    memory = np.empty(a.nbytes + 8, np.uint8)
    moved = memory[by : by + a.nbytes].view(np.float32).reshape(a.shape)
    moved[...] = a
    return moved


def _locked(y):
    y.flags.writeable = False
    return y


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        (lambda y: np.empty((2, 20), np.float32)[:, ::2], ShapeError, ["strided"]),
        (np.asfortranarray, ShapeError, ["strided"]),
        (_locked, ShapeError, ["read-only"]),
        (lambda y: _moved(y, 1), ShapeError, ["out"]),
        (lambda y: y[:1], ShapeError, ["(1, 10)"]),
        (lambda y: y.ravel(), ShapeError, ["(20,)"]),
        (lambda y: y.astype(np.float64), DtypeError, ["float64"]),
        (lambda y: bytearray(80), DtypeError, ["bytearray"]),
    ],
)
def test_an_output_that_cannot_be_written_is_refused(plan, x, bad, error, words):
    y = np.zeros((2, 10), np.float32)
    refused(error, lambda: plan(x, out=bad(y)), *words)
    assert not y.any()


def test_an_output_over_the_input_is_refused(plan):
    memory = np.zeros(2 * 72 * 69 * 3 + 20, np.float32)
    x, y = memory[:-20].reshape(2, 72, 69, 3), memory[-30:-10].reshape(2, 10)
    refused(DataError, lambda: plan(x, out=y), "shares memory")
    apart = memory[-20:].reshape(2, 10)
    assert plan(x, out=apart) is apart


def test_the_plan_owns_a_copy_of_the_network():
    network, x = net(NAME), images(size(NAME))
    plan = refmnas.compile(network, size=size(NAME))
    before = plan(x)
    for a in network.parameters().values():
        a[...] = 3
    assert np.array_equal(plan(x), before)
    assert not np.array_equal(refmnas.compile(network, size=size(NAME))(x), before)
    del network
    assert np.array_equal(plan(x), before)


def test_a_fresh_result_is_nobody_elses(plan, x):
    one, two = plan(x), plan(x[::-1].copy())
    assert np.array_equal(one, two[::-1])
    assert not np.may_share_memory(one, two)


@pytest.mark.parametrize("op", ["resize", "pyramid", "softmax"])
def test_a_network_without_a_known_step_names_its_layer(op, no_memory):
    nodes = every_step("relu")
    nodes[6] = replace(nodes[6], op=op, inputs=("mixed",))
    with pytest.raises(SpecError, match=rf"no step of the engine takes {op} at sum"):
        run.Plan(nodes, batch=1, threads=1)


def _changed(name, **fields):
    nodes = fold.nodes(net("excited"), size("excited"))
    return [replace(n, **fields) if n.name == name else n for n in nodes]


BROKEN = {
    "a sum with what lives in a ring": ("stages.1.1.add", {"inputs": ("stages.1.1.depthwise", "stages.1.1.project")}),
    "a depthwise convolution that skips its expansion": ("stages.1.0.depthwise", {"inputs": ("stages.0.0.project",)}),
    "a projection of what comes later": ("stages.1.0.project", {"inputs": ("stages.1.1.depthwise",)}),
    "a sum of three": ("stages.1.1.add", {"inputs": ("stages.1.1.project", "stages.1.0.add", "stages.0.0.project")}),
    "a second reader of the image": ("stages.1.0.expand", {"inputs": (fold.IMAGE,)}),
    "a window without a pixel": ("stages.1.0.depthwise", {"pad": (9, 9, 9, 9)}),
    "a gate over another tensor": ("stages.1.1.se.scale", {"inputs": ("stages.1.0.add", "stages.1.1.se.expand")}),
    "a mean of an earlier tensor": ("head.pool", {"inputs": ("stages.2.2.add",)}),
    "a stem wider than the window": ("stem", {"kernel": 9}),
}


@pytest.mark.parametrize("what", BROKEN)
def test_steps_that_read_otherwise_than_a_block_does_are_refused_by_name(what, no_memory):
    name, fields = BROKEN[what]
    nodes = _changed(name, **fields)
    assert any(n.name == name for n in nodes)
    with pytest.raises(SpecError, match=rf"no step of the engine takes \w+ at {name}"):
        run.Plan(nodes, batch=1, threads=1)


@pytest.mark.parametrize("count", [1, 3, 5])
def test_a_network_without_its_end_is_refused_by_name(count, no_memory):
    nodes = fold.nodes(net(NAME), size(NAME))[:count]
    with pytest.raises(SpecError, match="no step of the engine takes"):
        run.Plan(nodes, batch=1, threads=1)


GROUPED = {
    "a shortcut of what lives in a ring": ("stages.1.0.shortcut", {"inputs": ("stages.1.0.expand",)}),
    "a shortcut of two groups": ("stages.1.0.shortcut", {"groups": 2}),
    "a shortcut with a window": ("stages.1.0.shortcut", {"kernel": 3}),
    "a sum of a shortcut and an earlier tensor": ("stages.1.0.add", {"inputs": ("stages.1.0.shortcut", "stages.0.0.add")}),
    "a grouped convolution that skips its expansion": ("stages.1.0.grouped", {"inputs": ("stages.0.0.add",)}),
}


@pytest.mark.parametrize("what", GROUPED)
def test_a_block_with_groups_that_reads_otherwise_is_refused_by_name(what, no_memory):
    name, fields = GROUPED[what]
    nodes = [replace(n, **fields) if n.name == name else n for n in fold.nodes(net("grouped"), size("grouped"))]
    with pytest.raises(SpecError, match=r"no step of the engine takes \w+ at \w+"):
        run.Plan(nodes, batch=1, threads=1)


def test_a_shortcut_over_planes_beyond_32_bits_is_refused_by_name():
    (node,) = [n for n in fold.nodes(net("grouped"), size("grouped")) if n.name == "stages.1.0.shortcut"]
    large = replace(node, shape_in=(1 << 14, 1 << 14, 16), shape=(1 << 13, 1 << 13, 32))
    refused(SpecError, lambda: grouped.shortcut(pack.Packer(8), large, 0), node.name, 1 << 32, "smaller image")


def test_a_grouped_convolution_without_an_expansion_is_refused_by_name(no_memory):
    nodes = fold.nodes(net("grouped"), size("grouped"))
    with pytest.raises(SpecError, match=r"no step of the engine takes conv at stages\.0\.0\.grouped"):
        run.Plan([nodes[0], *nodes[2:]], batch=1, threads=1)


@pytest.mark.parametrize("source", ["torchvision", "timm"])
@pytest.mark.parametrize("width", [0.35, 1.0])
def test_a_first_block_that_adds_the_stem_to_its_result_compiles(source, width):
    """Its ring cannot be where the stem lives alone."""
    network = stirred("mnasnet-small", source, width=width, classes=5)
    y = refmnas.compile(network, size=33)(images((33, 33)))
    assert np.isfinite(y).all()


def test_without_c_the_error_says_why(monkeypatch):
    monkeypatch.setattr(kernels, "built", lambda: False)
    monkeypatch.setattr(kernels, "why_not", lambda: "as a test says")
    with pytest.raises(KernelError, match="as a test says"):
        refmnas.compile(build("mnasnet-small"), size=33)
