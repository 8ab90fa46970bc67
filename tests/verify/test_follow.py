"""The running error holds for sound float32 runs, and is no barn door."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sound_runs import folded, run, single

from refmnas.errors import SpecError
from refmnas.ops.activation import KINDS
from refmnas.verify.claim import CLAIMS
from refmnas.verify.follow import Known, follow
from refmnas.verify.part import IMAGE, WITH_PARAMETERS, Part
from refmnas.verify.segment import Segment, expected, margin

seeds = st.integers(0, 2**32 - 1)
FORWARD_KINDS = [kind for kind in KINDS if kind != "hard_sigmoid_torch"]


def weights(rng, *shape):
    return single(rng.standard_normal(shape)).astype(np.float64)


def part(op, rng, shape, source=IMAGE, name="p"):
    """A part of random numbers that takes an image of (H, W, C) `shape`."""
    (H, W, C), D = shape, int(rng.integers(1, 9))
    k = int(rng.integers(1, 4))
    window = {"stride": int(rng.integers(1, 3)), "pad": tuple(int(n) for n in rng.integers(0, 2, 4))}
    out = tuple((n + sum(window["pad"][2 * a : 2 * a + 2]) - k) // window["stride"] + 1 for a, n in enumerate((H, W)))
    bias = {"b": weights(rng, D)} if rng.random() < 0.5 else {}
    norm = {key: weights(rng, C) for key in ("gamma", "beta", "mean")} | {"var": single(rng.random(C) ** 4 + 1e-6) * 1.0}
    found = {
        "conv": lambda: ((*out, D), {"w": weights(rng, k, k, C, D)} | bias, window | {"groups": 1}),
        "depthwise": lambda: ((*out, C), {"w": weights(rng, k, k, C)}, window),
        "pointwise": lambda: ((H, W, D), {"w": weights(rng, C, D)} | bias, {}),
        "batchnorm": lambda: (shape, {k: v.astype(np.float64) for k, v in norm.items()}, {"eps": 1e-3}),
        "act": lambda: (shape, {}, {"kind": FORWARD_KINDS[int(rng.integers(len(FORWARD_KINDS)))]}),
        "average_pool": lambda: ((*out, C), {}, {"kernel": (k, k), **window, "count_pad": bool(rng.integers(2))}),
        "max_pool": lambda: ((*out, C), {}, {"kernel": (k, k), **window}),
        "pool": lambda: ((C,), {}, {}),
        "resize": lambda: ((5, 7, C), {}, {"size": (5, 7), "mode": "bilinear", "places": "half_pixel"}),
    }[op]()
    if op.endswith("_pool") and k == 1:  # a window that lies in the padding alone has no mean
        found[2]["pad"] = (0, 0, 0, 0)
        found = ((*((n - 1) // window["stride"] + 1 for n in (H, W)), C), *found[1:])
    return Part(name, op, (source,), *found)


OPS = ["conv", "depthwise", "pointwise", "batchnorm", "act", "average_pool", "max_pool", "pool", "resize"]


@pytest.mark.parametrize("op", OPS)
@settings(max_examples=25)
@given(seed=seeds)
def test_a_float32_run_of_a_part_is_within_the_bound(op, seed):
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(3, 8)), int(rng.integers(3, 8)), int(rng.integers(1, 40)))
    x = single(rng.standard_normal((2, *shape)) * 4)
    p = part(op, rng, shape)
    for order in (None, rng):
        assert margin(Segment("p", (p,), {IMAGE: x}, run(p, [x], order))) <= 1


@settings(max_examples=60)
@given(seed=seeds)
def test_a_chain_of_parts_stays_within_the_carried_bound(seed):
    rng = np.random.default_rng(seed)
    shape = (8, 7, int(rng.integers(1, 20)))
    x = single(rng.standard_normal((2, *shape)))
    chain, value, source = [], x, IMAGE
    for k in range(int(rng.integers(2, 6))):
        op = OPS[int(rng.integers(7))]
        if min(value.shape[1:3]) < 3 and op not in ("pointwise", "batchnorm", "act"):
            break
        p = part(op, rng, value.shape[1:], source, f"p{k}")
        chain.append(p)
        value, source = run(p, [value], rng), p.name
    if chain:
        y, error = expected(Segment(source, tuple(chain), {IMAGE: x}, value))
        assert y.shape == value.shape == error.shape
        assert margin(Segment(source, tuple(chain), {IMAGE: x}, value)) <= 1


@settings(max_examples=40)
@given(seed=seeds)
def test_batch_norm_may_be_folded_or_not_and_go_on_into_a_sum(seed):
    rng = np.random.default_rng(seed)
    shape = (5, 5, int(rng.integers(1, 33)))
    x = single(rng.standard_normal((1, *shape)))
    conv = part(("conv", "depthwise", "pointwise")[int(rng.integers(3))], rng, shape, name="c")
    norm = part("batchnorm", rng, conv.shape, "c", "n")
    z = single(rng.standard_normal((1, *conv.shape)))
    add = Part("a", "add", ("z", "n"), conv.shape)
    kept = run(norm, [run(conv, [x], rng)], rng)
    merged = run(folded(conv, norm), [x], rng)
    for result in (kept, merged):
        assert margin(Segment("n", (conv, norm), {IMAGE: x}, result)) <= 1
        assert margin(Segment("a", (conv, norm, add), {IMAGE: x, "z": z}, z + result)) <= 1


@settings(max_examples=30)
@given(seed=seeds, kind=st.sampled_from(FORWARD_KINDS))
def test_an_activation_carries_an_error_as_far_as_it_reaches(seed, kind):
    """Any point within e of x, the activation of which is taken exactly, lies within the bound."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((1, 200)) * 5
    e = np.abs(rng.standard_normal(x.shape)) * 10.0 ** rng.integers(-6, 1)
    p = Part("p", "act", (IMAGE,), (200,), options={"kind": kind})
    known = follow(p, [Known(x, e)])
    for t in (-1, 1, rng.uniform(-1, 1, x.shape)):
        moved = run_exact(p, x + t * e)
        rounding = 8 * 2.0**-53 * (np.abs(x) + e + 1)  # x + e, and the two references in float64
        assert np.all(np.abs(moved - known.value) <= known.error + rounding)


def run_exact(p, x):
    return follow(p, [Known(x)]).value


def test_a_gate_a_sum_and_a_concatenation_carry_both_errors():
    rng = np.random.default_rng(0)
    x, z, g = rng.standard_normal((2, 3, 3, 4)), rng.standard_normal((2, 3, 3, 4)), rng.random((2, 4))
    ex, ez, eg = 0.01 * np.abs(x), 0.02 * np.abs(z), 0.03 * g
    for p, inputs, moved in (
        (Part("p", "scale", ("x", "g"), (3, 3, 4)), ((x, ex), (g, eg)), (x + ex) * (g + eg)[:, None, None]),
        (Part("p", "add", ("x", "z"), (3, 3, 4)), ((x, ex), (z, ez)), x + ex + z - ez),
        (Part("p", "concat", ("x", "z"), (3, 3, 8)), ((x, ex), (z, ez)), np.concatenate([x + ex, z - ez], -1)),
    ):
        known = follow(p, [Known(*pair) for pair in inputs])
        assert np.all(np.abs(moved - known.value) <= known.error + 8 * 2.0**-53)
        assert np.all(known.error <= np.abs(known.value) + 1)


@pytest.mark.parametrize("op", [*WITH_PARAMETERS[:3], "batchnorm"])
def test_a_wrong_weight_is_beyond_the_bound(op):
    rng = np.random.default_rng(5)
    p = part(op, rng, (6, 6, 8))
    x = single(rng.standard_normal((1, 6, 6, 8)))
    y = run(p, [x])
    assert margin(Segment("p", (p,), {IMAGE: x}, y)) <= 1
    assert margin(Segment("p", (p,), {IMAGE: x}, y * np.float32(1 + 2e-4) + np.float32(1e-4))) > 1


def test_values_that_are_no_numbers_are_seen_and_zeros_are_exact():
    p = Part("p", "act", (IMAGE,), (4,), options={"kind": "relu"})
    x = single([[-1.0, 0.0, 2.0, 3.0]])
    assert margin(Segment("p", (p,), {IMAGE: x}, single([[0, 0, 2, 3]]))) == 0
    assert margin(Segment("p", (p,), {IMAGE: x}, single([[0, 0, 2, np.nan]]))) == np.inf
    assert margin(Segment("p", (p,), {IMAGE: x}, single([[1e-30, 0, 2, 3]]))) == np.inf


@pytest.mark.parametrize("claim", ["tf32", "fp16", "bf16"])
def test_a_claim_widens_the_bound_and_a_run_in_it_is_sound(claim):
    rng = np.random.default_rng(2)
    p, x = part("pointwise", rng, (4, 4, 32)), single(rng.standard_normal((1, 4, 4, 32)))
    cut = {"tf32": 13, "fp16": 13, "bf16": 16}[claim]

    def rounded(a):
        bits = single(a).view(np.uint32).astype(np.uint64) + (1 << (cut - 1))
        return ((bits >> cut) << cut).astype(np.uint32).view(np.float32)

    short = Part("p", "pointwise", p.inputs, p.shape, {k: rounded(v) for k, v in p.arrays.items()})
    y = run(short, [rounded(x)])
    y = y if claim == "tf32" else rounded(y)
    assert margin(Segment("p", (p,), {IMAGE: x}, y)) > 1
    assert margin(Segment("p", (p,), {IMAGE: x}, y, CLAIMS[claim])) <= 1


def test_what_has_no_bound_is_refused():
    act = Part("p", "act", (IMAGE,), (2,), options={"kind": "relu"})
    with pytest.raises(SpecError, match="no bound for act under the claim fp16-sums"):
        follow(act, [Known(np.ones((1, 2)))], CLAIMS["fp16-sums"])
    with pytest.raises(SpecError, match="no bound for softmax"):
        follow(Part("p", "softmax", (IMAGE,), (2,)), [Known(np.ones((1, 2)))])


def _about_the_centre(x):
    """Sigmoid as 1/2 + tanh(x / 2) / 2 in float32: what ONNX Runtime's rational function comes to."""
    half = np.float32(0.5)
    return half + half * np.tanh(half * single(x))


@pytest.mark.parametrize("kind", ["sigmoid", "swish"])
def test_sigmoid_about_its_centre_is_sound(kind):
    x = single(np.linspace(-30, 30, 20_001)).reshape(1, 1, -1, 1)
    p = Part("p", "act", (IMAGE,), x.shape[1:], {}, {"kind": kind})
    s = _about_the_centre(x)
    came = s if kind == "sigmoid" else x * s
    assert margin(Segment("p", (p,), {IMAGE: x}, came)) <= 1
    wrong = came + np.float32(2e-6) * (1 if kind == "sigmoid" else x)
    assert margin(Segment("p", (p,), {IMAGE: x}, wrong)) > 1
