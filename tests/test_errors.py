"""Every bad input of every op is a named error that says the op, the argument, what came and what was wanted."""

import numpy as np
import pytest
from support import ALL, BY_NAME, refuse, valid

from refmnas import use
from refmnas.cases import draw, prove
from refmnas.errors import DataError, DtypeError, ShapeError, SpecError
from refmnas.ops import batchnorm, concat, conv, depthwise, dropout, max_pool, pointwise, pool, resize, softmax, softmax_xent

_NO_IMAGE = ("activation", "linear", "softmax", "softmax_xent", "dropout", "drop_path")
LAYOUTLESS = [name for name in sorted(BY_NAME) if name.partition(".")[0] in _NO_IMAGE or name == "batchnorm.running"]


PAIRS = [(claim.function, name) for claim in ALL for name in claim.takes]
EACH_ARRAY = pytest.mark.parametrize(("function", "name"), PAIRS)
BESIDE_ANOTHER = [(f, name) for f, name in PAIRS if len(BY_NAME[f].takes) > 1]  # something must agree with it
BESIDE_A_FLOAT = [(f, name) for f, name in BESIDE_ANOTHER if name != "labels" and f != "softmax_xent.forward"]


@EACH_ARRAY
def test_what_is_no_array_is_refused(function, name):
    arrays, options = valid(function)
    refuse(DtypeError, function, [name, "list"], arrays | {name: arrays[name].tolist()}, options)


@EACH_ARRAY
@pytest.mark.parametrize("dtype", [np.float16, np.complex64, np.bool_, object])
def test_element_types_that_no_op_takes_are_refused(function, name, dtype):
    arrays, options = valid(function)
    wrong = arrays[name].astype(dtype)
    refuse(DtypeError, function, [name, wrong.dtype], arrays | {name: wrong}, options)


@pytest.mark.parametrize(("function", "name"), BESIDE_A_FLOAT)
def test_mixed_element_types_are_refused(function, name):
    arrays, options = valid(function)
    mixed = arrays | {name: arrays[name].astype(np.float64)}
    refuse(DtypeError, function, ["float32", "float64"], mixed, options)


@EACH_ARRAY
def test_a_wrong_rank_is_refused(function, name):
    arrays, options = valid(function)
    if function == "activation.forward":  # takes any rank but 0
        refuse(ShapeError, function, ["x", "()"], {"x": np.zeros(())}, options)
        return
    wrong = arrays[name].reshape(1, 1, 1, *arrays[name].shape)
    refuse(ShapeError, function, ["shape"], arrays | {name: wrong}, options)


def test_a_wrong_rank_is_refused_where_the_extents_would_fit():
    x, one = np.ones((1, 2, 2, 3, 1)), np.ones(())
    refuse(ShapeError, "pointwise.forward", ["x", x.shape], {"x": x, "w": np.ones((3, 4))}, {})
    refuse(ShapeError, "dropout.forward", ["x", "()"], {"x": one, "mask": one}, {"rate": 0.5})


# The axis that another array must agree with, where it is not the last.
TIED_AXIS = {
    ("softmax_xent", "x"): 0,
    ("drop_path", "x"): 0,
    ("conv", "w"): 2,
    ("pointwise", "w"): 0,
    ("linear", "w"): 0,
    ("concat", "a"): 0,
    ("concat", "b"): 0,
}


@pytest.mark.parametrize(("function", "name"), BESIDE_ANOTHER)
def test_an_extent_that_fits_no_other_array_is_refused(function, name):
    arrays, options = valid(function)
    a, axis = arrays[name], TIED_AXIS.get((function.partition(".")[0], name), -1)
    longer = np.concatenate([a, a.take([0], axis)], axis)
    refuse(ShapeError, function, [longer.shape[axis]], arrays | {name: longer}, options)


WINDOWED = pytest.mark.parametrize(
    "function", ["conv.forward", "conv.backward", "depthwise.forward", "depthwise.backward"]
)


@WINDOWED
@pytest.mark.parametrize(
    ("option", "value"),
    [
        *((name, value) for name in ("stride", "dilation") for value in (0, -1, 1.5, "2", None, True)),
        *(("pad", value) for value in ((1, 1, 1), (0, 0, 0, -1), (0, 0, 0, 0.5), 1, None, "same", (0, 0, 0, 0, 0))),
    ],
)
def test_windows_that_cannot_be_are_refused(function, option, value):
    arrays, options = valid(function)
    refuse(SpecError, function, [option], arrays, options | {option: value})


@WINDOWED
def test_a_kernel_larger_than_the_padded_image_is_refused(function):
    arrays, options = valid(function)
    x = arrays["x"]
    arrays["x"] = np.ones((x.shape[0], 1, 2, x.shape[3]), np.float32)
    kernel = (9, 8, *arrays["w"].shape[2:])
    arrays["w"] = np.ones(kernel, np.float32)
    words = ["x", "(4, 9)", "(17, 15)"]  # 1 + 1 + 2 rows and 2 + 3 + 4 columns: each side of the padding counts
    refuse(ShapeError, function, words, arrays, options | {"pad": (1, 2, 3, 4), "stride": 3, "dilation": 2})


@WINDOWED
@pytest.mark.parametrize("kernel", [(9, 1), (1, 9)])
def test_a_kernel_larger_in_one_direction_is_refused(function, kernel):
    arrays, options = valid(function)
    arrays["x"] = np.ones((1, 3, 3, arrays["x"].shape[3]), np.float32)
    arrays["w"] = np.ones((*kernel, *arrays["w"].shape[2:]), np.float32)
    refuse(ShapeError, function, [str(kernel)], arrays, options | {"pad": (0, 0, 0, 0), "dilation": 1})


@WINDOWED
def test_a_kernel_without_taps_is_refused(function):
    arrays, options = valid(function)
    for none in (arrays["w"][:0], arrays["w"][:, :0]):
        refuse(ShapeError, function, ["w", "1 x 1"], arrays | {"w": none}, options)


@pytest.mark.parametrize("value", [np.nan, -1.0, -np.inf])
@pytest.mark.parametrize(
    ("function", "name"),
    [("batchnorm.forward_eval", "var"), ("batchnorm.backward_eval", "var"),
     ("batchnorm.running", "var"), ("batchnorm.running", "running_var")],
)  # fmt: skip
def test_variances_that_cannot_be_are_refused(function, name, value):
    arrays, options = valid(function)
    wrong = arrays[name].copy()
    wrong[-1] = value
    refuse(DataError, function, [f"{name}[{len(wrong) - 1}]", value], arrays | {name: wrong}, options)


@pytest.mark.parametrize("shape", [(0, 2, 2, 3), (2, 0, 2, 3), (0, 3)])
def test_statistics_of_no_pixel_are_refused(shape):
    x, one = np.ones(shape), np.ones(3)
    refuse(DataError, "batchnorm.forward", ["x", shape], {"x": x, "gamma": one, "beta": one}, {"eps": 1e-3})


def test_the_unbiased_variance_of_one_pixel_is_refused():
    arrays = dict.fromkeys(("running_mean", "running_var", "mean", "var"), np.ones(2))
    options = {"count": 1, "momentum": 0.1, "unbiased": True}
    refuse(DataError, "batchnorm.running", ["count is 1"], arrays, options)
    assert batchnorm.running(*arrays.values(), **options | {"unbiased": False}).var[0] == 1


POOLS, BOTH = ("average_pool", "max_pool"), ("forward", "backward")
OUT_OF_RANGE = [
    *((f"batchnorm.{f}", "eps", v) for f in ("forward", "forward_eval", "backward_eval")
      for v in (0, -1e-3, np.nan, np.inf, "small", None, True)),
    *(("batchnorm.running", "momentum", v) for v in (-0.1, 1.5, np.nan, None)),
    *(("batchnorm.running", "count", v) for v in (0, -1, 2.0, None)),
    *(("batchnorm.running", "unbiased", v) for v in (1, "yes", None)),
    *((f"{op}.{f}", "rate", v) for op in ("dropout", "drop_path") for f in ("forward", "backward")
      for v in (-0.1, 1, 1.5, np.nan, "half", None)),
    *((f"softmax_xent.{f}", "smoothing", v) for f in ("forward", "backward") for v in (-0.1, 1.1, np.nan, b"0.5", None)),
    *((f"{op}.{f}", "stride", v) for op in POOLS for f in BOTH for v in (0, -1, 1.5, "2", None, True)),
    *((f"{op}.{f}", "ceil", v) for op in POOLS for f in BOTH for v in (0, 1, "up", None)),
    *((f"average_pool.{f}", "count_pad", v) for f in BOTH for v in (0, 1, None)),
    *((f"resize.{f}", "mode", v) for f in BOTH for v in ("cubic", "", None)),
    *((f"resize.{f}", "places", v) for f in BOTH for v in ("pytorch_half_pixel", None, 1)),
    *((f"resize.{f}", "rounding", v) for f in BOTH for v in ("round", None)),
    *((f"activation.{f}", "kind", v) for f in ("forward", "backward") for v in ("gelu", "", None, 3)),
    *(("activation.backward", "kink", v) for v in ("keras", None)),
]  # fmt: skip


@pytest.mark.parametrize(("function", "option", "value"), OUT_OF_RANGE)
def test_options_out_of_range_are_refused(function, option, value):
    arrays, options = valid(function)
    refuse(SpecError, function, [option, repr(value)], arrays, options | {option: value})


@pytest.mark.parametrize("function", ["softmax_xent.forward", "softmax_xent.backward"])
def test_labels_that_name_no_class_are_refused(function):
    arrays, options = valid(function)
    K = arrays["x"].shape[1]
    for wrong in (-1, K, 2**40):
        labels = arrays["labels"].astype(np.int64)
        labels[-1] = wrong
        words = [f"labels[{len(labels) - 1}]", wrong, f"0 to {K - 1}"]
        refuse(DataError, function, words, arrays | {"labels": labels}, options)
    refuse(DtypeError, function, ["labels", "float32"], arrays | {"labels": labels.astype(np.float32)}, options)
    for dtype in (np.uint8, np.int16, np.uint64):
        fine = prove.op(function)(*(arrays | {"labels": arrays["labels"].astype(dtype)}).values(), **options)
        same = prove.op(function)(*arrays.values(), **options)
        assert np.array_equal(prove.results(fine)[0], prove.results(same)[0])


def test_logits_of_no_class_are_refused():
    arrays = {"x": np.ones((2, 0)), "labels": np.zeros(2, int)}
    refuse(ShapeError, "softmax_xent.forward", ["x", (2, 0)], arrays, {})


@pytest.mark.parametrize("function", ["dropout.forward", "dropout.backward", "drop_path.forward", "drop_path.backward"])
@pytest.mark.parametrize("value", [0.5, -1.0, np.nan, 2.0])
def test_masks_of_other_values_than_0_and_1_are_refused(function, value):
    arrays, options = valid(function)
    mask = arrays["mask"].copy()
    mask.flat[-1] = value
    refuse(DataError, function, ["mask", "0 and 1"], arrays | {"mask": mask}, options)


@pytest.mark.parametrize("function", sorted(BY_NAME))
@pytest.mark.parametrize("layout", ["NWHC", "nchw", None, 1])
def test_unknown_layouts_are_refused(function, layout):
    arrays, options = valid(function)
    if function in LAYOUTLESS:
        with pytest.raises(SpecError, match=f"{function}: "):
            prove.op(function)(*arrays.values(), **options, layout="NCHW")
        return
    refuse(SpecError, function, ["layout", repr(layout)], arrays, options, layout=layout)


NCHW = [f for f in sorted(BY_NAME) if f not in LAYOUTLESS]


@pytest.mark.parametrize("function", NCHW)
def test_arrays_of_a_wrong_rank_in_nchw_are_refused(function):
    arrays, options = valid(function)
    name = "x" if "x" in arrays else "a"
    refuse(ShapeError, function, [name, "rank 4"], arrays | {name: arrays[name].reshape(-1)}, options, layout="NCHW")
    refuse(DtypeError, function, [name, "list"], arrays | {name: [1.0]}, options, layout="NCHW")


WITH_OUT = pytest.mark.parametrize("function", ["conv.forward", "pointwise.forward", "depthwise.forward"])


@WITH_OUT
@pytest.mark.parametrize("backend", ["numpy", "auto", "oracle"])
def test_results_that_cannot_be_written_are_refused(function, backend):
    arrays, options = valid(function)
    y = prove.op(function)(*arrays.values(), **options)
    frozen, gaps = np.empty_like(y), np.empty((*y.shape[:-1], 2 * y.shape[-1]), y.dtype)[..., ::2]
    frozen.flags.writeable = False
    with use(backend):
        for error, out in (
            (ShapeError, frozen),
            (ShapeError, gaps),
            (ShapeError, np.empty((*y.shape, 1), y.dtype)),
            (DtypeError, np.empty(y.shape, np.float64)),
            (DtypeError, y.tolist()),
        ):
            refuse(error, function, ["out"], arrays, options, out=out)


@WITH_OUT
@pytest.mark.parametrize("backend", ["numpy", "auto", "oracle"])
def test_a_result_in_the_memory_of_an_input_is_refused(function, backend):
    memory = {name: np.ones(32, np.float32) for name in ("x", "w", "b")}
    shapes = {"conv.forward": (1, 1, 3, 3), "pointwise.forward": (3, 3), "depthwise.forward": (1, 1, 3)}
    shapes = {"x": (1, 2, 2, 3), "w": shapes[function], "b": (3,)}
    arrays = {name: memory[name][: np.prod(shape)].reshape(shape) for name, shape in shapes.items()}
    for name in memory:
        out = memory[name][2:14].reshape(1, 2, 2, 3)  # begins inside the input
        with use(backend):
            refuse(ShapeError, function, ["out", "memory"], arrays, {}, out=out)


@WITH_OUT
def test_a_refused_call_leaves_out_as_it_was(function):
    arrays, options = valid(function)
    out = np.full_like(prove.op(function)(*arrays.values(), **options), 7)
    with pytest.raises(ShapeError):
        prove.op(function)(*(arrays | {"b": np.ones(1000, np.float32)}).values(), **options, out=out)
    assert np.all(out == 7)


def test_a_huge_result_is_refused_before_it_is_allocated():
    x, w = np.ones((1, 1, 1, 1), np.float32), np.ones((1, 1, 1), np.float32)
    with pytest.raises(SpecError, match="pad"):
        depthwise.forward(x, w, pad=(2**40, 0, 0, -1))


@pytest.mark.parametrize("function", sorted(BY_NAME))
def test_options_that_the_op_does_not_know_are_refused(function):
    arrays, options = valid(function)
    with pytest.raises(TypeError, match="strides"):
        prove.op(function)(*arrays.values(), **options, strides=2)


# Without a pixel there is no statistic: refused, as another test shows; statistics have no batch axis.
BATCHED = sorted(set(BY_NAME) - {"batchnorm.forward", "batchnorm.running"})


@pytest.mark.parametrize("function", BATCHED)
def test_an_empty_batch_has_an_empty_result_and_zero_gradients(function):
    claim, op = BY_NAME[function], function.partition(".")[0]
    case = next(c for c in (draw(op, seed) for seed in range(999)) if c.n == 0)
    arrays = prove.inputs(claim, case, "reals", np.float32)
    for backend in ("numpy", "auto", "oracle"):
        got = prove.call(function, case, arrays, backend)
        assert all(not np.any(a) for a in got), backend


def test_valid_calls_beside_the_refused_ones_are_answered():
    assert pool.forward(np.ones((0, 1, 1, 4))).shape == (0, 4)
    assert max_pool.forward(np.ones((1, 1, 1, 0)), kernel=(np.int64(1), 1)).shape == (1, 1, 1, 0)
    assert max_pool.forward(np.ones((1, 1, 1, 1)), kernel=(2, 2), pad=(1, 0, 0, 1)).item() == 1
    assert resize.forward(np.ones((1, 1, 1, 1)), size=[2, 1]).shape == (1, 2, 1, 1)
    assert concat.forward(np.ones((2, 0)), np.ones((2, 3))).shape == (2, 3)
    assert softmax.forward(np.ones((2, 1))).tolist() == [[1.0], [1.0]]
    assert dropout.forward(np.ones((1, 1)), np.ones((1, 1)), rate=0).item() == 1
    assert softmax_xent.forward(np.ones((1, 1)), np.zeros(1, int), smoothing=1).item() == 0
    assert pointwise.forward(np.ones((1, 1, 1, 0)), np.ones((0, 2))).shape == (1, 1, 1, 2)
    assert conv.forward(np.ones((1, 1, 1, 2)), np.ones((1, 1, 1, 2)), groups=np.int64(2)).shape == (1, 1, 1, 2)
