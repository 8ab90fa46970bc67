"""Pools, resize, concatenation and softmax against PyTorch's own, forward and backward, in float64."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra parity: torch is not installed")
from torch.nn import functional  # noqa: E402

from refmnas.bounds import allowed  # noqa: E402
from refmnas.cases.prove import largest_margin  # noqa: E402
from refmnas.ops import average_pool, concat, max_pool, resize, softmax  # noqa: E402

pytestmark = pytest.mark.parity
RNG = np.random.default_rng(0)
WINDOWS = [
    (size, kernel, stride, pad, ceil)
    for size in ((5, 5), (7, 8), (8, 11), (3, 2))
    for kernel, pad in (((3, 3), (1, 1)), ((2, 2), (0, 0)), ((2, 3), (1, 0)), ((1, 1), (0, 0)), ((3, 2), (0, 1)))
    for stride in (1, 2, 3)
    for ceil in (False, True)
    if all(n + 2 * p >= k for n, k, p in zip(size, kernel, pad, strict=True))
]


def both(op, theirs, x, **options):
    """PyTorch's y and dx within the bound of ours."""
    there = torch.tensor(x.transpose(0, 3, 1, 2).copy() if x.ndim == 4 else x, requires_grad=True)
    y_there = theirs(there)
    turned = (0, 2, 3, 1) if x.ndim == 4 else (0, 1)
    y = op.forward(x, **options)
    dy = RNG.standard_normal(y.shape)
    y_there.backward(torch.tensor(dy.transpose(0, 3, 1, 2).copy() if x.ndim == 4 else dy))
    dx = op.backward(dy, x, **options).x
    name = op.__name__.rpartition(".")[2]
    pairs = (("forward", (x,), y, y_there.detach()), ("backward", (dy, x), dx, there.grad))
    for direction, arrays, ours, other in pairs:
        (bound,) = allowed(f"{name}.{direction}", arrays, options)
        other = other.numpy().transpose(turned)
        assert np.array_equal(ours, other) or largest_margin(ours, other, bound) <= 1, (direction, options)


@pytest.mark.parametrize(("size", "kernel", "stride", "pad", "ceil"), WINDOWS)
def test_pools_are_those_of_pytorch(size, kernel, stride, pad, ceil):
    options = {"kernel": kernel, "stride": stride, "pad": (pad[0],) * 2 + (pad[1],) * 2, "ceil": ceil}
    given = {"kernel_size": kernel, "stride": stride, "padding": pad, "ceil_mode": ceil}
    x = RNG.standard_normal((2, *size, 3))
    both(max_pool, lambda t: functional.max_pool2d(t, **given), x, **options)
    both(max_pool, lambda t: functional.max_pool2d(t, **given), np.sign(x), **options)  # nearly all are equal maxima
    both(max_pool, lambda t: functional.max_pool2d(t, **given), np.full_like(x, -np.inf), **options)
    for count_pad in (False, True):
        more = given | {"count_include_pad": count_pad}
        both(average_pool, lambda t, more=more: functional.avg_pool2d(t, **more), x, count_pad=count_pad, **options)


@pytest.mark.parametrize("size", [(4, 8), (7, 6), (1, 1), (3, 5), (9, 9), (2, 13)])
@pytest.mark.parametrize("extents", [(5, 4), (8, 7), (1, 3), (6, 6)])
def test_resize_is_that_of_pytorch(extents, size):
    """Its places are floating-point numbers, ours fractions: the weights differ by what u[p] <= 9 is rounded by."""
    x = RNG.standard_normal((2, *extents, 3))
    modes = {
        ("nearest", "asymmetric", "floor"): {"mode": "nearest"},
        ("nearest", "half_pixel", "round_prefer_ceil"): {"mode": "nearest-exact"},
    }
    for (mode, places, rounding), given in modes.items():
        options = {"size": size, "mode": mode, "places": places, "rounding": rounding}
        both(resize, lambda t, given=given: functional.interpolate(t, size=size, **given), x, **options)
    u = 2.0**-53
    for places, corners in (("half_pixel", False), ("align_corners", True)):
        there = torch.tensor(x.transpose(0, 3, 1, 2).copy(), requires_grad=True)
        y = functional.interpolate(there, size=size, mode="bilinear", align_corners=corners)
        dy = RNG.standard_normal((2, *size, 3))
        y.backward(torch.tensor(dy.transpose(0, 3, 1, 2).copy()))
        options = {"size": size, "places": places}
        off = 2 * 4 * 9 * u  # of either axis, four roundings of a place of at most 9
        got, grad = resize.forward(x, **options), resize.backward(dy, x, **options).x
        np.testing.assert_allclose(y.detach().numpy().transpose(0, 2, 3, 1), got, rtol=0, atol=4 * off * abs(x).max())
        most = abs(dy).sum(axis=(1, 2)).max()
        np.testing.assert_allclose(there.grad.numpy().transpose(0, 2, 3, 1), grad, rtol=0, atol=off * most)


def test_softmax_is_that_of_pytorch():
    for scale in (1, 30, 700):
        both(softmax, lambda t: functional.softmax(t, dim=1), RNG.standard_normal((4, 9)) * scale)


def test_concatenation_is_that_of_pytorch():
    a, b = RNG.standard_normal((2, 3, 4, 5)), RNG.standard_normal((2, 3, 4, 2))
    one, other = (torch.tensor(v.transpose(0, 3, 1, 2).copy(), requires_grad=True) for v in (a, b))
    y = torch.cat([one, other], dim=1)
    dy = RNG.standard_normal((2, 3, 4, 7))
    y.backward(torch.tensor(dy.transpose(0, 3, 1, 2).copy()))
    grads = concat.backward(dy, a, b)
    assert np.array_equal(y.detach().numpy().transpose(0, 2, 3, 1), concat.forward(a, b))
    assert np.array_equal(one.grad.numpy().transpose(0, 2, 3, 1), grads.a)
    assert np.array_equal(other.grad.numpy().transpose(0, 2, 3, 1), grads.b)


def test_the_two_counts_of_an_average_differ_where_there_is_padding():
    """What `count_pad` is about: PyTorch's default and TensorFlow's rule, on ones."""
    x = np.ones((1, 3, 3, 1))
    options = {"kernel": (3, 3), "pad": (1, 1, 1, 1)}
    assert np.all(average_pool.forward(x, **options) == 1)
    assert average_pool.forward(x, **options, count_pad=True)[0, 0, 0, 0] == 4 / 9
    default = functional.avg_pool2d(torch.ones(1, 1, 3, 3), 3, 1, 1)
    assert default[0, 0, 0, 0].item() == np.float32(4 / 9)


@pytest.mark.parametrize("values", [[1.0, np.nan, 2.0], [np.nan, 3.0, 1.0]])
def test_a_nan_is_the_largest_value(values):
    x = np.array(values).reshape(1, 1, 3, 1)
    there = torch.tensor(x.transpose(0, 3, 1, 2).copy(), requires_grad=True)
    functional.max_pool2d(there, (1, 3)).sum().backward()
    assert np.isnan(max_pool.forward(x, kernel=(1, 3))).all()
    assert np.array_equal(max_pool.backward(np.ones((1, 1, 1, 1)), x, kernel=(1, 3)).x.ravel(), there.grad.numpy().ravel())
