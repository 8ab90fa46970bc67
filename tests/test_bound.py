"""On reals every text stays within the derived bound; the largest error / bound is printed at the end."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import given
from support import ALL, draw, over, prove_all

from refmnas.cases import prove


def within(name, claim, case, dtype, kind):
    prove_all(name, claim, dtype, lambda backend: prove.within_bound(claim, case, backend, dtype, kind))


@over(ALL)
@given(data=st.data())
def test_reals_stay_within_the_bound(claim, data):
    within("bound", claim, draw(data, claim), np.float32, "reals")


@over(ALL)
@given(data=st.data())
def test_spread_exponents_and_signed_zeros_stay_within_the_bound(claim, data):
    within("bound, hard", claim, draw(data, claim), np.float32, "hard")


@over(ALL)
@given(data=st.data())
def test_float64_stays_within_twice_its_own_bound(claim, data):
    within("bound, float64", claim, draw(data, claim), np.float64, "fine")
