"""Single TFLite operators against the oracles and loops of NumPy: exact on integers, within the last rounding on reals."""

import itertools

import numpy as np
import pytest
from tflite_files import load, model, single

from refmnas.bounds import gamma
from refmnas.errors import FormatError
from refmnas.geometry import extent, same_pad
from refmnas.oracle import average_pool, conv, depthwise, max_pool, resize

SAME, VALID = 0, 1
ACTS = {0: lambda y: y, 1: lambda y: np.maximum(y, 0), 2: lambda y: np.clip(y, -1, 1), 3: lambda y: np.clip(y, 0, 6)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "one.tflite"


def integers(seed, *shape):
    return np.random.default_rng(seed).integers(-8, 9, shape).astype("f4")


def placed(x, kernel, stride, dilation, padding):
    """((top, bottom, left, right), (rows, columns))."""
    pads = [same_pad(n, k, stride, dilation) if padding == SAME else (0, 0) for n, k in zip(x.shape[1:3], kernel, strict=True)]
    extents = [extent(n, k, stride, *pad, dilation) for n, k, pad in zip(x.shape[1:3], kernel, pads, strict=True)]
    return (*pads[0], *pads[1]), tuple(extents)


WINDOWS = list(itertools.product(((3, 3), (1, 1), (2, 5)), (1, 2, 3), (1, 2), (SAME, VALID)))


@pytest.mark.parametrize(("kernel", "stride", "dilation", "padding"), WINDOWS)
def test_convolutions_are_the_oracles(path, kernel, stride, dilation, padding):
    x, act = integers(0, 2, 9, 11, 4), stride  # each fused activation in its turn
    pad, extents = placed(x, kernel, stride, dilation, padding)
    options = {"padding": padding, "stride_h": stride, "stride_w": stride, "dilation_h": dilation, "dilation_w": dilation}
    for groups, b in ((1, integers(1, 6)), (2, None)):
        w = integers(2, 6, *kernel, 4 // groups)
        want = conv.forward(x, w.transpose(1, 2, 3, 0), b, stride=stride, pad=pad, dilation=dilation, groups=groups)
        got = single(path, "CONV_2D", [x, w, b], (2, *extents, 6), (1, 2) if b is not None else (1,), act=act, **options)[1]
        assert np.array_equal(got, ACTS[act](want))
    w, b = integers(3, 1, *kernel, 8), integers(4, 8)
    turned = w[0].reshape(*kernel, 4, 2)  # channel c gives channels 2 c and 2 c + 1
    window = {"stride": stride, "pad": pad, "dilation": dilation}
    want = np.stack([depthwise.forward(x, turned[..., m], b[m::2], **window) for m in (0, 1)], -1)
    for multiplier in (0, 2):
        given = options | {"act": act, "multiplier": multiplier}
        got = single(path, "DEPTHWISE_CONV_2D", [x, w, b], (2, *extents, 8), (1, 2), **given)[1]
        assert np.array_equal(got, ACTS[act](want.reshape(got.shape)))


def test_strides_and_dilations_of_their_own(path):
    x, w = integers(0, 1, 8, 9, 3), integers(1, 5, 3, 3, 3)
    options = {"padding": VALID, "stride_h": 2, "stride_w": 1, "dilation_h": 1, "dilation_w": 2}
    got = single(path, "CONV_2D", [x, w], (1, 3, 5, 5), (1,), **options)[1]
    dense = np.zeros((5, 3, 5, 3), "f4")  # the dilated kernel with its zeros
    dense[:, :, ::2] = w
    want = conv.forward(x, dense.transpose(1, 2, 3, 0))[:, ::2]
    assert np.array_equal(got, want)


@pytest.mark.parametrize("padding", [SAME, VALID])
@pytest.mark.parametrize("kernel", [(2, 2), (3, 3)])
@pytest.mark.parametrize("stride", [1, 2])
def test_pools_are_the_oracles(path, kernel, stride, padding):
    x = integers(0, 2, 7, 8, 3)
    pad, extents = placed(x, kernel, stride, 1, padding)
    options = {"padding": padding, "stride_h": stride, "stride_w": stride, "act": 1}
    options |= {"filter_h": kernel[0], "filter_w": kernel[1]}
    got = single(path, "MAX_POOL_2D", [x], (2, *extents, 3), **options)[1]
    assert np.array_equal(got, ACTS[1](max_pool.forward(x, kernel=kernel, stride=stride, pad=pad)))
    got = single(path, "AVERAGE_POOL_2D", [x], (2, *extents, 3), **options)[1]
    want = average_pool.forward(x, kernel=kernel, stride=stride, pad=pad)
    assert np.all(np.abs(got - ACTS[1](want)) <= gamma(1) * np.abs(want))  # a whole sum, and one quotient


@pytest.mark.parametrize("act", ACTS)
def test_arithmetic_stretches_and_is_fused(path, act):
    x, y = integers(0, 2, 3, 4, 5), np.where(integers(1, 2, 1, 1, 5) >= 0, 2, -4).astype("f4")
    for op, want in (("ADD", x + y), ("SUB", x - y), ("MUL", x * y), ("DIV", x / y)):
        assert np.array_equal(single(path, op, [x, y], x.shape, (1,), act=act)[1], ACTS[act](want))


def test_dense_layers_flatten_or_keep_their_axes(path):
    x, w, b = integers(0, 2, 1, 1, 6), integers(1, 4, 6), integers(2, 4)
    want = x.reshape(2, 6) @ w.T
    assert np.array_equal(single(path, "FULLY_CONNECTED", [x, w, b], (2, 4), (1, 2), act=3)[1], np.clip(want + b, 0, 6))
    assert np.array_equal(single(path, "FULLY_CONNECTED", [x.reshape(2, 6), w], (2, 4), (1,))[1], want)
    assert np.array_equal(single(path, "FULLY_CONNECTED", [x.reshape(4, 3), w], (2, 4), (1,))[1], want)
    kept = single(path, "FULLY_CONNECTED", [x, w, b], (2, 1, 1, 4), (1, 2), keep_num_dims=True)[1]
    assert np.array_equal(kept, (want + b).reshape(2, 1, 1, 4))


def test_shapes_and_axes(path):
    x, whole = integers(0, 2, 1, 3, 4), lambda *n: np.array(n, "i4")
    assert np.array_equal(single(path, "RESHAPE", [x, whole(-1, 8)], (3, 8), (1,))[1], x.reshape(3, 8))
    assert np.array_equal(single(path, "RESHAPE", [x, whole(3, 8)], (3, 8))[1], x.reshape(3, 8))  # the shape in a run
    assert np.array_equal(single(path, "RESHAPE", [x], (6, 4), new_shape=(6, -1))[1], x.reshape(6, 4))
    assert np.array_equal(single(path, "SQUEEZE", [x], (2, 3, 4))[1], x[:, 0])
    assert np.array_equal(single(path, "SQUEEZE", [x], (2, 3, 4), squeeze_dims=(-3,))[1], x[:, 0])
    assert np.array_equal(single(path, "TRANSPOSE", [x, whole(3, 1, 0, 2)], (4, 1, 2, 3), (1,))[1], x.transpose(3, 1, 0, 2))
    assert np.array_equal(single(path, "MEAN", [4 * x, whole(1, -1)], (2, 3), (1,))[1], x.sum((1, 3)))
    kept = single(path, "MEAN", [2 * x, np.array(0, "i4")], (1, 1, 3, 4), (1,), keep_dims=True)[1]
    assert np.array_equal(kept, x.sum(0)[None])
    pads = np.array([[0, 0], [1, 0], [0, 2], [0, 0]], "i4")
    assert np.array_equal(single(path, "PAD", [x, pads], (2, 2, 5, 4), (1,))[1], np.pad(x, pads))
    assert np.array_equal(single(path, "PADV2", [x, pads, np.array(7, "f4")], (2, 2, 5, 4), (1, 2))[1],
                          np.pad(x, pads, constant_values=7))  # fmt: skip
    got = single(path, "CONCATENATION", [x, 2 * x, x], (2, 1, 3, 12), axis=-1, act=1)[1]
    assert np.array_equal(got, np.maximum(np.concatenate([x, 2 * x, x], -1), 0))


def test_slices_take_so_many_from_there_on(path):
    x = integers(0, 2, 5, 4, 3)
    for begin, size, want in (
        ((0, 1, 1, 0), (2, 3, 2, 3), x[:, 1:4, 1:3]), ((1, 0, 3, 2), (-1, 2, -1, -1), x[1:, :2, 3:, 2:]),
    ):  # fmt: skip
        got = single(path, "SLICE", [x, np.array(begin, "i4"), np.array(size, "i4")], want.shape, (1, 2))[1]
        assert np.array_equal(got, want)
    for begin, size in (((-1, 0, 0, 0), (1, 1, 1, 1)), ((0, 0, 0, 0), (-2, 1, 1, 1)), ((0, 0), (1, 1, 1, 1))):
        with pytest.raises(FormatError, match="wanted numbers from 0 on for every axis"):
            single(path, "SLICE", [x, np.array(begin, "i4"), np.array(size, "i4")], (1, 1, 1, 1), (1, 2))


def test_activations(path):
    x = np.linspace(-9, 9, 73, dtype="f4").reshape(1, 73)
    for op, act in (("RELU", 1), ("RELU_N1_TO_1", 2), ("RELU6", 3)):
        assert np.array_equal(single(path, op, [x], x.shape)[1], ACTS[act](x))
    wide = x.astype("f8")
    for op, want in (("LOGISTIC", 1 / (1 + np.exp(-wide))), ("HARD_SWISH", wide * np.clip(wide + 3, 0, 6) / 6)):
        got = single(path, op, [x], x.shape)[1]
        assert np.all(np.abs(got - want) <= gamma(14) * (np.abs(want) + np.abs(wide) * (op == "HARD_SWISH") + 1))
    alpha = np.linspace(-1, 1, 73, dtype="f4")
    assert np.array_equal(single(path, "PRELU", [x, alpha], x.shape, (1,))[1], np.where(x > 0, x, alpha * x))
    scaled = np.exp(2 * wide)
    got = single(path, "SOFTMAX", [x], x.shape, beta=2.0)[1]
    assert np.all(np.abs(got - scaled / scaled.sum()) <= gamma(73 + 14 + 4 * 9) * scaled / scaled.sum())


PLACES = {"half_pixel": (False, True), "align_corners": (True, False), "asymmetric": (False, False)}


@pytest.mark.parametrize("places", PLACES)
@pytest.mark.parametrize("size", [(6, 10), (2, 3), (3, 5), (1, 4)])
def test_resizes_are_the_oracles(path, places, size):
    x, (align_corners, half_pixel_centers) = integers(0, 2, 3, 5, 2), PLACES[places]
    options = {"align_corners": align_corners, "half_pixel_centers": half_pixel_centers}
    sizes, shape = np.array(size, "i4"), (2, *size, 2)
    want = resize.forward(x, size=size, mode="bilinear", places=places)
    got = single(path, "RESIZE_BILINEAR", [x, sizes], shape, (1,), **options)[1]
    reach = resize.forward(abs(x), size=size, mode="bilinear", places=places)
    assert np.all(np.abs(got - want) <= gamma(8) * reach)  # two axes: a weight, a product, a sum, an addition to 0 each
    got = single(path, "RESIZE_NEAREST_NEIGHBOR", [x, sizes], shape, (1,), **options)[1]
    assert np.array_equal(got, x[:, nearest(3, size[0], places)][:, :, nearest(5, size[1], places)])


def nearest(n, m, places):
    """The indices in whole numbers, as the reference kernel means them."""
    found = {
        "half_pixel": lambda k: (2 * k + 1) * n // (2 * m),
        "asymmetric": lambda k: k * n // m,
        "align_corners": lambda k: (2 * k * (n - 1) + m - 1) // (2 * (m - 1)) if m > 1 else 0,
    }[places]
    return [min(found(k), n - 1) for k in range(m)]


def test_float16_constants_are_widened(tmp_path):
    x, w, b = integers(0, 1, 3, 3, 2), integers(1, 4, 1, 1, 2).astype("f2"), integers(2, 4).astype("f2")
    nodes = [("DEQUANTIZE", ["w"], "w32", {}), ("DEQUANTIZE", ["b"], "b32", {}),
             ("CONV_2D", ["x", "w32", "b32"], "y", {"padding": SAME, "stride_h": 1, "stride_w": 1})]  # fmt: skip
    table = model(nodes, {"x": ("f4", x.shape)}, {"y": ("f4", (1, 3, 3, 4))}, {"w": w, "b": b},
                  shapes={"w32": ("f4", w.shape), "b32": ("f4", b.shape)})  # fmt: skip
    graph = load(tmp_path / "a.tflite", table)
    want = x @ w.astype("f4")[:, 0, 0].T + b.astype("f4")
    assert np.array_equal(graph.run({"x": x})["y"], want)
    assert graph.operators == {"DEQUANTIZE": 2, "CONV_2D": 1}
    assert list(graph.intermediates({"x": x})) == ["y"]


REFUSED = {
    "padding is 2": ("CONV_2D", {"padding": 2}),
    "strides is (0, 1)": ("CONV_2D", {"stride_h": 0}),
    "the fused activation TANH is not read": ("CONV_2D", {"act": 4}),
    "the fused activation number 9": ("CONV_2D", {"act": 9}),
    "the multiplier 3": ("DEPTHWISE_CONV_2D", {"multiplier": 3}),
    "the multiplier -1": ("DEPTHWISE_CONV_2D", {"multiplier": -1}),
}


@pytest.mark.parametrize("said", REFUSED)
def test_options_that_are_not_read_are_refused_by_name(path, said):
    op, changed = REFUSED[said]
    w = np.ones((1, 1, 1, 4), "f4") if op == "DEPTHWISE_CONV_2D" else np.ones((4, 1, 1, 4), "f4")
    options = {"padding": SAME, "stride_h": 1, "stride_w": 1} | changed
    with pytest.raises(FormatError) as told:
        single(path, op, [integers(0, 1, 3, 3, 4), w], (1, 3, 3, 4), (1,), **options)
    assert said in str(told.value)
    assert op in str(told.value)

