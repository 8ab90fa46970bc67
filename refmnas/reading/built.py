"""A layer or block in numbers: its steps with their shapes, and backward against forward."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Built(NamedTuple):
    """One small instance of a layer or block."""

    call: str  # MBConv(8, 8, mid=24, kernel=3, squeeze=2, has_skip=True)
    steps: list[tuple[str, str, tuple[int, ...], int]]  # name, kind, output shape, parameters
    input_shape: tuple[int, ...]
    claimed: float  # the derivative along a random direction, by backward
    measured: float  # the same by differences of forward
    allowed: float  # difference that truncation and rounding explain


def built(name) -> Built | None:
    """The example of a subject, or None where it has none."""
    if name not in _EXAMPLES:
        return None
    call, layer = _EXAMPLES[name]()
    size = (7, 7, 8)
    check = _check(layer, size)
    steps = [(s.name, s.kind, s.shape, s.parameters) for s in layer.steps(size)]
    return Built(call, steps, size, check.claimed, check.measured, check.allowed)


def _check(layer, size):
    """Along the first direction that meets no kink, in float64 and with batch statistics."""
    from ..layers import gradcheck

    rng = np.random.default_rng(0)
    for path, param in layer.named_params():
        if param.trainable:
            param.value[...] = rng.uniform(-1, 1, param.value.shape) + (path.endswith("gamma") * 1.5)
    x = rng.standard_normal((2, *size))
    check = None
    for seed in range(20):
        check = gradcheck.along(layer, x, train=True, seed=seed)
        if not check.crosses_kink:
            break
    return check


def _conventions():
    from ..blocks import Conventions

    return Conventions(dtype=np.float64)


def _conv_bn_act():
    from ..blocks.conv_bn_act import depthwise

    return "depthwise(8, 3, 1, conventions): the ConvBNAct of a 3 x 3 depthwise convolution", depthwise(8, 3, 1, _conventions())


def _squeeze_excite():
    from ..layers import SqueezeExcite

    return "SqueezeExcite(8, 2)", SqueezeExcite(8, 2, dtype=np.float64)


def _separable():
    from ..blocks import SepConv

    return "SepConv(8, 16, kernel=3, stride=2)", SepConv(8, 16, kernel=3, stride=2, conventions=_conventions())


def _mbconv():
    from ..blocks import MBConv

    options = {"mid": 24, "kernel": 3, "squeeze": 2, "has_skip": True}
    return (
        "MBConv(8, 8, mid=24, kernel=3, squeeze=2, has_skip=True)",
        MBConv(8, 8, **options, conventions=_conventions()),
    )


_EXAMPLES = {
    "conv_bn_act": _conv_bn_act,
    "squeeze_excite": _squeeze_excite,
    "separable": _separable,
    "mbconv": _mbconv,
}
