"""On integers every text gives the oracle's values to the last bit, whatever its order of sums."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from support import ALL, draw, over, prove_all

from refmnas import kernels
from refmnas.cases import prove


@over([claim for claim in ALL if claim.exact])
@given(data=st.data())
def test_integers_agree_exactly(claim, data):
    case = draw(data, claim, claim.exact)
    prove_all("exact", claim, np.float32, lambda backend: prove.exactly(claim, case, backend))


@pytest.mark.skipif(not kernels.built(), reason="the C extension is not built")
def test_every_usable_instruction_set_is_run_where_there_is_a_kernel():
    run = list(prove.implementations("depthwise.forward"))
    assert run == [("numpy", None), *(("c", isa) for isa in kernels.isas())]
    assert {"scalar", "wide16"} <= set(kernels.isas())
    assert list(prove.implementations("depthwise.forward", np.float64)) == [("numpy", None)]
