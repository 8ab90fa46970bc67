"""Bounds of the activations.

Piecewise linear kinds.  The argument of the clip, v = x + 3 or 0.2 x + 0.5, is off by
E <= gamma(3) (|x| + 3) / 6 or gamma(3) (0.2 |x| + 0.5): at most the constant, the
product and the addition are rounded, whichever of the published forms is used
((x + 3) / 6, x / 6 + 1 / 2).  A clip passes E on inside, what reaches in of it from
outside, and nothing far outside.  After the clip come at most two roundings (constant
and product), two more for hard-swish.

Smooth kinds, in roundings: e = exp(-|x|) has EXP; 1 + e at most EXP / 2 + 1, since
e <= 1; so s = 1 / (1 + e) or e / (1 + e) has EXP + EXP / 2 + 2 =: S, and so has
1 / (1 + exp(-x)) where exp does not overflow.

    sigmoid  dx = dy s(x) s(-x): s(-x) has S of its own, or is 1 - s(x) with the absolute
             error S s + 1 of it; with two products 2 S + 3 on |dy| s
    swish    s(-x) likewise; times x, plus 1, times s, times dy: 2 S + 5 on |dy| s (1 + |x|)

Runtimes compute sigmoid about its centre, too, as 1/2 + t with t = tanh(x / 2) / 2 by tanh or by a rational function
(`centred`): t within S roundings and the sum leave gamma(S + 2) / 2, which is absolute, so that small values have few digits.

Gradients jump at a kink: the bound holds for an implementation that compares x itself
with the kink.  One that compares x + 3 after rounding may take the other side where x is
within an ulp of the kink; whoever judges it leaves those values out.
"""

import numpy as np

from .rounding import EXP, gamma, lost, sizes

S = EXP + EXP // 2 + 2
# Below it exp(-x) overflows, within the units that exp is good to.
_EXP_REACH = {np.dtype(np.float32): -88.7, np.dtype(np.float64): -709.7}


def _sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def _clipped(v, error, low, high):
    """The error of clip(v) where v is off by `error`: less where v lies outside."""
    outside = np.maximum(np.maximum(low - v, v - high), 0)
    return np.maximum(error - outside, 0)


def _hard_sigmoid(kind, x, dtype, e=0.0):
    """Value and bound of a hard sigmoid of what is within e of x, the constant after the clip included."""
    size = np.abs(x) + e
    if kind == "hard_sigmoid_keras":
        v, reach, scale, slope = 0.2 * x + 0.5, 0.2 * size + 0.5, 1.0, 0.2
        high = 1.0
    else:
        v, reach, scale, slope = x + 3, size + 3, 0.16667 if kind == "hard_sigmoid_slim" else 1 / 6, 1.0
        high = 6.0
    error = _clipped(v, gamma(3, dtype) * reach + slope * e, 0.0, high) * scale
    value = np.clip(v, 0, high) * scale
    return value, error * (1 + gamma(2, dtype)) + gamma(2, dtype) * value


def activation_forward(definition, dtype, x, *, kind):
    return (carried(dtype, x, 0.0, kind),)


def carried(dtype, x, e, kind):
    """The bound where what is fed is not x but something within e of it (e = 0: x itself)."""
    x = np.asarray(x, np.float64)
    size = np.abs(x) + e
    if kind == "identity":
        return np.zeros(x.shape) + e
    if kind in ("relu", "relu6"):
        return _clipped(x, np.zeros(x.shape) + e, 0.0, np.inf if kind == "relu" else 6.0)
    if kind in ("sigmoid", "swish"):
        return _smooth(dtype, x, e, size, kind)
    if kind == "hard_swish":
        value, error = _hard_sigmoid("hard_sigmoid", x, dtype, e)
        rounded = gamma(2, dtype) * (value + np.where(e, error, 0))
        return size * (error * (1 + gamma(2, dtype)) + rounded) + value * e + lost(2, dtype)
    return _hard_sigmoid(kind, x, dtype, e)[1] + lost(1, dtype)


def centred(dtype, x, e, kind):
    """`carried` for an implementation that may compute sigmoid about its centre."""
    error = carried(dtype, x, e, kind)
    if kind not in ("sigmoid", "swish"):
        return error
    size = np.abs(x) + e
    own = gamma(S + 2, dtype) / 2 if kind == "sigmoid" else gamma(S + 3, dtype) / 2 * size + lost(1, dtype)
    return error + np.maximum(own - carried(dtype, x, 0.0, kind), 0)


def _smooth(dtype, x, e, size, kind):
    """Roundings at x + e, where s is largest, and e times the steepest slope within reach.

    Where exp(-x) overflows, 1 / (1 + exp(-x)) is 0 instead of s(x).
    """
    s = _sigmoid(x + e)
    s_near = _sigmoid(-np.maximum(np.abs(x) - e, 0))
    steepest = s_near * (1 - s_near)
    vanished = np.where(x - e < _EXP_REACH[np.dtype(dtype)], s, 0)
    if kind == "sigmoid":
        return gamma(S, dtype) * s + vanished + steepest * e + lost(EXP + 2, dtype)
    slope = np.minimum(1.1, s + size * steepest)  # the steepest of x s(x) is 1.0998
    return gamma(S + 1, dtype) * size * s + size * vanished + slope * e + lost((EXP + 2) * size + 1, dtype)


# kind -> (what dy is multiplied by at most, roundings): constant and product, for
# hard-swish one more each for the constant, the sum and the second product of its other form.
_HARD = {
    "hard_sigmoid": (1 / 6, 2), "hard_sigmoid_slim": (0.16667, 2), "hard_sigmoid_keras": (0.2, 2),
    "hard_sigmoid_torch": (1 / 6 + 2**-27, 2),
}  # fmt: skip


def activation_backward(definition, dtype, dy, x, *, kind, kink="torch"):
    size, x = sizes(dy)[0], np.asarray(x, np.float64)
    if kind in ("identity", "relu", "relu6"):
        return (np.zeros(x.shape),)
    if kind in ("sigmoid", "swish"):
        n, grows = (2 * S + 3, 1.0) if kind == "sigmoid" else (2 * S + 5, 1 + np.abs(x))
        slope = _sigmoid(x) * grows
        vanished = np.where(x < _EXP_REACH[np.dtype(dtype)], slope, 0)  # as forward: 1 / (1 + exp(-x)) is 0 there
        return (size * (gamma(n, dtype) * slope + vanished) + lost((EXP + 4) * (size + 1) * grows, dtype),)
    if kind == "hard_swish":
        inside = (x > -3) & (x < 3)
        return (np.where(inside, gamma(5, dtype) * size * (np.abs(x) / 3 + 0.5) + lost(3, dtype), 0.0),)
    slope, n = _HARD[kind]
    reach = 2.5 if kind == "hard_sigmoid_keras" else 3.0
    return (np.where(np.abs(x) <= reach, gamma(n, dtype) * slope * size + lost(1, dtype), 0.0),)
