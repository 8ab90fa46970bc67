"""Gradients: bounds hold for float32, planted faults are named, kinks follow the rule."""

from dataclasses import replace

import numpy as np
import pytest

from refmnas.cli import main
from refmnas.errors import DataError, SpecError
from refmnas.models import build
from refmnas.ops import activation, batchnorm, depthwise
from refmnas.verify import adjoint, gradients, parts
from refmnas.verify.known import Known
from refmnas.verify.part import Part
from refmnas.verify.planted.gradients import GRADIENTS, gradient_diagnosed
from refmnas.verify.planted.run import example
from refmnas.verify.segment import Segment, margin


@pytest.mark.parametrize("code", GRADIENTS)
def test_a_planted_fault_is_named(code):
    assert gradient_diagnosed(*GRADIENTS[code]())[0].code == code


@pytest.mark.parametrize("axes", [0, 1, (0, 1)])
@pytest.mark.parametrize("op", ["dw", "dx"])
def test_taps_flipped_along_any_axis_are_told_in_either_gradient(op, axes):
    part, feeds, _ = GRADIENTS["GRAD-FLIP"]()
    options = {key: part.options[key] for key in ("stride", "pad")}
    w = part.arrays["w"]
    turned = np.flip(w, axes) if op == "dx" else w
    grads = depthwise.backward(feeds["y.grad"], feeds["x"], turned, **options)
    if op == "dx":
        shape = feeds.pop("x").shape[1:]
        given = {"inputs": ("y.grad",), "shape": shape, "options": options | {"shape": shape}}
        part = replace(part, name="x.grad", op="depthwise.dx", **given)
    came = grads.x if op == "dx" else np.flip(grads.w, axes)
    assert gradient_diagnosed(part, feeds, came)[0].code == "GRAD-FLIP"


def test_every_parameter_has_a_gradient():
    net = build("mobilenet-v3-small", size=32)
    _, made = adjoint.of(parts.of_network(net, 32), (32, 32, 3), 2, True)
    learned = {name for name, p in net._chain.named_params() if not name.endswith((".mean", ".var"))}
    assert {f"{name}.grad" for name in learned} <= {part.name for part in made}


def test_a_wrong_rule_at_a_kink_is_beyond_the_bound_and_a_step_beside_it_is_not():
    part = Part("x.grad", "act.dx", ("y.grad", "x"), (3,), {}, {"kind": "hard_swish"})
    x = np.array([[-3.0, 3.0, np.nextafter(np.float32(-3), np.float32(0))]])
    right = activation.backward(np.ones((1, 3)), x, kind="hard_swish").x.astype(np.float32)
    feeds = {"y.grad": np.ones((1, 3)), "x": x}
    assert margin(Segment("x.grad", (part,), feeds, right)) <= 1
    other_side = right.copy()
    other_side[0, 2] = 0
    assert margin(Segment("x.grad", (part,), feeds, other_side)) <= 1
    for at, slope in ((0, -0.5), (1, 1.5)):
        wrong = right.copy()
        wrong[0, at] = slope
        assert margin(Segment("x.grad", (part,), feeds, wrong)) > 1


def test_a_kink_within_the_error_of_its_input_allows_both_slopes():
    part = Part("x.grad", "act.dx", ("y.grad", "x"), (1,), {}, {"kind": "relu"})
    found = adjoint.follow(part, [Known(np.ones((1, 1))), Known(np.full((1, 1), 1e-8), np.full((1, 1), 1e-7))], _float32())
    assert found.value == 1
    assert found.error >= 1


def _float32():
    from refmnas.verify.claim import FLOAT32

    return FLOAT32


def test_batch_norm_in_training_holds_its_bound_in_float32():
    rng = np.random.default_rng(0)
    dy, x = (rng.normal(1, 3, size=(2, 5, 5, 6)).astype(np.float32) for _ in range(2))
    g, beta = rng.normal(size=(2, 6)).astype(np.float32)
    run = batchnorm.forward(x, g, beta, eps=1e-5)
    came = batchnorm.backward(dy, x, g, run.mean, run.rstd)
    arrays = {"gamma": g.astype(float), "beta": beta.astype(float), "mean": np.zeros(6), "var": np.ones(6)}
    for op, inputs, result in (
        ("batchnorm.train", ("x",), run.y),
        ("batchnorm.train.dx", ("dy", "x"), came.x),
        ("batchnorm.train.dgamma", ("dy", "x"), came.gamma),
        ("batchnorm.train.dbeta", ("dy",), came.beta),
    ):
        part = Part("p", op, inputs, (5, 5, 6), arrays, {"eps": 1e-5})
        assert 0 < margin(Segment("p", (part,), {"dy": dy, "x": x}, result)) <= 1, op


def test_bad_input_is_named():
    net, _, x = example()
    with pytest.raises(SpecError, match="claim is fp16, wanted float32"):
        gradients({"input": x}, net, claim="fp16")
    with pytest.raises(SpecError, match="mode is 'test'"):
        gradients({"input": x}, net, mode="test")
    with pytest.raises(DataError, match="no gradient of the result"):
        gradients({"input": x, "stem.conv": np.zeros((2, 32, 32, 16), np.float32)}, net)


def test_the_command_says_what_it_takes(capsys):
    assert main(["verify", "gradients", "--help"]) == 0
    assert "--train" in capsys.readouterr().out
