"""Element by element: Add, Sub, Mul, Div, Ceil, Relu, Clip, Sigmoid, HardSigmoid, HardSwish.

    Sigmoid(x)      1 / (1 + exp(-x))                                                (1)
    HardSigmoid(x)  max(0, min(1, alpha * x + beta))                                 (2)
    HardSwish(x)    x * max(0, min(1, x / 6 + 1 / 2))                                (3)
    Clip(x)         min(max(x, low), high): where low > high, high                   (4)

Integers wrap, and Div of integers is truncated toward 0.

Source: ONNX operators Add, Sub, Mul, Div-7, 13, 14; Ceil-6, 13; Relu-6, 13, 14; Clip-6, 11, 12, 13; Sigmoid-6,
13; HardSigmoid-6, 22; HardSwish-14, 22.
"""

from __future__ import annotations

import numpy as np

from ....errors import DataError, ShapeError
from .record import FLOATS, NUMBERS, SIGNED, WIDE, Attribute, Info, Operator, Version, broadcast, in_float32, product, same


def _pair(a, x, y):
    return [Info(x.dtype, broadcast(x.shape, y.shape))]


def _quotient(a, x, y):
    if x.dtype.kind == "f":
        return x / y
    if y.size and not y.all():
        raise DataError("a divisor of whole numbers is 0, wanted none")
    down = x // y
    return down + ((x % y != 0) & ((x < 0) != (y < 0))).astype(x.dtype)


def _sigmoid(a, x):
    """Equation (1), by exp of what is not above 0, which cannot overflow."""
    wide = in_float32(x)
    e = np.exp(-np.abs(wide))
    return np.where(wide >= 0, 1, e) / (1 + e)


def _hard(x, alpha, beta):
    wide = in_float32(x)
    return np.maximum(0, np.minimum(1, wide.dtype.type(alpha) * wide + wide.dtype.type(beta)))


def _clip_rule(a, x, low=None, high=None):
    for name, bound in (("min", low), ("max", high)):
        if bound is not None and bound.shape is not None and (len(bound.shape) > 1 or product(bound.shape) not in (1, None)):
            raise ShapeError(f"{name} has shape {bound.shape}, wanted one number")
    return same(a, x)


def _clip(a, x, low=None, high=None):
    """Equation (4)."""
    y = x if low is None else np.maximum(x, low.reshape(()))
    return y if high is None else np.minimum(y, high.reshape(()))


def _arithmetic(compute):
    versions = (Version(7, "x y", WIDE), Version(14, "x y", NUMBERS))
    return Operator(_pair, compute, versions)


def _unary(compute, *versions):
    return Operator(same, compute, versions)


_ALPHA = {"alpha": Attribute("float", 0.2), "beta": Attribute("float", 0.5)}
_LIMITS = {"min": Attribute("float", None), "max": Attribute("float", None)}

TABLE = {
    "Add": _arithmetic(lambda a, x, y: x + y),
    "Sub": _arithmetic(lambda a, x, y: x - y),
    "Mul": _arithmetic(lambda a, x, y: x * y),
    "Div": _arithmetic(_quotient),
    "Ceil": _unary(lambda a, x: np.ceil(x), Version(6, "x")),
    "Relu": _unary(lambda a, x: np.maximum(x, 0), Version(6, "x"), Version(14, "x", (*FLOATS, *SIGNED))),
    "Sigmoid": _unary(_sigmoid, Version(6, "x")),
    "HardSigmoid": _unary(lambda a, x: _hard(x, a["alpha"], a["beta"]), Version(6, "x", FLOATS, _ALPHA)),
    "HardSwish": _unary(lambda a, x: x * _hard(x, 1 / 6, 0.5), Version(14, "x")),
    "Clip": Operator(_clip_rule, _clip, (
        Version(6, "x", FLOATS, _LIMITS, moved={"min": "low", "max": "high"}),
        Version(11, "x low? high?"),
        Version(12, "x low? high?", NUMBERS),
    )),
}  # fmt: skip
