"""<dy, A x> = <A' dy, x> for every factor that forward is linear in: exact on integers, no finite differences."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import given
from support import ALL, draw, over, prove_all

from refmnas.cases import prove


@over([claim for claim in ALL if claim.linear_in])
@given(data=st.data())
def test_backward_is_the_adjoint_of_forward(claim, data):
    case = draw(data, claim, claim.exact)
    prove_all("adjoint", claim, np.float32, lambda backend: prove.adjointly(claim, case, backend))
