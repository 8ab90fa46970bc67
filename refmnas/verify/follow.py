"""The running error: a part's result and a bound of its error, from its inputs' results and errors.

An implementation's inputs x^ lie within e of x, its own roundings within a bound of the op; so

    |y^ - f(x)|  <=  bound of f on |x| + e   +   what f makes of e                  (1)

for a sum of products the op on absolute values: conv(e, |w|).  A captured tensor has e = 0: the one algorithm
judges single layers, steps that were not captured, fused segments and layers whose input's name is missing.

Batch norm behind a convolution may have been folded into its weights, which are then rounded after it:

    w' = w r (1 + d),  |d| <= gamma_5  (sum, root, quotient or product of its reciprocal, product)
    |y^ - y|  <=  gamma_(n + 8) (|r| sum |x| |w| + |r| |b| + |r mean| + |beta|)     (2)

and a sum that goes on behind it may begin with any of its terms.  Where both are possible the bound is the
larger one, element by element.

Source: (1) is the running error analysis of Higham 2002, Accuracy and Stability of Numerical Algorithms,
section 3.3; (2) counts its roundings.
"""

from __future__ import annotations

from functools import reduce

import numpy as np

from ..backend import TABLE
from ..blocks.nasnet import Shift
from ..bounds import UNDERFLOW, allowed
from ..bounds.activation import centred
from ..errors import SpecError
from ..layers import PyramidPool
from .claim import FLOAT32
from .known import Known
from .part import WEIGHED, terms

_F32 = np.dtype(np.float32)
_LOST = UNDERFLOW[_F32]


def follow(part, inputs, claim=FLOAT32):
    """Equation (1) for one part: `Known` from one `Known` for each of its inputs.

    Shapes   (N, H, W, C) or (N, C), as the op takes them.
    Raises   SpecError where there is no bound of the op, or none under this claim.
    """
    if part.op in WEIGHED:
        return _weighed(part, inputs[0], claim)
    if part.op not in _FOLLOW:
        known_ops = ", ".join((*WEIGHED, *_FOLLOW))
        raise SpecError(f"verify: no bound for {part.op} at {part.name}; there are bounds for {known_ops}")
    if claim.sums > 2.0**-24 and part.op in ("batchnorm", "act", "resize"):
        raise SpecError(f"verify: no bound for {part.op} under the claim {claim.name}")
    known = _FOLLOW[part.op](part, *inputs, claim)
    if known.error is not None and part.op not in _EXACT:
        known = Known(known.value, claim.of_result(known.value, known.error), known.sums)
    return known


def numpy(op):
    """The NumPy reference of an op's forward, whatever backend is chosen."""
    return TABLE[f"{op}.forward"].numpy


def _weighed(part, x, claim):
    w, b, op, n = part.arrays["w"], part.arrays.get("b"), numpy(part.op), terms(part) + 1
    y = op(x.value, w, b, **part.options)
    bound = allowed(f"{part.op}.forward", (x.size, w, b), part.options, _F32, definition=op)[0]
    size = bound / FLOAT32.gamma(n)
    came = 0.0 if x.error is None else op(x.error, np.abs(w), None, **part.options)
    own = claim.of_sum(bound, size, n)
    return Known(y, claim.of_result(y, own + came), (size, n, came))


def _batchnorm(part, x, claim):
    gamma, beta, mean, var = (part.arrays[key] for key in ("gamma", "beta", "mean", "var"))
    eps = part.options["eps"]
    arrays = (gamma, beta, mean, var)
    y = TABLE["batchnorm.forward_eval"].numpy(x.value, *arrays, eps=eps)
    own = allowed("batchnorm.forward_eval", (x.size, *arrays), {"eps": eps}, _F32)[0]
    r = np.abs(gamma) / np.sqrt(var + eps)
    if claim.operands:  # the four arrays and x in the claimed type, the variance under a root
        rounded = r * (3 + var / (var + eps)) * (x.size + np.abs(mean)) + np.abs(beta)
        own = own + claim.operands * rounded + (1 + r) * claim.least
    error = own if x.error is None else own + r * x.error
    if x.sums is None:
        return Known(y, error)
    size, n, came = x.sums
    size, n, came = r * size + r * np.abs(mean) + np.abs(beta), n + 7, r * came
    folded = claim.of_sum(FLOAT32.gamma(n) * size, size, n) + came + 4 * (r + 1) * n * _LOST
    return Known(y, np.maximum(error, folded), (size, n, came))


def _act(part, x, claim):
    kind = part.options["kind"]
    y = TABLE["activation.forward"].numpy(x.value, kind=kind)
    if x.error is None and kind in ("identity", "relu", "relu6"):
        return Known(y)
    return Known(y, centred(_F32, x.value, 0.0 if x.error is None else x.error, kind))


def _linear_map(name):
    """Ops with weights of their own that are not negative: the bound on |x| + e, and the op on e."""

    def known(part, x, claim):
        op = numpy(name)
        y = op(x.value, **part.options)
        error = allowed(f"{name}.forward", (x.size,), part.options, _F32, definition=op)[0]
        if claim.operands:
            count = x.value.size // max(y.size, 1) + 1
            error = claim.of_sum(error, op(x.size, **part.options), count)
        return Known(y, error if x.error is None else error + op(x.error, **part.options))

    return known


def _scale(part, x, g, claim):
    wide = (slice(None), *[None] * (x.value.ndim - 2), slice(None))
    gate, size = g.value[wide], x.size * g.size[wide]
    error = claim.of_sum(FLOAT32.gamma(1) * size + _LOST, size, 1)
    if x.error is not None:
        error = error + x.error * np.abs(gate)
    if g.error is not None:
        error = error + x.size * g.error[wide]
    return Known(x.value * gate, error)


def _add(part, *rest):
    *xs, claim = rest
    y = reduce(np.add, [x.value for x in xs])
    own = FLOAT32.gamma(max(len(xs) - 1, 1)) * reduce(np.add, [x.size for x in xs])
    came = reduce(np.add, [0.0 if x.error is None else x.error for x in xs])
    error = claim.of_sum(own, reduce(np.add, [x.size for x in xs]), len(xs)) + came
    sums = _one_sum(xs, claim)
    if sums is None:
        return Known(y, error)
    size, n, known = sums
    return Known(y, np.maximum(error, claim.of_sum(FLOAT32.gamma(n) * size, size, n) + known), sums)


def _one_sum(xs, claim):
    """The summands as one long sum, where one of them is one."""
    if all(x.sums is None for x in xs):
        return None
    size, n, came = 0.0, len(xs), 0.0
    for x in xs:
        own, count, error = x.sums or (x.size, 0, 0.0 if x.error is None else x.error)
        size, n, came = size + own, n + count, came + error
    return size, n, came


def _concat(part, *rest):
    *xs, _ = rest
    y = np.concatenate([x.value for x in xs], axis=-1)
    if all(x.error is None for x in xs):
        return Known(y)
    errors = [np.zeros(x.value.shape) if x.error is None else np.broadcast_to(x.error, x.value.shape) for x in xs]
    return Known(y, np.concatenate(errors, axis=-1))


def _moved(forward):
    """Ops that choose among values: nothing is rounded, and the largest error within reach comes along."""

    def known(part, x, claim):
        y = forward(part, x.value)
        return Known(y) if x.error is None else Known(y, forward(part, np.broadcast_to(x.error, x.value.shape)))

    return known


_FOLLOW = {
    "batchnorm": _batchnorm,
    "act": _act,
    "pool": _linear_map("pool"),
    "average_pool": _linear_map("average_pool"),
    "resize": _linear_map("resize"),
    "scale": _scale,
    "add": _add,
    "concat": _concat,
    "max_pool": _moved(lambda part, x: numpy("max_pool")(x, **part.options)),
    "shift": _moved(lambda part, x: Shift().forward(x)),
    "pyramid": _moved(lambda part, x: PyramidPool(**part.options).forward(np.ascontiguousarray(x))),
}
_EXACT = ("concat", "max_pool", "shift", "pyramid")
