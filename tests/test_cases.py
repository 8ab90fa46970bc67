"""A case is one line of text, the same on every machine; and a proof fails where the answer is wrong."""

import hashlib
import inspect
from dataclasses import fields

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from support import ALL, EXAMPLES, cases

from refmnas import bounds, ops
from refmnas.backend import TABLE
from refmnas.cases import CASES, CLAIMS, OPS, draw, parse, prove
from refmnas.cases.base import DATA, MOST_MACS, values
from refmnas.cases.gradient import by_differences
from refmnas.errors import DtypeError, SpecError

TYPES = pytest.mark.parametrize("op", OPS)


def covered(claim, holds=prove.always, least=1):
    """The first case of a fixed stream that the claim covers and whose results have elements."""
    drawn = (draw(op_of(claim), seed) for seed in range(999))
    return next(c for c in drawn if claim.covers(c) and holds(c) and c.macs() >= least)


def op_of(claim):
    return claim.function.partition(".")[0]


def test_every_function_of_every_op_is_claimed_once():
    assert sorted(claim.function for claim in ALL) == sorted(TABLE)
    assert set(OPS) == {name.partition(".")[0] for name in TABLE} == set(CASES) == set(CLAIMS)
    for claim in ALL:
        assert claim.takes == tuple(inspect.signature(prove.oracle(claim.function)).parameters)[: len(claim.takes)]


@TYPES
@given(data=st.data())
def test_a_case_is_its_line_of_text(op, data):
    case = data.draw(cases(op))
    assert parse(str(case)) == case
    assert "\n" not in str(case)
    EXAMPLES["text"] += 1


@TYPES
def test_drawn_cases_fit_the_oracle_and_the_domain(op):
    for seed in range(50):
        case = draw(op, seed)
        assert case == draw(op, seed)
        assert case.is_valid()
        assert case.macs() <= MOST_MACS
        assert all(getattr(case, name) in domain for name, domain in case.DOMAIN.items())
        assert {f.name for f in fields(case)} == {"seed", *case.DOMAIN}


@TYPES
def test_every_claim_covers_some_cases_and_every_exact_one_too(op):
    for claim in CLAIMS[op]:
        assert covered(claim)
        if claim.exact:
            assert covered(claim, claim.exact)


def test_values_are_the_same_on_every_machine():
    raw = b"".join(values((5, 7), 3, data).tobytes() for data in DATA)
    assert hashlib.sha256(raw).hexdigest() == VALUES
    assert [str(draw("depthwise", seed)) for seed in (0, 1)] == DRAWN


VALUES = "d5accc8911251cc70aaf2cd6ebdc8e74f0725d5ea05207a74d84e3cbf24a662d"
DRAWN = [
    "depthwise n=1 h=5 w=9 kh=3 kw=1 stride=3 dilation=1 pad=0,0,0,0 bias=False c=16 seed=0",
    "depthwise n=0 h=11 w=15 kh=5 kw=7 stride=2 dilation=1 pad=2,2,2,2 bias=True c=24 seed=1",
]


def test_values_are_of_their_kind():
    whole, real, hard, fine = (values((4096,), 1, data) for data in DATA)
    assert set(np.unique(whole)) == set(range(-8, 9))
    for a in (real, hard, fine):
        assert (a < 0).mean() > 0.4
        assert (a > 0).mean() > 0.4
    for a in (whole, real, hard):
        assert np.array_equal(a.astype(np.float32), a)
    assert np.any(np.signbit(hard) & (hard == 0))
    assert np.any(~np.signbit(hard) & (hard == 0))
    assert np.abs(hard).max() > 2.0**9
    assert np.abs(hard[hard != 0]).min() < 2.0**-13
    assert not np.array_equal(fine.astype(np.float32), fine)


def test_window_cases_reach_what_kernels_get_wrong():
    drawn = [draw("depthwise", seed) for seed in range(400)]
    spans = [((c.kh - 1) * c.dilation + 1, c.h + c.pad[0] + c.pad[1], c) for c in drawn]
    assert any((padded - span) % c.stride for span, padded, c in spans)
    assert any(span > c.h for span, _, c in spans)
    assert any(len(set(c.pad)) > 2 for c in drawn)
    assert {c.c for c in drawn} >= {1, 3, 4, 7, 8, 9, 16, 17, 33}
    assert any(c.n == 0 for c in drawn)
    assert np.mean([c.n == 0 for c in drawn]) < 0.25


@pytest.mark.parametrize(
    "line", ["", "depthwise", "wavelet n=1", "pool n=1 h=1 w=1", "pool n=1 h=1 w=1 c=1 seed=0 x=2"]
)
def test_lines_that_describe_no_case_are_refused(line):
    with pytest.raises(SpecError, match="case: "):
        parse(line)


def test_unknown_ops_and_kinds_of_data_are_refused():
    with pytest.raises(SpecError, match="wavelet"):
        draw("wavelet", 0)
    with pytest.raises(SpecError, match="lucky"):
        values((1,), 0, "lucky")


@pytest.mark.parametrize(
    ("got", "bound"),
    [([1.0, 2.5], [1.0, 0.4]), ([1.0, np.nan], [1.0, 1.0]), ([1.0, np.inf], [1.0, 1.0]), ([1.0], [1.0, 1.0]),
     ([1.0, 2.5], [1.0, 0.0]), ([1.0, 2.0], [1.0, np.nan])],
)  # fmt: skip
def test_a_wrong_answer_has_a_margin_above_one(got, bound):
    assert prove.largest_margin(np.array(got, np.float32), np.array([1.0, 2.0]), np.array(bound)) > 1


def test_a_right_answer_has_its_margin():
    assert prove.largest_margin(np.float32([1.25, 2.0]), np.array([1.0, 2.0]), np.array([1.0, 0.0])) == 0.25
    assert prove.largest_margin(np.zeros((0, 3), np.float32), np.zeros((0, 3)), np.zeros((0, 3))) == 0


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.function)
def test_every_proof_fails_on_an_answer_that_is_off(claim, monkeypatch):
    """Each result in turn, its largest element off by a thousandth (by one, on integers)."""
    name = claim.function.partition(".")[2]
    right, module = prove.op(claim.function), getattr(ops, op_of(claim))
    smooth = covered(claim, lambda case: claim.has_gradient(case) and getattr(case, "bias", True))
    count = len(prove.results(prove.call(claim.function, smooth, prove.inputs(claim, smooth, *REALS), "numpy")))
    for k in range(count):
        monkeypatch.setattr(module, name, off(right, k, lambda a: a + 1e-3 * max(abs(a), 0.01)))
        assert not prove.within_bound(claim, smooth, "numpy").holds
        assert not prove.within_bound(claim, smooth, "numpy", np.float64).holds
        if claim.backward_of:
            assert not by_differences(claim, smooth, "numpy").holds
        if claim.exact:
            monkeypatch.setattr(module, name, off(right, k, lambda a: a + 1))
            assert not prove.exactly(claim, covered(claim, claim.exact), "numpy").holds
        monkeypatch.undo()


REALS = ("reals", np.float32)


def off(right, k, change):
    """`right` with the largest element of result k changed."""

    def wrong(*arrays, **options):
        y = right(*arrays, **options)
        parts = [np.array(a) for a in prove.results(y)]
        at = np.unravel_index(np.argmax(abs(parts[k])), parts[k].shape)
        parts[k][at] = change(parts[k][at])
        return type(y)(*parts) if isinstance(y, tuple) else parts[0]

    return wrong


def test_an_adjoint_proof_fails_where_a_gradient_is_off(monkeypatch):
    for claim in ALL:
        for name in claim.linear_in:
            case = covered(claim, claim.exact)
            right = prove.op(claim.function)
            factor = case.arrays("integers")[name]
            off = np.sign(factor)  # adds the sum of sizes to the inner product, which nothing can cancel

            def wrong(*arrays, right=right, name=name, off=off, **options):
                grads = right(*arrays, **options)
                return grads._replace(**{name: getattr(grads, name) + off})

            module = getattr(ops, op_of(claim))
            monkeypatch.setattr(module, "backward", wrong)
            assert off.any(), "the fault would not show"
            assert not prove.adjointly(claim, case, "numpy").holds, (claim.function, name)
            monkeypatch.undo()


def test_what_is_not_claimed_is_not_counted_as_proved():
    forward = CLAIMS["batchnorm"][0]
    empty = next(c for c in (draw("batchnorm", seed) for seed in range(99)) if c.n == 0)
    for proof in (prove.exactly, prove.within_bound, prove.adjointly, by_differences):
        assert proof(forward, empty, "numpy") is prove.NOT_CLAIMED


def test_bounds_know_their_ops_and_dtypes():
    with pytest.raises(SpecError, match="wavelet"):
        bounds.allowed("wavelet.forward", (np.ones(1),), {})
    with pytest.raises(DtypeError, match="float16"):
        bounds.gamma(3, np.float16)
    u = 2.0**-24
    assert bounds.gamma(1) == u / (1 - u)
    assert bounds.gamma(10, np.float64) == 2 * (10 * 2.0**-53) / (1 - 10 * 2.0**-53)


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.function)
def test_a_bound_can_be_taken_by_the_reference_too(claim):
    """For arrays that scalar loops are too slow for: the same numbers, to float64's rounding."""
    case = covered(claim)
    arrays, options = prove.inputs(claim, case, "reals", np.float64), prove.options(claim.function, case)
    one = bounds.allowed(claim.function, arrays, options, np.float32)
    other = bounds.allowed(claim.function, arrays, options, np.float32, TABLE[claim.function].numpy)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=bounds.gamma(case.macs() + 2, np.float64))
