"""The gradient of an activation, from a pre-activation with an error e.

The slope lies within what it takes over [x - e, x + e].  At a kink that x hits exactly (e = 0) it is the convention's;
where rounding could decide on which side x lies, both one-sided slopes are within the bound.
"""

from __future__ import annotations

import numpy as np

from ...backend import TABLE
from ...bounds import allowed, gamma
from ...layers.gradcheck import KINKS
from ..known import Known

_CURVED = {"swish": 0.5, "sigmoid": 0.1}  # at most |f''|: 1/2 at 0, 1/(6 sqrt 3) = 0.0962
_AFTER = ("hard_swish", "hard_sigmoid", "hard_sigmoid_slim", "hard_sigmoid_keras")  # compared after x + 3 was rounded
_NEAR = 2.0**-30  # a step to either side of a kink, in float64


def dx(part, dy, x):
    kind, kink = part.options["kind"], part.options.get("kink", "torch")
    value = _back(dy.value, x.value, kind, kink)
    own = allowed(
        "activation.backward",
        (dy.size, x.size if kind in _CURVED and x.error is not None else x.value),
        {"kind": kind},
        np.float32,
    )[0]
    slope = _back(np.ones(x.value.shape), x.value, kind, kink)
    e = np.broadcast_to(0.0 if x.error is None else x.error, x.value.shape)
    spread = _spread(x.value, e, slope, kind, kink)
    if np.any(spread) and kind in _AFTER:
        own = np.maximum(own, gamma(5) * dy.size * 1.5)  # on the side that is not x's
    came = np.abs(slope) * (0.0 if dy.error is None else dy.error)
    return Known(value, own + came + spread * dy.size)


def _back(dy, x, kind, kink):
    return TABLE["activation.backward"].numpy(dy, x, kind=kind, kink=kink)[0]


def _spread(x, e, slope, kind, kink):
    """How far the slope within e of x may be from that at x."""
    if kind in _CURVED:
        return _CURVED[kind] * e
    found = np.zeros(x.shape)
    ones = np.ones(x.shape)
    for moved in (x - e, x + e):
        found = np.maximum(found, np.abs(_back(ones, moved, kind, kink) - slope))
    for at in KINKS.get(kind, ()):
        reach = e + gamma(3) * (np.abs(x) + 3) * (x != at) if kind in _AFTER else e
        close = (np.abs(x - at) <= reach) & (reach > 0)
        if close.any():
            for side in (at - _NEAR, at, at + _NEAR):
                other = float(_back(np.ones(1), np.full(1, side), kind, kink)[0])
                found = np.where(close, np.maximum(found, np.abs(other - slope) + 2 * _NEAR), found)
    return found
