"""Every instruction set gives the bits of the scalar kernels, on fast and on generic paths."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import cases

from refmnas import kernels, use
from refmnas.cases import CLAIMS, prove
from refmnas.cases.base import DATA
from refmnas.ops import depthwise

if not kernels.built():
    pytest.skip(f"no C: {kernels.why_not()}", allow_module_level=True)

from refmnas.kernels.depthwise import ffi, lib

OTHERS = [name for name in kernels.isas() if name != "scalar"]
CLAIMS_OF_DEPTHWISE = CLAIMS["depthwise"]

# (C, H, W, K, S): layers of MnasNet, MobileNet and others, cut to a few channel blocks and
# odd numbers of them; then sizes that runs of 7 and 14 pixels do not divide; then rows so
# long and wide that a kernel walks them in strips.
LAYERS = [
    (24, 14, 14, 3, 1), (40, 14, 14, 5, 1), (72, 14, 14, 5, 2), (120, 7, 7, 5, 1), (72, 28, 28, 3, 1),
    (32, 15, 29, 3, 2), (16, 112, 30, 3, 1), (136, 7, 7, 7, 1), (33, 13, 17, 7, 2), (200, 14, 14, 3, 1),
    (24, 56, 9, 3, 2), (40, 5, 16, 5, 1), (8, 9, 112, 5, 2), (17, 3, 3, 3, 1), (264, 7, 7, 3, 1),
    (72, 8, 112, 3, 1), (96, 9, 112, 3, 2), (72, 7, 96, 5, 1), (136, 9, 130, 5, 2), (65, 9, 120, 7, 1),
]  # fmt: skip


def words(y):
    """Results as unsigned words: NaN equals itself and -0.0 differs from 0.0."""
    return [np.ascontiguousarray(a).view(np.uint32) for a in prove.results(y)]


def assert_same_bits(call, where):
    with kernels.select_isa("scalar"):
        want = words(call())
    for name in OTHERS:
        with kernels.select_isa(name):
            got = words(call())
        for k, (g, w) in enumerate(zip(got, want, strict=True)):
            wrong = np.argwhere(g != w)
            assert not len(wrong), f"{name}: result {k} differs at {wrong[:3].tolist()} of {len(wrong)} ({where})"


@pytest.mark.parametrize("claim", CLAIMS_OF_DEPTHWISE, ids=lambda c: c.function)
@given(case=cases("depthwise"), data=st.sampled_from(DATA))
def test_every_set_gives_the_scalar_bits(claim, case, data):
    arrays = prove.inputs(claim, case, data, np.float32)
    assert_same_bits(lambda: tuple(prove.call(claim.function, case, arrays, "c")), f"{case} {data}")


def whole_numbers(rng, shape):
    """At most 8 in size: sums of up to 2^18 products stay below 2^24 and are exact."""
    return rng.integers(-8, 9, shape).astype(np.float32)


def assert_reference_on_integers(rng, x, w, *bias, where, **options):
    """All sets share one template, so equal bits alone would miss a fault in it."""
    with use("numpy"):
        y = depthwise.forward(x, w, *bias, **options)
        dy = whole_numbers(rng, y.shape)
        want = [y, *depthwise.backward(dy, x, w, **options)]
    for name in kernels.isas():
        with kernels.select_isa(name), use("c"):
            got = [depthwise.forward(x, w, *bias, **options), *depthwise.backward(dy, x, w, **options)]
        assert all(map(np.array_equal, got, want)), (name, where, options)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda row: "C{}-H{}-W{}-k{}-s{}".format(*row))
def test_real_layers_are_the_reference_on_integers(layer):
    C, H, W, K, S = layer
    rng = np.random.default_rng(C + W)
    x, w, b = (whole_numbers(rng, shape) for shape in ((2, H, W, C), (K, K, C), (C,)))
    for pad in ((K // 2,) * 4, (0, K - 1, (K - 1) // 2, K // 2)):
        assert_reference_on_integers(rng, x, w, b, where=layer, stride=S, pad=pad)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("left", range(4))
def test_three_by_three_is_the_reference_at_every_edge(stride, left):
    """Lines of 3 x 3 taps have code of their own for their ends: every width and pad, all channels of a block."""
    rng = np.random.default_rng(left)
    w = whole_numbers(rng, (3, 3, 17))
    for width, right in itertools.product(range(1, 19), range(4)):
        if width + left + right < 3:
            continue
        x = whole_numbers(rng, (1, 4 + width % 3, width, 17))
        assert_reference_on_integers(rng, x, w, where=width, stride=stride, pad=(right, left, left, right))


@pytest.mark.parametrize(("Kh", "Kw"), [(7, 3), (5, 3), (3, 7), (7, 5), (2, 3), (4, 5)])
def test_rows_outside_the_image_are_skipped_by_kernels_that_are_not_square(Kh, Kw):
    """With a pad as large as the kernel, whole windows lie outside."""
    rng = np.random.default_rng(Kh)
    x, w = whole_numbers(rng, (1, 4, 5, 17)), whole_numbers(rng, (Kh, Kw, 17))
    assert_reference_on_integers(rng, x, w, where=(Kh, Kw), pad=(Kh, Kh, Kw, Kw))


@pytest.mark.parametrize("layer", LAYERS, ids=lambda row: "C{}-H{}-W{}-k{}-s{}".format(*row))
def test_real_layers_have_the_scalar_bits(layer):
    C, H, W, K, S = layer
    rng = np.random.default_rng(C + H)
    x, w, b = (rng.standard_normal(shape, np.float32) for shape in ((2, H, W, C), (K, K, C), (C,)))
    for pad in ((K // 2,) * 4, ((K - 1) // 2, K // 2, 0, K - 1)):
        options = {"stride": S, "pad": pad}
        with use("c"):
            assert_same_bits(lambda: depthwise.forward(x, w, b, **options), f"{layer} {pad}")  # noqa: B023
            dy = rng.standard_normal(depthwise.forward(x, w, **options).shape, np.float32)
            assert_same_bits(lambda: depthwise.backward(dy, x, w, **options), f"{layer} {pad}")  # noqa: B023


@pytest.mark.parametrize("shift", range(0, 16, 4))
def test_bits_do_not_depend_on_where_an_array_lies(shift):
    """Aligned walks begin below channel 0, elsewhere for each address."""
    rng = np.random.default_rng(shift)
    w, want = rng.standard_normal((3, 3, 128), np.float32), None
    values = rng.standard_normal((1, 5, 9, 128), np.float32)
    for isa in kernels.isas():
        for floats in range(shift, shift + 4):
            memory = np.empty(values.size + 64, np.float32)
            start = (-memory.ctypes.data // 4) % 16 + floats
            x = memory[start : start + values.size].reshape(values.shape)
            x[...] = values
            with kernels.select_isa(isa), use("c"):
                got = words((depthwise.forward(x, w, pad=(1, 1, 1, 1)), *depthwise.backward(x, x, w, pad=(1, 1, 1, 1))))
            want = want or got
            assert all(np.array_equal(g, w) for g, w in zip(got, want, strict=True)), (isa, floats)


@pytest.mark.parametrize("isa", kernels.isas())
@pytest.mark.parametrize(("K", "S"), [(3, 1), (3, 2), (5, 1), (5, 2), (7, 1), (7, 2), (4, 1), (3, 3)])
def test_fast_generic_and_masked_paths_agree(isa, K, S):
    """A channel's bits are the same alone (masked), among 19 (moved block) and among 48 (whole blocks)."""
    rng = np.random.default_rng(K * 10 + S)
    x, w = rng.standard_normal((1, 11, 16, 48), np.float32), rng.standard_normal((K, K, 48), np.float32)
    options = {"stride": S, "pad": (K // 2, 1, K // 2, 2)}
    with kernels.select_isa(isa), use("c"):
        y = depthwise.forward(x, w, **options)
        dy = rng.standard_normal(y.shape, np.float32)
        whole = words((y, *depthwise.backward(dy, x, w, **options)))
        for c in (slice(5, 6), slice(20, 23), slice(29, 48), slice(0, 40)):
            some = depthwise.forward(x[..., c], w[..., c], **options)
            part = words((some, *depthwise.backward(dy[..., c], x[..., c], w[..., c], **options)))
            assert all(np.array_equal(p, a[..., c]) for p, a in zip(part, whole, strict=True)), c


def chain(terms, start=np.float32(0)):
    """One chain of multiply-adds, each rounded once: exact products in float64, sums in long double."""
    total = np.float32(start)
    for a, b in terms:
        total = np.float32(np.longdouble(np.float64(a) * np.float64(b)) + np.longdouble(total))
    return total


@pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="needs a long double that holds product and sum")
def test_the_order_of_every_sum_is_the_contract():
    """Forward: i outer, j inner, from b. dx: p outer, q inner. dw, db: row sums, in row order."""
    rng = np.random.default_rng(7)
    x, w, b = (rng.standard_normal(shape, np.float32) for shape in ((2, 5, 6, 9), (3, 3, 9), (9,)))
    dy = rng.standard_normal((2, 5, 6, 9), np.float32)
    taps = [(i, j) for i in range(3) for j in range(3)]
    with use("c"):
        y, d = depthwise.forward(x, w, b, pad=(1, 1, 1, 1)), depthwise.backward(dy, x, w, pad=(1, 1, 1, 1))
    inside = lambda r, s: 0 <= r < 5 and 0 <= s < 6  # noqa: E731
    for n, p, q, c in [(0, 0, 0, 0), (1, 2, 3, 8), (1, 4, 5, 4), (0, 3, 0, 2)]:
        seen = [(x[n, p + i - 1, q + j - 1, c], w[i, j, c]) for i, j in taps if inside(p + i - 1, q + j - 1)]
        assert y[n, p, q, c] == chain(seen, b[c])
        back = [(dy[n, p + 1 - i, q + 1 - j, c], w[i, j, c]) for i, j in reversed(taps) if inside(p + 1 - i, q + 1 - j)]
        assert d.x[n, p, q, c] == chain(back)
    for i, j in taps:
        total, bias = np.float32(0), np.float32(0)
        for n in range(2):
            for p in range(5):
                row = [(dy[n, p, q, 3], x[n, p + i - 1, q + j - 1, 3]) for q in range(6) if inside(p + i - 1, q + j - 1)]
                total = np.float32(total + chain(row))
                bias = np.float32(bias + chain([(dy[n, p, q, 3], 1) for q in range(6)]))
        assert d.w[i, j, 3] == total
        assert d.b[3] == bias


@pytest.mark.parametrize("isa", kernels.isas())
def test_padding_is_skipped_and_never_multiplied(isa):
    """An infinite weight meets the border pixels' real taps only: 0 * inf would be NaN."""
    x, w = np.ones((1, 4, 9, 24), np.float32), np.ones((3, 3, 24), np.float32)
    w[0, 0] = np.inf
    with kernels.select_isa(isa), use("c"):
        y, dx = depthwise.forward(x, w, pad=(1, 1, 1, 1)), depthwise.backward(x, x, w, pad=(1, 1, 1, 1)).x
    assert not np.isnan(y).any()
    assert not np.isnan(dx).any()
    assert np.isfinite(y[:, 0]).all()
    assert np.isinf(y[:, 1:, 1:]).all()


def record(**changed):
    shape = {"n": 1, "h": 5, "w": 5, "c": 8, "kh": 3, "kw": 3, "stride": 1, "dilation": 1, "p": 3, "q": 3}
    return ffi.new("rm_dw_shape *", shape | {"top": 0, "bottom": 0, "left": 0, "right": 0} | changed)


@pytest.mark.parametrize(
    "changed",
    [{"p": 4}, {"q": 2}, {"kh": 0}, {"kw": 0}, {"stride": 0}, {"dilation": 0}, {"n": -1}, {"top": -1}, {"kh": 6}],
    ids=str,
)
def test_the_c_side_refuses_impossible_shapes(changed):
    assert lib.rm_dw_check(record()) == lib.RM_OK
    assert lib.rm_dw_check(record(**changed)) == lib.RM_SHAPE


def test_the_c_side_refuses_sizes_that_overflow():
    huge = 2**29
    side = {"h": huge, "w": huge, "p": huge - 2, "q": huge - 2}
    assert lib.rm_dw_check(record(**side, c=8)) == lib.RM_TOO_LARGE
    assert lib.rm_dw_check(record(n=2**30)) == lib.RM_TOO_LARGE
    assert lib.rm_dw_check(ffi.NULL) == lib.RM_NULL
    a = ffi.new("float[]", 200)
    assert lib.rm_f32_depthwise_fwd(record(), a, ffi.NULL, a, a) == lib.RM_NULL
    assert lib.rm_f32_depthwise_bwd(record(), a, a, a, a, a, ffi.NULL) == lib.RM_NULL
