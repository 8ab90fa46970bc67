"""The engine's activations: within their stated units of float64, the same bits everywhere, sane at the ends."""

import definition
import numpy as np
import pytest
from script import script
from small import words

from refmnas import bounds, kernels
from refmnas.engine.steps import ACTS
from refmnas.errors import KernelError
from refmnas.kernels import engine

measure = script("activations")
STEP = 65521  # a prime: some 65,000 patterns of all signs, exponents and digits

ENDS = np.array(
    [0, -0.0, 1e-45, -1e-45, 1.2e-38, -1.2e-38, 3, -3, 2.5, -2.5, 6, -6, 2.9999998, -2.9999998, 87, -87, -87.5, 88, -88,
     -88.37, -88.38, -88.5, -89, -100, 100, -104, -1000, 1e30, -1e30, -3.4e38, 3.4e38, np.inf],
    np.float32,
)  # fmt: skip


def patterns():
    x = np.arange(0, 1 << 32, STEP, dtype=np.uint32).view(np.float32)
    near = np.random.default_rng(0).uniform(-95, 95, 20000).astype(np.float32)
    return np.concatenate([x[~np.isnan(x)], near, ENDS])


def computed(isa, kind, x):
    y = np.zeros(-(-x.size // 16) * 16, np.float32)
    y[: x.size] = x
    engine.activate(isa, ACTS[kind], y)
    return y[: x.size]


def test_every_kind_has_a_stated_bound():
    assert set(measure.STATED) == set(ACTS) - {"identity"}


@pytest.mark.parametrize("kind", measure.STATED)
def test_errors_stay_within_what_is_stated(kind):
    x = patterns()
    units, lost = measure.errors(kind, x, computed(kernels.isas()[0], kind, x))
    assert units.max() <= measure.STATED[kind][0], x[units.argmax()]
    assert lost.max() <= measure.STATED[kind][1], x[lost.argmax()]


@pytest.mark.parametrize("kind", measure.STATED)
def test_errors_stay_within_the_derived_bound(kind):
    """That of refmnas.bounds, which assumes no more of the exponential than of anybody's."""
    x = np.random.default_rng(1).uniform(-80, 80, 50000).astype(np.float32)
    (bound,) = bounds.allowed("activation.forward", (x,), {"kind": kind})
    assert np.all(np.abs(computed(kernels.isas()[0], kind, x) - measure.exact(kind, x)) <= bound + 2.0**-150)


@pytest.mark.parametrize("kind", ACTS)
def test_every_instruction_set_and_the_definition_give_the_same_bits(kind):
    x = patterns()
    with np.errstate(over="ignore", invalid="ignore"):
        want = definition.activated(kind, x)
    known = ~np.isnan(want)
    first = computed(kernels.isas()[0], kind, x)
    # Of two zeros maximum and minimum may give either, in NumPy as elsewhere: the engine's own choice is one for all.
    assert np.array_equal(first[known], want[known])
    for isa in kernels.isas()[1:]:
        assert np.array_equal(words(computed(isa, kind, x)), words(first)), isa


@pytest.mark.parametrize("kind", ["swish", "sigmoid"])
def test_far_below_zero_nothing_is_left(kind):
    """The largest negative numbers do not come back, divided by the largest exponential."""
    x = np.array([-3.4e38, -1e30, -1e10, -1000] * 4, np.float32)
    assert not computed(kernels.isas()[0], kind, x).any()


def test_ends_are_where_they_belong():
    ends = np.array([-np.inf, np.inf, -3.4e38, 3.4e38] * 4, np.float32)
    for kind, want in {"relu": (0, np.inf), "relu6": (0, 6), "sigmoid": (0, 1), "hard_sigmoid": (0, 1)}.items():
        y = computed(kernels.isas()[0], kind, ends)
        assert y[:2].tolist() == list(want), kind


@pytest.mark.parametrize("isa", kernels.isas())
def test_the_c_side_refuses_what_it_cannot_take(isa):
    for act, size in ((-1, 16), (9, 16), (3, 15)):
        with pytest.raises(KernelError, match=r"engine\.activate"):
            engine.activate(isa, act, np.zeros(size, np.float32))
    engine.activate(isa, 3, np.zeros(0, np.float32))


def test_a_wrong_result_is_beyond_the_stated_bound():
    x = np.full(16, 1.5, np.float32)
    y = computed(kernels.isas()[0], "swish", x)
    y[3] *= np.float32(1 + 2.0**-21)
    assert measure.errors("swish", x, y)[0].max() > measure.STATED["swish"][0]


@pytest.mark.slow
@pytest.mark.parametrize("kind", measure.STATED)
def test_one_input_of_sixtyone_stays_within_what_is_stated(kind):
    found = measure.together([measure.block(kind, kernels.isas()[0], n, 61) for n in range(measure.BLOCKS)])
    assert found["units"] <= measure.STATED[kind][0], found
    assert found["absolute"] <= measure.STATED[kind][1], found
