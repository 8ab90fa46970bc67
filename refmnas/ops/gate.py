"""Channel scaling: the last step of squeeze-and-excitation.

    y[n,h,v,c]  = x[n,h,v,c] * g[n,c]                 (1)

    dx[n,h,v,c] = dy[n,h,v,c] * g[n,c]                (2)
    dg[n,c]     = sum_{h,v} dy[n,h,v,c] * x[n,h,v,c]  (3)

Source: (1) is eq. (4) of Hu et al. 2017, Squeeze-and-Excitation Networks,
arXiv:1709.01507, for every pixel; (2) and (3) are its product rule.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..backend import dispatched
from ..layout import IMAGE, PLAIN
from . import _checks


class Grads(NamedTuple):
    """Gradients of the image and of the gate."""

    x: NDArray
    g: NDArray


def _check_forward(x, g):
    op = "gate.forward"
    _checks.floats(op, x=x, g=g)
    _check_shapes(op, x, g)
    return (x, g), {}


def _check_backward(dy, x, g):
    op = "gate.backward"
    _checks.floats(op, dy=dy, x=x, g=g)
    _check_shapes(op, x, g)
    _checks.shape(op, "dy", dy, x.shape, "(N, H, W, C)")
    return (dy, x, g), {}


def _check_shapes(op, x, g):
    _checks.shape(op, "x", x, (None, None, None, None), "(N, H, W, C)")
    _checks.shape(op, "g", g, (x.shape[0], x.shape[3]), "(N, C)")


@dispatched("gate.forward", check=_check_forward, turns=(IMAGE, PLAIN), gives=IMAGE)
def forward(x: NDArray, g: NDArray) -> NDArray:
    """Equation (1).

    Shapes   x (N, H, W, C), g (N, C) -> y (N, H, W, C).
    Units    y carries the unit of x times the unit of g (usually none).
    Dtypes   float32 or float64, both alike; y has the same.
    Raises   ShapeError where batch or channels differ; DtypeError for mixed dtypes.
    Error    |y^ - y| <= gamma(1) * |x| |g|: one rounding, so all backends agree bit for bit.

    >>> forward(np.ones((1, 1, 2, 2)), np.array([[0.5, 2.0]]))[0, 0]
    array([[0.5, 2. ],
           [0.5, 2. ]])
    """
    return x * g[:, None, None, :]


@dispatched("gate.backward", check=_check_backward, turns=(IMAGE, IMAGE, PLAIN), gives=(IMAGE, PLAIN), result=Grads)
def backward(dy: NDArray, x: NDArray, g: NDArray) -> Grads:
    """Equations (2), (3): Grads(x, g) from dy.

    Shapes   dy and x (N, H, W, C), g (N, C) -> Grads of x, g.
    Units    each gradient carries the unit of dy times that of the other factor.
    Dtypes   float32 or float64, all alike; the gradients have the same.
    Raises   as `forward`; ShapeError where dy is not of y's shape.
    Error    dx: gamma(1) * |dy| |g|; dg: gamma(H*W) * sum |dy| |x|, in any backend.

    >>> backward(np.ones((1, 1, 2, 1)), np.array([3.0, 4.0]).reshape(1, 1, 2, 1), np.ones((1, 1))).g
    array([[7.]])
    """
    return Grads(dy * g[:, None, None, :], np.einsum("nhvc,nhvc->nc", dy, x))
