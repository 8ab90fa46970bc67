"""Faults planted in a float32 run are found, named first, and nothing else is accused."""

from dataclasses import replace

import numpy as np
import pytest

from refmnas.verify.part import IMAGE, Part
from refmnas.verify.planted import FAULTS, diagnosed, example, layers, run, single
from refmnas.verify.planted.layers import LAYERS

# what takes more than a second or so: many layers, or many causes before the true one
_LONG = {
    "another file", "weights of another step", "biased variance in all", "smoothed by another kernel", "mirrored",
    "dropout of 0.2 before the last layer", "another mean and standard deviation", "two depthwise layers exchanged",
    "two taps exchanged in one", "one border of 0.25", "one border filled with the edge", "taps transposed in all",
    "one layer padded (2, 0, 2, 0) times its own", "one layer fed rows for columns", "one dense matrix read in the other order",
}  # fmt: skip


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
    "fault",
    [pytest.param(f, marks=pytest.mark.slow if f.told in _LONG else ()) for f in FAULTS],
    ids=lambda f: f"{f.code} {f.told}",
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
    failing, told = found(next(f for f in FAULTS if f.told == "all sums left out"), small)
    assert len(told) == 1
    assert set(told[0].layers) == set(failing)
    assert len(failing) > 4


@pytest.mark.parametrize("code", LAYERS)
def test_a_layer_of_its_own(code):
    part, x, came = LAYERS[code]()
    assert layers.diagnosed(part, x, came)[0].code == code


def test_a_padding_rule_comes_before_a_phase():
    part = layers.layer("depthwise", (3, 3, 8), (5, 5, 8), stride=2, pad=(0, 1, 0, 1))
    wrong = layers.layer("depthwise", (3, 3, 8), (5, 5, 8), stride=2, pad=(1, 1, 1, 1))
    x = layers.image(2, 10, 10, 8)
    cause = layers.diagnosed(part, x, single(wrong, x))[0]
    assert cause.code.startswith("PAD-")
    assert "STRIDE-PHASE" in cause.also


def test_every_denormal_taken_for_zero():
    part, x, came = LAYERS["FTZ"]()
    assert layers.diagnosed(part, x, np.zeros_like(came))[0].code == "FTZ"


def test_the_square_matrix_of_a_dense_layer_transposed():
    w = np.random.default_rng(6).normal(size=(40, 40)).astype(np.float32).astype(np.float64)
    part, x = Part("layer", "linear", ("before",), (40,), {"w": w}), layers.image(3, 40)
    assert layers.diagnosed(part, x, x @ w.T.astype(np.float32))[0].code == "LAYOUT-WEIGHT"


def test_two_channels_of_a_depthwise_layer_exchanged():
    part, x = layers.layer("depthwise", (3, 3, 8), (6, 6, 8)), layers.image(2, 6, 6, 8)
    order = [0, 5, 2, 3, 4, 1, 6, 7]
    wrong = replace(part, arrays={"w": part.arrays["w"][..., order]})
    assert layers.diagnosed(part, x, single(wrong, x))[0].code == "WEIGHT-SWAP"
