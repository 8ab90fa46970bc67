"""The emulated multiply-add is the one of exact rational arithmetic."""

from fractions import Fraction

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from multiply_add import fma

LEAST = Fraction(2) ** -149


def rounded(value):
    """A Fraction to the nearest float32, of two equally near ones the even: by the definition."""
    if value == 0:
        return np.float32(0)
    size = abs(value)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    exponent -= size < Fraction(2) ** exponent
    step = max(Fraction(2) ** (exponent - 23), LEAST)
    whole = round(size / step)  # Python rounds halves to even
    sign = -1 if value < 0 else 1
    return np.float32(sign * float(whole * step)) if whole * step < Fraction(2) ** 128 else np.float32(sign * np.inf)


def words(sign, mantissa, exponent):
    return np.float32(sign * float(mantissa) * 2.0**exponent)


# Few bits and near exponents, so that ties, cancellation and denormals all happen.
NUMBERS = st.one_of(
    st.builds(words, st.sampled_from((-1, 1)), st.integers(0, 2**24 - 1), st.integers(-60, 20)),
    st.builds(words, st.sampled_from((-1, 1)), st.integers(0, 7), st.integers(-149, 30)),
    st.builds(words, st.sampled_from((-1, 1)), st.sampled_from((2**23, 2**23 + 1, 2**24 - 1)), st.integers(-90, 60)),
    st.floats(width=32, allow_nan=False, allow_infinity=False).map(np.float32),
)


@settings(max_examples=600)
@given(a=NUMBERS, b=NUMBERS, c=NUMBERS)
@example(a=np.float32(1 + 2**-12), b=np.float32(1 + 2**-12), c=np.float32(2.0**-60))  # a tie but for c
@example(a=np.float32(1 + 2**-12), b=np.float32(1 + 2**-12), c=np.float32(-(2.0**-60)))
@example(a=np.float32(2.0**-149), b=np.float32(0.5), c=np.float32(2.0**-149))
def test_the_multiply_add_rounds_the_exact_value_once(a, b, c):
    exact = Fraction(float(a)) * Fraction(float(b)) + Fraction(float(c))
    got, want = fma(a, b, c), rounded(exact)
    assert np.float32(got).view(np.uint32) == want.view(np.uint32) or (got == want == 0), (a, b, c, got, want)


def test_two_roundings_would_differ():
    """The examples reach what the rounding to odd is for: plain float64 arithmetic fails on some."""
    rng = np.random.default_rng(0)
    a, b = (np.float32(1) + rng.integers(0, 4096, 20000).astype(np.float32) / 4096 for _ in range(2))
    c = rng.choice([-1, 1], 20000).astype(np.float32) * np.float32(2.0**-60)
    twice = (a.astype(np.float64) * b + c).astype(np.float32)
    assert (twice != fma(a, b, c)).sum() > 100


def test_zeros_have_the_sign_that_addition_gives():
    z = np.float32(0)
    assert not np.signbit(fma(-z, np.float32(2), z))
    assert np.signbit(fma(-z, np.float32(2), -z))
    assert not np.signbit(fma(np.float32(3), np.float32(2), np.float32(-6)))
