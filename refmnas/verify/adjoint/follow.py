"""The running error of gradients: each is linear in dy, so what an error does is the op on absolute values.

    |dx^ - dx| <= gamma_n (|dy| + e) * |w|  +  e * |w|                        n products to a sum       (1)
    |dw^ - dw| <= gamma_m (|dy| + e) (|x| + d)  +  e (|x| + d)  +  |dy| d     m pixels of all images    (2)

with e and d the errors of dy and x; of captured tensors they are 0.

Source: Higham 2002, Accuracy and Stability of Numerical Algorithms, section 3.1; refmnas.bounds.sums counts n and m.
"""

from __future__ import annotations

import numpy as np

from ...backend import TABLE
from ...bounds import UNDERFLOW, gamma
from ...errors import SpecError
from ..known import Known
from ..part import WEIGHED, terms
from . import act, norm

_LOST = UNDERFLOW[np.dtype(np.float32)]


def follow(part, inputs, claim):
    """`Known` of a gradient, or of batch norm in training.

    Raises   SpecError where there is no bound of the op, or none under this claim.
    """
    if part.op not in OPS:
        raise SpecError(f"verify: no bound for {part.op} at {part.name}; there are bounds for {', '.join(OPS)}")
    if not claim.is_float32:
        raise SpecError(f"verify: no bound for gradients under the claim {claim.name}, wanted float32")
    return OPS[part.op](part, *inputs)


def _back(part, dy, x, w):
    """(dx, dw, db) of the NumPy reference; x may be zeros of its shape."""
    op = part.op.partition(".")[0]
    keys = {"conv": ("stride", "pad", "dilation", "groups"), "depthwise": ("stride", "pad", "dilation")}.get(op, ())
    return TABLE[f"{op}.backward"].numpy(dy, x, w, **{key: part.options[key] for key in keys if key in part.options})


def _weighed_dx(part, dy):
    w, n = part.arrays["w"], terms(part)
    x = np.zeros((len(dy.value), *part.options["shape"]))
    value, size = _back(part, dy.value, x, w)[0], _back(part, dy.size, x, np.abs(w))[0]
    came = 0.0 if dy.error is None else _back(part, dy.error, x, np.abs(w))[0]
    return Known(value, gamma(n) * size + n * _LOST + came, (size, n, came))


def _weighed_dw(part, dy, x):
    w, m = np.zeros(part.arrays["w"].shape), terms(part)
    value, size = _back(part, dy.value, x.value, w)[1], _back(part, dy.size, x.size, w)[1]
    came = np.zeros(w.shape)
    if dy.error is not None:
        came = came + _back(part, np.broadcast_to(dy.error, dy.value.shape), x.size, w)[1]
    if x.error is not None:
        came = came + _back(part, np.abs(dy.value), np.broadcast_to(x.error, x.value.shape), w)[1]
    return Known(value, gamma(m) * size + m * _LOST + came, (size, m, came))


def _pool_dx(part, dy):
    """Each pixel's share; for a diagnosis undivided."""
    H, W, _ = part.options["shape"]
    pixels = 1 if part.options.get("undivided") else H * W

    def spread(a):
        return np.broadcast_to(a[:, None, None, :] / pixels, (len(a), *part.options["shape"]))

    came = 0.0 if dy.error is None else spread(dy.error)
    return Known(spread(dy.value), gamma(2) * spread(dy.size) + 2 * _LOST + came)


def _average_dx(part, dy):
    options = {key: value for key, value in part.options.items() if key != "shape"}
    x, taps = np.zeros((len(dy.value), *part.options["shape"])), int(np.prod(options["kernel"]))

    def back(a):
        return TABLE["average_pool.backward"].numpy(a, x, **options)[0]

    came = 0.0 if dy.error is None else back(dy.error)
    return Known(back(dy.value), gamma(taps + 1) * back(dy.size) + 2 * taps * _LOST + came)


def _scale_dx(part, dy, g):
    wide = (slice(None), *[None] * (dy.value.ndim - 2), slice(None))
    gate, e = g.value[wide], 0.0 if dy.error is None else dy.error
    other = 0.0 if g.error is None else g.error[wide]
    own = gamma(1) * dy.size * g.size[wide] + _LOST
    return Known(dy.value * gate, own + e * g.size[wide] + np.abs(dy.value) * other)


def _scale_dg(part, dy, x):
    axes = tuple(range(1, dy.value.ndim - 1))
    m = int(np.prod([dy.value.shape[k] for k in axes], dtype=int))
    e, d = (0.0 if k.error is None else k.error for k in (dy, x))
    came = (e * x.size + np.abs(dy.value) * d).sum(axis=axes)
    return Known((dy.value * x.value).sum(axis=axes), gamma(m) * (dy.size * x.size).sum(axis=axes) + m * _LOST + came)


OPS = {
    **{f"{op}.dx": _weighed_dx for op in WEIGHED},
    **{f"{op}.dw": _weighed_dw for op in WEIGHED},
    **{f"{op}.db": norm.dbeta for op in WEIGHED},
    "batchnorm.train": norm.forward,
    "batchnorm.train.dx": norm.train_dx,
    "batchnorm.train.dgamma": norm.train_dgamma,
    "batchnorm.train.dbeta": norm.dbeta,
    "batchnorm.dx": norm.eval_dx,
    "batchnorm.dgamma": norm.eval_dgamma,
    "batchnorm.dbeta": norm.dbeta,
    "act.dx": act.dx,
    "pool.dx": _pool_dx,
    "average_pool.dx": _average_dx,
    "scale.dx": _scale_dx,
    "scale.dg": _scale_dg,
    "add.dx": lambda part, dy: dy,
}
