"""Faults planted in a float32 run are found, named first, and nothing else is accused."""

import numpy as np
import pytest

from refmnas.verify.diagnose import Context, causes
from refmnas.verify.part import IMAGE, Part
from refmnas.verify.planted import FAULTS, diagnosed, example, run, single
from refmnas.verify.segment import Segment, margin

# other weights everywhere: every layer is tried, which takes a minute
_LONG = {"another file", "weights of another step"}


@pytest.fixture(scope="module")
def small():
    return example()


def found(fault, small):
    net, parts, x = small
    values = run(fault.plant(parts), fault.image(x).astype(np.float32)) | {IMAGE: x}
    return diagnosed(parts, values, net)


def test_a_sound_run_is_not_accused(small):
    net, parts, x = small
    assert diagnosed(parts, run(parts, x), net) == ([], [])


@pytest.mark.parametrize(
    "fault", [pytest.param(f, marks=pytest.mark.slow if f.told in _LONG else ()) for f in FAULTS], ids=lambda f: f"{f.code} {f.told}"
)
def test_the_true_cause_comes_first(fault, small):
    failing, told = found(fault, small)
    assert failing
    assert told[0].code == fault.code, told
    assert {name for cause in told for name in cause.layers} == set(failing)


def test_independent_faults_are_each_found(small):
    net, parts, x = small
    chosen = [next(f for f in FAULTS if f.code == code) for code in ("SE-GATE", "RES-MISSING", "BIAS-MISSING")]
    wrong = parts
    for fault in chosen:
        wrong = fault.plant(wrong)
    _, told = diagnosed(parts, run(wrong, x), net)
    assert {cause.code for cause in told} == {fault.code for fault in chosen}


def test_a_family_is_reported_once_with_its_layers(small):
    failing, told = found(next(f for f in FAULTS if f.told == "taps transposed in all"), small)
    assert len(told) == 1 and set(told[0].layers) == set(failing) and len(failing) > 5


def segment_of(part, x, came):
    return Segment(part.name, (part,), {part.inputs[0]: x}, came)


def told_of(part, x, came, net=None):
    segment = segment_of(part, x, came)
    assert margin(segment) > 1
    return causes([segment], Context((part,), (segment,), net))


def part_of(op, shape, out, stride=1, pad=(1, 1, 1, 1), **options):
    rng = np.random.default_rng(4)
    return Part("layer", op, ("before",), out, {"w": rng.normal(size=shape).astype(np.float32).astype(np.float64)},
                {"stride": stride, "pad": pad} | options)  # fmt: skip


def x_of(*shape):
    return np.random.default_rng(5).normal(size=shape).astype(np.float32)


def test_same_lower_in_a_graph():
    part = part_of("depthwise", (3, 3, 8), (5, 5, 8), 2, (0, 1, 0, 1))
    x = x_of(2, 10, 10, 8)
    wrong = part_of("depthwise", (3, 3, 8), (5, 5, 8), 2, (1, 0, 1, 0))
    assert told_of(part, x, single(wrong, x))[0].code == "PAD-LOWER"


def test_a_padding_rule_comes_before_a_phase():
    part = part_of("depthwise", (3, 3, 8), (5, 5, 8), 2, (0, 1, 0, 1))
    x = x_of(2, 10, 10, 8)
    wrong = part_of("depthwise", (3, 3, 8), (5, 5, 8), 2, (1, 1, 1, 1))
    cause = told_of(part, x, single(wrong, x))[0]
    assert cause.code.startswith("PAD-") and "STRIDE-PHASE" in cause.also


def test_the_multiplier_in_another_order():
    part = part_of("conv", (3, 3, 1, 12), (6, 6, 12), groups=4)
    x = x_of(2, 6, 6, 4)
    order = np.arange(12).reshape(4, 3).T.ravel()
    assert told_of(part, x, single(part, x)[..., order])[0].code == "MULTIPLIER-ORDER"


def test_denormals_taken_for_zero():
    part = part_of("depthwise", (3, 3, 8), (6, 6, 8))
    part.arrays["w"] *= 1e-39
    part.arrays["w"][...] = part.arrays["w"].astype(np.float32)
    x = x_of(2, 6, 6, 8)
    y = single(part, x)
    assert told_of(part, x, np.where(np.abs(y) < 2.0**-126, 0, y).astype(np.float32))[0].code == "FTZ"
    assert told_of(part, x, np.zeros_like(y))[0].code == "FTZ"


def test_the_square_matrix_of_a_dense_layer_transposed():
    w = np.random.default_rng(6).normal(size=(40, 40)).astype(np.float32).astype(np.float64)
    part = Part("layer", "linear", ("before",), (40,), {"w": w})
    x = x_of(3, 40)
    assert told_of(part, x, x @ w.T.astype(np.float32))[0].code == "LAYOUT-WEIGHT"
