"""Single operators by our reader and by LiteRT: on integers and on resizes of any extent the same numbers."""

import itertools

import numpy as np
import pytest
from tflite_files import encode, model

from refmnas.bounds import gamma
from refmnas.io import tflite

pytestmark = pytest.mark.parity
RNG = np.random.default_rng(0)


def integers(*shape):
    return RNG.integers(-8, 9, shape).astype("f4")


def whole(*values):
    return np.array(values, "i4")


X = integers(2, 7, 8, 4)
WINDOW = [
    {"padding": p, "stride_h": s, "stride_w": t, "act": a}
    for p, s, t, a in ((0, 1, 1, 0), (0, 2, 2, 1), (1, 2, 1, 3), (0, 3, 2, 2))
]
DILATED = {"padding": 0, "stride_h": 1, "stride_w": 1, "dilation_h": 2, "dilation_w": 3}
POOLS = [window | {"filter_h": 3, "filter_w": 2} for window in WINDOW]
W, GROUPED, DEPTHWISE, B = integers(6, 3, 3, 4), integers(6, 3, 3, 2), integers(1, 3, 3, 8), integers(6)
DENSE, ALPHA = integers(5, 4), integers(1, 1, 4)
PADS = np.array([[0, 0], [1, 0], [0, 2], [0, 0]], "i4")

# (operator, operands, how many of them are inputs, options)
CASES = [
    *[("CONV_2D", [X, W, B], 1, window) for window in (*WINDOW, DILATED)],
    *[("CONV_2D", [X, GROUPED, B], 1, window) for window in WINDOW],
    *[("DEPTHWISE_CONV_2D", [X, DEPTHWISE, integers(8)], 1, window | {"multiplier": 2}) for window in (*WINDOW[:2], DILATED)],
    *[(op, [X], 1, pool) for op in ("AVERAGE_POOL_2D", "MAX_POOL_2D") for pool in POOLS],
    *[(op, [X, integers(1, 1, 4) * 2 + 17], 2, {"act": a}) for op in ("ADD", "SUB", "MUL") for a in (0, 1, 3)],
    ("DIV", [X, np.array([2, -4, 8, 1], "f4")], 2, {}),
    ("FULLY_CONNECTED", [X, DENSE, integers(5)], 1, {"act": 1}),
    ("FULLY_CONNECTED", [X, DENSE, integers(5)], 1, {"keep_num_dims": True}),
    ("MEAN", [X * 56, whole(1, 2)], 1, {"keep_dims": True}),
    ("MEAN", [X * 56, whole(2, -3)], 1, {}),
    ("PAD", [X, PADS], 1, {}),
    ("PADV2", [X, PADS, np.array(7, "f4")], 1, {}),
    ("PRELU", [X, ALPHA], 1, {}),
    ("SLICE", [X, whole(0, 1, 2, 0), whole(2, -1, 3, 4)], 1, {}),
    ("CONCATENATION", [X, X, integers(2, 7, 8, 1)], 3, {"axis": -1}),
    ("CONCATENATION", [X, X], 2, {"axis": 0}),  # LiteRT takes no activation here
    ("RESHAPE", [X, whole(2, -1)], 1, {"new_shape": (2, -1)}),
    ("SQUEEZE", [integers(1, 3, 1, 2)], 1, {"squeeze_dims": (0, -2)}),
    ("SQUEEZE", [integers(1, 3, 1, 2)], 1, {}),
    ("TRANSPOSE", [X, whole(0, 3, 1, 2)], 1, {}),
    ("RELU", [X], 1, {}), ("RELU6", [X], 1, {}), ("RELU_N1_TO_1", [X], 1, {}),
]  # fmt: skip


def both(path, op, operands, fed, options):
    """(ours, LiteRT's) result.  The file is written twice: LiteRT finds the result's shape, ours is held to what it says."""
    package = pytest.importorskip("ai_edge_litert.interpreter", reason="needs the extra peers: ai-edge-litert is not installed")
    names = [f"x{k}" for k in range(len(operands))]
    feeds, constants = dict(zip(names[:fed], operands, strict=False)), dict(zip(names[fed:], operands[fed:], strict=True))
    inputs = {name: (a.dtype.str[1:], a.shape) for name, a in feeds.items()}

    def write(shape):
        path.write_bytes(encode(model([(op, names, "y", options)], inputs, {"y": ("f4", shape)}, constants)))

    write(())
    kind = package.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    runtime = package.Interpreter(str(path), num_threads=1, experimental_op_resolver_type=kind)
    runtime.allocate_tensors()
    for end in runtime.get_input_details():
        runtime.set_tensor(end["index"], feeds[end["name"]])
    runtime.invoke()
    theirs = runtime.get_tensor(runtime.get_output_details()[0]["index"])
    del runtime  # it looks at the file, which is written again
    write(theirs.shape)
    return tflite.load(path).run(feeds)["y"], theirs


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: f"{number}-{CASES[number][0]}")
def test_integers_agree_exactly(tmp_path, number):
    op, operands, fed, options = CASES[number]
    ours, theirs = both(tmp_path / "a.tflite", op, operands, fed, options)
    if op == "AVERAGE_POOL_2D":  # one quotient each, of whole numbers
        assert np.all(np.abs(ours - theirs) <= 2 * gamma(2) * np.abs(theirs))
    else:
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("op", ["LOGISTIC", "HARD_SWISH", "SOFTMAX"])
def test_curves_agree(tmp_path, op):
    x = np.linspace(-8, 8, 41, dtype="f4").reshape(1, 41)
    ours, theirs = both(tmp_path / "a.tflite", op, [x], 1, {"beta": 0.5} if op == "SOFTMAX" else {})
    bound = {"LOGISTIC": gamma(14), "HARD_SWISH": gamma(7) * (np.abs(x) + 1), "SOFTMAX": gamma(41 + 14 + 16) * theirs}
    assert np.all(np.abs(ours - theirs) <= 2 * bound[op])  # one of each of the two


PLACES = [(False, True), (True, False), (False, False)]


@pytest.mark.parametrize(("align_corners", "half_pixel_centers"), PLACES)
def test_nearest_takes_the_same_elements_at_every_extent(tmp_path, align_corners, half_pixel_centers):
    options = {"align_corners": align_corners, "half_pixel_centers": half_pixel_centers}
    for n, m in itertools.product((1, 2, 3, 5, 6, 10, 21, 49), (1, 2, 3, 5, 7, 10, 14, 33, 98)):
        x = np.arange(n, dtype="f4").reshape(1, n, 1, 1)
        ours, theirs = both(tmp_path / "a.tflite", "RESIZE_NEAREST_NEIGHBOR", [x, whole(m, 1)], 1, options)
        assert np.array_equal(ours, theirs), (n, m)


@pytest.mark.parametrize(("align_corners", "half_pixel_centers"), PLACES)
def test_bilinear_agrees_within_the_positions_roundings(tmp_path, align_corners, half_pixel_centers):
    """A position below n, in float32 of at most 4 roundings, moves the result by the difference of two neighbours each."""
    options = {"align_corners": align_corners, "half_pixel_centers": half_pixel_centers}
    for n, m in itertools.product((1, 2, 3, 5, 10, 21), (1, 2, 3, 5, 7, 14, 33)):
        x = RNG.standard_normal((1, n, 3, 2)).astype("f4")
        ours, theirs = both(tmp_path / "a.tflite", "RESIZE_BILINEAR", [x, whole(m, 5)], 1, options)
        largest = np.abs(x).max()
        assert np.all(np.abs(ours - theirs) <= 2 * (gamma(4) * (n + 3) * 2 * largest + gamma(8) * largest)), (n, m)
