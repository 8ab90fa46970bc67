"""Bad inputs of pools, resize, softmax, concat and of groups, as in test_errors.py."""

import numpy as np
import pytest
from support import refuse, valid

from refmnas.errors import ShapeError, SpecError

POOLS, BOTH = ("average_pool", "max_pool"), ("forward", "backward")


@pytest.mark.parametrize("function", [f"{op}.{f}" for op in POOLS for f in BOTH])
def test_pools_that_cannot_be_are_refused(function):
    arrays, options = valid(function)
    for pad in ((1, 1, 1), (0, 0, 0, -1), (0, 0, 0, 0.5), 1, None, "same", (0, 0, 0, 0, 0)):
        refuse(SpecError, function, ["pad"], arrays, options | {"pad": pad})
    for kernel in (3, (3,), (0, 1), (1, -1), (1.0, 1), None, "33", (1, 1, 1)):
        refuse(SpecError, function, ["kernel"], arrays, options | {"kernel": kernel})
    plain = {"stride": 1, "pad": (0, 0, 0, 0), "ceil": False}
    for kernel in ((99, 1), (1, 99)):
        refuse(ShapeError, function, ["padded x", 99], arrays, options | plain | {"kernel": kernel})
    arrays["x"] = np.ones((1, 4, 4, 1), np.float32)
    for pad in ((2, 0, 0, 0), (0, 2, 0, 0), (0, 0, 2, 0), (0, 0, 0, 2)):  # a window in the padding alone
        refuse(ShapeError, function, ["every window", pad], arrays, options | plain | {"kernel": (2, 2), "pad": pad})
    empty = arrays | {"x": np.ones((1, 0, 4, 1), np.float32)}
    refuse(ShapeError, function, ["x"], empty, options | plain | {"kernel": (1, 1)})


@pytest.mark.parametrize("function", ["resize.forward", "resize.backward"])
def test_sizes_that_no_image_has_are_refused(function):
    arrays, options = valid(function)
    for size in (3, (3,), (0, 1), (1, -1), (1.0, 1), None, "33", (1, 1, 1)):
        refuse(SpecError, function, ["size"], arrays, options | {"size": size})
    for shape in ((1, 0, 3, 2), (1, 3, 0, 2)):
        refuse(ShapeError, function, ["at least one pixel"], arrays | {"x": np.ones(shape, np.float32)}, options)


def test_softmax_of_no_class_is_refused():
    refuse(ShapeError, "softmax.forward", ["x", (2, 0)], {"x": np.ones((2, 0))}, {})


def test_concat_of_numbers_is_refused():
    refuse(ShapeError, "concat.forward", ["a", "()"], {"a": np.ones(()), "b": np.ones(())}, {})


@pytest.mark.parametrize("groups", [0, -1, 1.0, 5])
def test_groups_that_do_not_divide_the_channels_are_refused(groups):
    x, w = np.ones((1, 3, 3, 4), np.float32), np.ones((1, 1, 4, 6), np.float32)
    error = ShapeError if groups == 5 else SpecError
    refuse(error, "conv.forward", ["groups"], {"x": x, "w": w}, {"groups": groups})


def test_groups_that_do_not_divide_the_results_are_refused():
    arrays = {"x": np.ones((1, 3, 3, 4), np.float32), "w": np.ones((1, 1, 1, 6), np.float32)}
    refuse(ShapeError, "conv.forward", ["groups"], arrays, {"groups": 4})


@pytest.mark.parametrize("shape", [(2, 0, 3, 4), (1, 3, 0, 4), (0, 0, 0, 1)])
def test_an_image_without_pixels_has_no_average(shape):
    refuse(ShapeError, "pool.forward", ["x", shape], {"x": np.ones(shape)}, {})
    dy = np.ones((shape[0], shape[3]))
    refuse(ShapeError, "pool.backward", ["x", shape], {"dy": dy, "x": np.ones(shape)}, {})


@pytest.mark.parametrize("function", ["dropout.forward", "drop_path.forward"])
def test_a_number_has_no_samples_to_drop(function):
    refuse(ShapeError, function, ["x has shape ()"], {"x": np.array(1.0), "mask": np.array(1.0)}, {"rate": 0.5})


@pytest.mark.parametrize("shape", [(2, 3, 4), (1, 2, 3, 4, 5), (4,)])
def test_a_pointwise_convolution_takes_images_alone(shape):
    w = np.ones((shape[-1], 2))
    refuse(ShapeError, "pointwise.forward", ["x has shape"], {"x": np.ones(shape), "w": w}, {})
