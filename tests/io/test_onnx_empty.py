"""Results without elements and operands without axes: what hostile files found to end in NumPy's or Python's own errors."""

import numpy as np
import pytest
from onnx_files import single


@pytest.fixture
def path(tmp_path):
    return tmp_path / "one.onnx"


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge"])
@pytest.mark.parametrize("held", [[], [0, 1]])
def test_pad_of_a_number_is_the_number(path, mode, held):
    _, (y,) = single(path, "Pad", [np.array(99, "f4"), np.zeros(0, "i8")], 13, held, mode=mode)
    assert (y.shape, float(y)) == ((), 99)


@pytest.mark.parametrize("way", ["half_pixel", "half_pixel_symmetric", "align_corners", "asymmetric"])
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("antialias", [0, 1])
def test_resize_to_nothing(path, way, mode, antialias):
    """By sizes of 0, and by scales so small that a kernel would span 10^30 elements."""
    x = np.ones((2, 2, 3, 3), "f4")
    more = {"mode": mode, "coordinate_transformation_mode": way, "antialias": antialias}
    if mode == "nearest":
        del more["antialias"]
    _, (y,) = single(path, "Resize", [x, None, None, np.array((0, 2, 2, 3), "i8")], 19, [3], **more)
    assert y.shape == (0, 2, 2, 3)
    _, (y,) = single(path, "Resize", [x, None, np.array((1, 1, 1e-30, 2), "f4")], 19, [2], **more)
    assert y.shape == (2, 2, 0, 6)
