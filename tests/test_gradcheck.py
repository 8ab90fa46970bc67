"""Backward is the derivative of the oracle's forward, in float64; and what it is where there is none."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from support import ALL, EXAMPLES, draw, over

from refmnas import use
from refmnas.cases.gradient import by_differences
from refmnas.ops import activation


@over([claim for claim in ALL if claim.backward_of])
@given(data=st.data())
def test_backward_is_the_derivative_of_forward(claim, data):
    case = draw(data, claim, claim.has_gradient)
    for backend in ("oracle", "numpy"):
        outcome = by_differences(claim, case, backend)
        assert outcome.holds, f"{backend}: {outcome.detail}"
    EXAMPLES["gradient"] += 1


# kind -> x -> dx for dy = 1; measured with torch 2.14, in float32 and in float64
TORCH = {
    "relu": {0.0: 0.0},
    "relu6": {0.0: 0.0, 6.0: 0.0},
    "hard_sigmoid": {-3.0: 0.0, 3.0: 0.0},
    "hard_sigmoid_slim": {-3.0: 0.0, 3.0: 0.0},
    "hard_sigmoid_keras": {-2.5: 0.0, 2.5: 0.0},
    "hard_swish": {-3.0: 0.0, 3.0: 1.0},
}
TF = TORCH | {"hard_sigmoid_keras": {-2.5: 0.2, 2.5: 0.2}}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("backend", ["oracle", "numpy", "auto"])
@pytest.mark.parametrize(("kink", "table"), [("torch", TORCH), ("tf", TF)])
def test_gradients_at_kinks_follow_the_named_rule(kink, table, backend, dtype):
    for kind, at in table.items():
        for size in (1, 7, 8, 17):  # alone, in a vector's body, and in its tail
            x = np.full(size, 1.0, dtype)
            for x[-1], slope in at.items():
                with use(backend):
                    dx = activation.backward(np.ones(size, dtype), x, kind=kind, kink=kink).x
                assert dx[-1] == dtype(slope), (kind, x[-1], size)


@pytest.mark.parametrize("kink", activation.KINKS)
@pytest.mark.parametrize("kind", activation.KINDS)
def test_gradients_beside_a_kink_are_those_of_the_pieces(kind, kink):
    for kink_at in {"relu": (0.0,), "relu6": (0.0, 6.0), "hard_sigmoid_keras": (-2.5, 2.5)}.get(kind, (-3.0, 3.0)):
        for way in (-np.inf, np.inf):
            x = np.array([np.nextafter(kink_at, way)])
            far = np.array([kink_at + np.copysign(2.0**-12, way)])
            near = activation.backward(np.ones(1), x, kind=kind, kink=kink).x[0]
            piece = activation.backward(np.ones(1), far, kind=kind, kink=kink).x[0]
            assert abs(near - piece) <= 2.0**-12, (kink_at, way)  # slopes change by less than 1 per unit
