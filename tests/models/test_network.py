"""A built network: gradients, statistics, masks, names, and errors that leave it as it was."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from networks import few_first

from refmnas.errors import DataError, DtypeError, FormatError, ShapeError, SpecError
from refmnas.layers import Activation, gradcheck
from refmnas.models import build, dialect, names, naming, text, zoo
from refmnas.models.network import Network

# Every kind of layer, few pre-activations: each one may cross its kink while a direction is tried.
MINE = {
    "name": "mine",
    "stem": {"kernel": 3, "stride": 2, "channels": 8},
    "blocks": ["r1_k3_s11_e1_i8_o8", "r2_k5_s22_e3_i8_o8_se0.25", "r1_k3_s11_e6_i8_o16_noskip"],
    "head": {"channels": 24, "classes": 5, "dropout": 0.2},
    "drop_path": 0.3,
}


def mine(**options):
    return build(MINE, **({"dtype": np.float64, "seed": 1} | options))


def tiny(name="mnasnet-a1", **options):
    return build(name, **({"width": 0.35, "classes": 7, "dropout": 0.0, "drop_path": 0.0} | options))


def image(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def shaken(net, seed=2):
    """Statistics, shifts and scales that are not trivial."""
    rng, state = np.random.default_rng(seed), net.state()
    for name, a in state.items():
        if name.endswith((".gamma", ".var")):
            a *= rng.uniform(0.5, 2, a.shape)
        elif name.endswith((".beta", ".mean", ".b")):
            a += rng.standard_normal(a.shape) / 2
    return net.load(state)


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


# -- gradients ---------------------------------------------------------------------------


@pytest.mark.parametrize("directions", [6, pytest.param(24, marks=pytest.mark.slow)])
@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("source", ["timm", "tf"])
def test_backward_is_the_derivative_along_random_directions(source, train, directions):
    """In float64; what is allowed follows from the differences themselves, see refmnas.layers.gradcheck."""
    net, x, held = shaken(mine(dialect=source)), image(2, 11, 10, 3, dtype=np.float64), 0
    for seed in range(directions):
        check = gradcheck.along(net._chain, x, train=train, seed=seed, step=1e-7)
        if check.crosses_kink:
            continue
        assert check.holds, check
        # noise sqrt(n) u of values of size scale, over h = 1e-7, n a few thousand
        assert check.allowed <= 1e-5 * check.scale, check
        held += 1
    assert held >= directions // 4


def linear(net):
    """The same network as an exact linear map: no activation, whole weights, batch norm halves."""
    rng = np.random.default_rng(3)
    for name, a in net.state().items():
        a = rng.integers(-1, 2, a.shape)
        for ending, value in {"gamma": 1, "beta": 0, "mean": 0, "var": 1, "b": 0}.items():
            if name.endswith(f".{ending}"):
                a = np.full(a.shape, value)
        dict(net._chain.named_params())[name].value[...] = a
    for layer in walk(net._chain):
        if isinstance(layer, Activation):
            layer.kind = "identity"
    return net


def walk(layer):
    yield layer
    for child in layer.children.values():
        yield from walk(child)


@pytest.mark.parametrize("padding", ["same", "symmetric"])
def test_backward_is_the_adjoint_of_a_linear_network_exactly(padding):
    """<dy, F x> = <F' dy, x> without a tolerance: whole numbers, sqrt(1 + 3) = 2, and a last map of 2 x 2."""
    document = MINE | {"blocks": [row.replace("_se0.25", "") for row in MINE["blocks"]]}
    conventions = replace(dialect.of("tf"), padding=padding, bn_eps=3.0)
    net = linear(build(document, dialect=conventions, dtype=np.float64))
    x, dy = (np.random.default_rng(k).integers(-2, 3, s).astype(float) for k, s in ((4, (2, 7, 8, 3)), (5, (2, 5))))
    y = net.forward(x)
    assert net._chain.children["stages"].shape((4, 4, 8)) == (2, 2, 16)
    assert np.abs(y).max() > 1
    assert np.sum(net.backward(dy) * x) == np.sum(dy * y) != 0


def test_gradients_have_exactly_the_trainable_names_and_shapes():
    net = tiny("mobilenet-v2", dialect="torchvision")
    net.backward(net.forward(image(2, 32, 32, 3)))
    for source in ("refmnas", "torchvision"):
        grads, state = net.gradients(source), net.state(source)
        trained = {k for k in state if not k.endswith(("running_mean", "running_var", ".mean", ".var"))}
        assert grads.keys() == trained
        assert all(grads[k].shape == state[k].shape for k in grads)
    assert list(net.gradients()) == list(net.parameters())


def test_gradients_are_overwritten_and_those_given_out_stay():
    net, x = tiny(), image(2, 32, 32, 3)
    y = net.forward(x)
    net.backward(y)
    first = net.gradients()
    kept = {k: g.copy() for k, g in first.items()}
    net.backward(2 * y)
    assert same(first, kept)
    assert all(np.array_equal(g, 2 * kept[k]) for k, g in net.gradients().items())  # a power of two: exact


# -- memory and modes --------------------------------------------------------------------


def test_nothing_of_one_batch_reaches_the_next():
    fresh, used = (shaken(tiny()) for _ in range(2))
    state = used.state()
    used.backward(used.forward(image(3, 48, 40, 3, seed=1), train=True))
    used.load(state)
    used.backward(used.forward(image(1, 33, 33, 3, seed=2)))
    x = image(2, 32, 32, 3)
    y, again = fresh.forward(x), used.forward(x)
    assert np.array_equal(y, again)
    assert np.array_equal(fresh.backward(y), used.backward(y))
    assert same(fresh.gradients(), used.gradients())


def test_the_caller_may_change_x_and_y_before_backward():
    net, x = tiny(), image(1, 32, 32, 3)
    y = net.forward(x)
    want = net.backward(np.ones_like(y))
    y = net.forward(x)
    x[...], y[...] = 0, 0
    assert np.array_equal(net.backward(np.ones_like(y)), want)


def test_training_moves_the_statistics_by_the_dialects_rule_and_evaluation_does_not():
    """The stem's, by hand: its batch norm sees the convolution alone."""
    for source in ("torchvision", "timm", "tf"):
        net = shaken(tiny("mnasnet-b1", dialect=source, dtype=np.float64))
        x, before = image(2, 33, 32, 3, dtype=np.float64), net.state()
        net.forward(x)
        assert same(net.state(), before)
        net.forward(x, train=True)
        after, d = net.state(), net.dialect
        moved = [k for k in after if not np.array_equal(after[k], before[k])]
        assert moved == [k for k in before if k.endswith((".mean", ".var"))]
        u = net._chain.children["stem"].children["conv"].forward(x).reshape(-1, after["stem.bn.mean"].size)
        correction = len(u) / (len(u) - 1) if d.bn_unbiased else 1
        for name, batch in (("mean", u.mean(axis=0)), ("var", u.var(axis=0) * correction)):
            key = f"stem.bn.{name}"
            want = (1 - d.bn_momentum) * before[key] + d.bn_momentum * batch
            # both sides sum the n terms in some order: n u of their absolute values, which are below 64 here
            np.testing.assert_allclose(after[key], want, rtol=0, atol=len(u) * 2.0**-53 * 64)


def test_a_failed_training_step_moves_nothing():
    net = tiny()
    broken = net._chain.children["head"].children["bn"].params["var"].value
    broken[0] = np.nan
    before = net.state()
    with pytest.raises(DataError, match="var"):
        net.forward(image(2, 32, 32, 3), train=True)
    after = net.state()
    assert all(np.array_equal(after[k], before[k], equal_nan=True) for k in before)
    with pytest.raises(DataError, match="no forward came before"):
        net.backward(np.zeros((2, 7), np.float32))


def test_the_seed_decides_weights_and_masks():
    a, b, other = mine(), mine(), mine(seed=2)
    assert same(a.state(), b.state())
    assert not same(a.state(), other.state())
    x = image(6, 11, 11, 3, dtype=np.float64)
    first = a.forward(x, train=True)
    assert np.array_equal(first, b.forward(x, train=True))
    assert not np.array_equal(first, a.forward(x, train=True))
    a.reseed(1)
    assert np.array_equal(first, a.forward(x, train=True))
    a.reseed(2)
    assert not np.array_equal(first, a.forward(x, train=True))


def test_every_masking_layer_has_a_stream_of_its_own():
    net = mine()
    drops = [layer for layer in walk(net._chain) if hasattr(layer, "reseed")]
    assert [type(layer).__name__ for layer in drops] == ["DropPath", "Dropout"]
    draws = [layer.generator.random(8).tolist() for layer in drops]
    assert draws[0] != draws[1]


@pytest.mark.parametrize("name", few_first(names()))
def test_rates_of_zero_are_taken_by_every_network(name):
    net = build(name, width=0.35, dropout=0.0, drop_path=0.0)
    assert all(layer.rate == 0 for layer in walk(net._chain) if hasattr(layer, "rate"))
    own = [layer.rate for layer in walk(build(name, width=0.35)._chain) if hasattr(layer, "rate")]
    assert own[-1] == zoo.get(name).head.dropout


def test_drop_path_rises_by_equal_steps():
    net = build("efficientnet-lite0", width=0.35)
    blocks = [b for s in net._chain.children["stages"].children.values() for b in s.children.values()]
    rates = {k: b.children["drop_path"].rate for k, b in enumerate(blocks) if "drop_path" in b.children}
    assert rates == {k: 0.2 * k / 16 for k, b in enumerate(blocks) if b.has_skip}


# -- what is built -----------------------------------------------------------------------


@pytest.mark.parametrize("name", few_first(names()))
def test_the_arrays_are_those_of_the_table_and_so_is_the_cost(name):
    net = build(name, width=0.35)
    shapes = {k: a.shape for k, a in naming.inventory.of(net.spec, net.dialect).items()}
    assert {k: v.shape for k, v in net.state().items()} == shapes
    count = sum(v.size for v in net.parameters().values())
    assert count == sum(row.parameters for row in net.cost()) == sum(step.parameters for step in net.layers)


@pytest.mark.parametrize("name", ["mnasnet-a1", "mnasnet-small", "efficientnet-lite1"])
def test_the_listing_tells_the_shapes_that_come(name):
    net = build(name, width=0.35, size=37, classes=3)
    x = image(1, 37, 37, 3)
    steps = {step.name: step for step in net.layers}
    assert len(steps) == len(net.layers)
    for row in net.cost():
        step = steps.get(row.name) or steps[f"{row.name}.conv"]
        assert step.shape == row.shape
    for part in ("stem", "stages", "head"):
        x = net._chain.children[part].forward(x)
        last = [step for step in net.layers if step.name.startswith(part)][-1]
        assert x.shape[1:] == last.shape


def test_a_network_of_ones_own_builds_from_text_and_keeps_its_classes():
    net = mine()
    assert net.spec == text.parse(MINE)
    assert net.forward(image(2, 16, 16, 3, dtype=np.float64)).shape == (2, 5)
    assert build(text.parse(MINE), classes=4).spec.head.classes == 4
    assert list(net.parameters())[:5] == [
        "stem.conv.w", "stem.bn.gamma", "stem.bn.beta", "stages.0.0.depthwise.conv.w", "stages.0.0.depthwise.bn.gamma",
    ]  # fmt: skip


def test_parameters_are_the_arrays_themselves_and_state_is_a_copy():
    net, x = tiny(), image(1, 32, 32, 3)
    y = net.forward(x)
    net.state()["head.dense.b"][...] = 5
    assert np.array_equal(net.forward(x), y)
    net.parameters()["head.dense.b"][...] += 5
    assert np.allclose(net.forward(x), y + 5, rtol=0, atol=8 * np.spacing(np.float32(np.abs(y).max() + 5)))


@pytest.mark.parametrize("size", [(1, 1), (2, 31), (33, 32), (96, 5)])
def test_any_image_size_is_taken(size):
    net = tiny()
    x = image(2, *size, 3)
    y = net.forward(x)
    assert y.shape == (2, 7)
    assert net.backward(y).shape == x.shape


def test_inputs_may_be_strided_and_read_only_and_the_batch_empty():
    net, x = tiny(), image(2, 32, 64, 3)
    x.setflags(write=False)
    assert np.array_equal(net.forward(x[:, :, ::2]), net.forward(x[:, :, ::2].copy()))
    y = net.forward(np.zeros((0, 32, 32, 3), np.float32))
    assert y.shape == (0, 7)
    assert net.backward(y).shape == (0, 32, 32, 3)


# -- names and loading ---------------------------------------------------------------------

SOURCES = [
    ("mnasnet-b1", "torchvision", "torchvision"), ("mobilenet-v2", "torchvision", "torchvision"),
    ("mnasnet-a1", "timm", "timm"), ("efficientnet-lite0", "tf", "efficientnet-pytorch"),
    ("efficientnet-lite0", "tf", "tf"), ("mnasnet-a1", "tf", "tf"), ("mobilenet-v2", "slim", "slim"),
    ("mnasnet-small", "tf", "refmnas"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "source", "theirs"), SOURCES)
def test_state_goes_out_and_comes_back(name, source, theirs):
    net, other = shaken(tiny(name, dialect=source, seed=1)), tiny(name, dialect=source, seed=2)
    state = net.state(theirs)
    assert naming.detect(state) == theirs
    other.load(state)
    assert same(other.state(theirs), state)
    x = image(1, 32, 32, 3)
    assert np.array_equal(net.forward(x), other.forward(x))


def test_load_copies_and_casts():
    net, state = tiny(), {k: v.astype(np.float64) for k, v in tiny(seed=9).state().items()}
    assert net.load(state) is net
    before = net.state()
    assert before["stem.conv.w"].dtype == np.float32
    for a in state.values():
        a[...] = 0
    assert same(net.state(), before)


def test_counters_come_back_where_they_were():
    net = tiny("mobilenet-v2", dialect="torchvision")
    state = net.state("torchvision")
    assert not any("num_batches_tracked" in k for k in state)
    state["features.0.1.num_batches_tracked"] = np.array(41)
    net.load(state)
    assert same(net.state("torchvision"), state)
    assert not any("num_batches_tracked" in k for k in net.state())


def bad(change):
    state = tiny(dialect="timm", seed=8).state("timm")
    change(state)
    return state


BAD_LOADS = {
    "missing": (lambda s: s.pop("conv_head.weight"), FormatError, r"missing: conv_head\.weight"),
    "unknown": (lambda s: s.update({"bn1.weigth": np.ones(16)}), FormatError, r"unknown: bn1\.weigth"),
    "shape": (lambda s: s.update({"bn2.bias": np.ones(3)}), FormatError, r"bn2\.bias has shape \(3,\), wanted"),
    "text": (lambda s: s.update({"bn2.bias": np.full(1280, "x")}), FormatError, r"bn2\.bias is <U1"),
    "overflow": (lambda s: s.update({"bn2.bias": np.full(1280, 1e300)}), FormatError, r"head\.bn\.beta .*1e\+300"),
    "negative": (lambda s: s["bn2.running_var"].__setitem__(3, -1), DataError, r"head\.bn\.var has -1"),
    "nan": (lambda s: s["bn2.running_var"].__setitem__(3, np.nan), DataError, r"head\.bn\.var has nan"),
    "classes": (lambda s: s.update({"classifier.bias": np.ones(9)}), FormatError, "9 classes, the network has 7"),
}


@pytest.mark.parametrize("what", BAD_LOADS)
def test_a_failed_load_names_the_entry_and_leaves_everything_as_it_was(what):
    change, error, words = BAD_LOADS[what]
    net = tiny(dialect="timm")
    y = net.forward(image(1, 32, 32, 3))
    before = net.state(), net.backward(y), net.gradients()
    with pytest.raises(error, match=words):
        net.load(bad(change))
    assert same(net.state(), before[0])
    assert np.array_equal(net.backward(y), before[1])
    assert same(net.gradients(), before[2])


def test_after_a_load_there_is_nothing_to_go_back_through():
    net = tiny()
    y = net.forward(image(1, 32, 32, 3))
    net.backward(y)
    net.load(net.state())
    with pytest.raises(DataError, match="no forward came before"):
        net.backward(y)
    with pytest.raises(DataError, match="no backward came before"):
        net.gradients()


def test_weights_of_another_network_are_named():
    with pytest.raises(FormatError, match="they are the names of mnasnet-a1"):
        tiny("mnasnet-b1", dialect="timm").load(tiny("mnasnet-a1", dialect="timm").state("timm"))


@pytest.mark.parametrize(("width", "count"), [(0.5, 2_220_824), (0.75, 3_170_656), (1.3, 6_279_432)])
def test_version_1_of_torchvision_has_an_unscaled_stem(width, count):
    """The parameter counts are those of torchvision's own version-1 files."""
    net = build("mnasnet-b1", width=width, dialect="torchvision", seed=5)
    old = Network(naming.version_1(net.spec), net.dialect, dtype=net.dtype, seed=3)
    state = old.state("torchvision")
    net.load(state)
    assert net.parameters()["stem.conv.w"].shape == (3, 3, 3, 32)
    assert sum(v.size for v in net.parameters().values()) == sum(r.parameters for r in net.cost()) == count
    x = image(1, 32, 32, 3)
    assert np.array_equal(net.forward(x), old.forward(x))
    assert same(net.state("torchvision"), state)


# -- bad input -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "error", "words"),
    [
        (np.zeros((1, 3, 64, 64), np.float32), ShapeError, r"\(1, 3, 64, 64\), wanted \(N, H, W, 3\).*transpose"),
        (np.zeros((64, 64, 3), np.float32), ShapeError, r"\(64, 64, 3\), wanted \(N, H, W, 3\)"),
        (np.zeros((1, 64, 64, 4), np.float32), ShapeError, r"\(1, 64, 64, 4\), wanted \(N, H, W, 3\)"),
        (np.zeros((1, 0, 64, 3), np.float32), ShapeError, r"\(1, 0, 64, 3\); at stem\.conv no pixel is left"),
        (np.zeros((1, 64, 64, 3)), DtypeError, "x is float64, wanted float32"),
        (np.zeros((1, 64, 64, 3), np.uint8), DtypeError, "x is uint8, wanted float32"),
        ([[0.0]], DtypeError, "x is list, wanted a NumPy array of float32"),
    ],
)  # fmt: skip
def test_a_wrong_image_is_named(x, error, words):
    with pytest.raises(error, match=words):
        tiny().forward(x)


@pytest.mark.parametrize("shape", [(1, 32, 32, 3), (0, 64, 64, 3)])
def test_too_few_pixels_for_batch_statistics_are_named_before_anything_moves(shape):
    net = tiny(dialect="timm")
    before = net.state()
    with pytest.raises(DataError, match=r"sees [01] values per channel, wanted at least 2"):
        net.forward(image(*shape), train=True)
    assert same(net.state(), before)


def test_backward_asks_for_a_forward_and_for_its_shape():
    net = tiny()
    with pytest.raises(DataError, match="no forward came before it"):
        net.backward(np.zeros((1, 7), np.float32))
    net.forward(image(2, 32, 32, 3))
    with pytest.raises(ShapeError, match=r"dy has shape \(1, 7\), wanted \(2, 7\)"):
        net.backward(np.zeros((1, 7), np.float32))
    with pytest.raises(DtypeError, match="dy is float64, wanted float32"):
        net.backward(np.zeros((2, 7)))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"network": "mnasnet-a"}, SpecError, "did you mean 'mnasnet-a1'"),
        ({"network": None}, SpecError, "no None"),
        ({"network": {"name": "x"}}, SpecError, "no key 'stem'"),
        ({"dialect": "pytorch"}, SpecError, "no source 'pytorch'"),
        ({"width": 0}, SpecError, "width is 0"),
        ({"width": -1.0}, SpecError, "width is -1.0"),
        ({"width": float("nan")}, SpecError, "width is nan"),
        ({"size": 0}, SpecError, "size is 0"),
        ({"size": 2.5}, SpecError, "size is 2.5"),
        ({"classes": 0}, SpecError, "classes is 0"),
        ({"dropout": 1.0}, SpecError, "dropout: 1.0"),
        ({"drop_path": -0.1}, SpecError, "drop_path: -0.1"),
        ({"dtype": np.float16}, DtypeError, "float16"),
        ({"dtype": "reals"}, DtypeError, "'reals', wanted float32 or float64"),
        ({"dtype": None}, DtypeError, "None, wanted float32 or float64"),
        ({"seed": -1}, SpecError, "seed is -1"),
    ],
)
def test_a_wrong_option_is_named(options, error, words):
    with pytest.raises(error, match=words):
        build(**({"network": "mnasnet-a1"} | options))


def test_forget_lets_go_of_the_activations():
    net, x = tiny("mnasnet-b1"), image(4, 96, 96, 3)
    net.forward(x[:1])
    net.forget()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    net.forward(x)
    held = tracemalloc.get_traced_memory()[0] - before
    net.forget()
    left = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert held > x.nbytes
    assert left < x.nbytes / 4
    with pytest.raises(DataError):
        net.backward(np.zeros((4, 7), np.float32))
