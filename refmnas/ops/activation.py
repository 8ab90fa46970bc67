"""Activations: each value on its own.

    identity            y = x                                          dx = dy                          (1)
    relu                y = max(x, 0)                                  dx = dy where x > 0, else 0      (2)
    relu6               y = min(max(x, 0), 6)                          dx = dy where 0 < x < 6, else 0  (3)
    sigmoid             y = s(x) = 1 / (1 + exp(-x))                   dx = dy * s(x) * s(-x)           (4)
    swish               y = x * s(x)                                   dx = dy * s(x) * (1 + x * s(-x)) (5)
    hard_sigmoid        y = min(max(x + 3, 0), 6) / 6                  dx = dy / 6 where -3 < x < 3     (6)
    hard_sigmoid_slim   y = min(max(x + 3, 0), 6) * 0.16667            dx = dy * 0.16667 where -3 < x < 3  (7)
    hard_sigmoid_keras  y = min(max(0.2 * x + 0.5, 0), 1)              dx = dy * 0.2 where -2.5 < x < 2.5  (8)
    hard_swish          y = x * min(max(x + 3, 0), 6) / 6              dx = dy * (x / 3 + 1 / 2) where -3 < x < 3,
                                                                       0 at and below -3, dy at and above 3  (9)
    hard_sigmoid_torch  as hard_sigmoid                                dx = dy * f where -3 < x < 3, f being 1/6
                                                                       rounded to float32                (10)

At a kink the derivative is a convention, named by `kink`:

    torch   as written: 0 at both ends in (2), (3), (6), (7), (8), (10); in (9) 0 at -3 and
            dy at 3.  Measured with torch 2.14 (relu, relu6, hardsigmoid, hardswish, and
            (7), (8) as relu6(x + 3) * 0.16667 and clamp(0.2 * x + 0.5, 0, 1)).
    tf      the same, but in (8) dy * 0.2 at both ends.  By TensorFlow's code: ReluGrad
            and Relu6Grad pass where x > 0 and 0 < x < 6 (kernels/relu_op_functor.h),
            (6), (7), (9) are products of relu6; (8) clips by minimum and maximum,
            whose gradients pass at equality (python/ops/math_grad.py).  That Keras
            itself clips (8) so, and not by one fused operation, is unverified.

(10) is PyTorch's own float64 gradient of (6), measured with torch 2.14: it differs from
(6) by 3e-8 of its value.  Whoever compares gradients with PyTorch's wants it.

Source: (3) Krizhevsky 2010, Convolutional Deep Belief Networks on CIFAR-10;
(5) Ramachandran et al. 2017, arXiv:1710.05941; (6), (9) Howard et al. 2019,
MobileNetV3, arXiv:1905.02244; (7) the SE gate of TensorFlow-slim's MobileNetV3;
(8) Keras' hard_sigmoid before version 3.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..backend import dispatched
from . import _checks

KINKS = ("torch", "tf")


class Grads(NamedTuple):
    """The gradient of the input."""

    x: NDArray


def _check_forward(x, *, kind):
    op = "activation.forward"
    _checks.floats(op, x=x)
    _checks.batched(op, x)
    return (x,), {"kind": _checks.choice(op, "kind", kind, KINDS)}


def _check_backward(dy, x, *, kind, kink="torch"):
    op = "activation.backward"
    _checks.floats(op, dy=dy, x=x)
    _checks.batched(op, x)
    _checks.shape(op, "dy", dy, x.shape, "the shape of x")
    options = {"kind": _checks.choice(op, "kind", kind, KINDS), "kink": _checks.choice(op, "kink", kink, KINKS)}
    return (dy, x), options


@dispatched("activation.forward", check=_check_forward)
def forward(x: NDArray, *, kind: str) -> NDArray:
    """The y of equations (1) to (10); `kind` is one of KINDS.

    Shapes   x (N, ...) -> y of x's shape.
    Units    x is a pure number, and so is y.
    Dtypes   float32 or float64; y has the same.
    Raises   DtypeError; SpecError for an unknown kind.
    Error    identity, relu, relu6: none.  sigmoid: gamma(7 + 8) * y, swish one more, with
             exp good to the units that refmnas.bounds states; hard kinds:
             refmnas.bounds.activation_forward, at most gamma(3) of the argument and
             gamma(4) of the result.  In any backend.

    >>> forward(np.array([-4.0, 0.0, 4.0]), kind="hard_swish")
    array([-0.,  0.,  4.])
    """
    return _FORWARD[kind](x)


@dispatched("activation.backward", check=_check_backward, result=Grads)
def backward(dy: NDArray, x: NDArray, *, kind: str, kink: str = "torch") -> Grads:
    """The dx of equations (1) to (10): Grads(x) from dy and forward's x.

    Shapes   dy and x of one shape -> Grads of x.
    Units    the gradient carries the unit of dy.
    Dtypes   float32 or float64, both alike; the gradient has the same.
    Raises   as `forward`; ShapeError where dy is not of x's shape; SpecError for an
             unknown kink rule.
    Error    refmnas.bounds.activation_backward: none for identity, relu and relu6, at
             most gamma(5) for the hard kinds, gamma(37) * |dy| s(x) (1 + |x|) for swish.

    >>> backward(np.ones(3), np.array([0.0, 3.0, 6.0]), kind="relu6").x
    array([0., 1., 0.])
    """
    if kind == "hard_sigmoid_keras":
        return Grads(_d_hard_sigmoid_keras(dy, x, kink))
    return Grads(_BACKWARD[kind](dy, x))


def _sigmoid(x):
    """s(x) with exp taken of negative numbers only: no overflow, and full relative accuracy."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def _where(inside, dy):
    """dy where inside, else 0."""
    return np.where(inside, dy, np.zeros((), dy.dtype))


def _d_hard_sigmoid_keras(dy, x, kink):
    size = np.abs(x)
    inside = size <= 2.5 if kink == "tf" else size < 2.5
    return _where(inside, dy * 0.2)


def _d_hard_swish(dy, x):
    return _where(x > -3, np.where(x >= 3, dy, dy * (x / 3 + 0.5)))


_SIXTH = float(np.float32(1 / 6))
_FORWARD = {
    "identity": lambda x: x.copy(),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "sigmoid": _sigmoid,
    "swish": lambda x: x * _sigmoid(x),
    "hard_sigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "hard_sigmoid_slim": lambda x: np.clip(x + 3, 0, 6) * 0.16667,
    "hard_sigmoid_keras": lambda x: np.clip(0.2 * x + 0.5, 0, 1),
    "hard_swish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "hard_sigmoid_torch": lambda x: np.clip(x + 3, 0, 6) / 6,
}
_BACKWARD = {
    "identity": lambda dy, x: dy.copy(),
    "relu": lambda dy, x: _where(x > 0, dy),
    "relu6": lambda dy, x: _where((x > 0) & (x < 6), dy),
    "sigmoid": lambda dy, x: dy * _sigmoid(x) * _sigmoid(-x),
    "swish": lambda dy, x: dy * _sigmoid(x) * (1 + x * _sigmoid(-x)),
    "hard_sigmoid": lambda dy, x: _where(np.abs(x) < 3, dy / 6),
    "hard_sigmoid_slim": lambda dy, x: _where(np.abs(x) < 3, dy * 0.16667),
    "hard_swish": _d_hard_swish,
    "hard_sigmoid_torch": lambda dy, x: _where(np.abs(x) < 3, dy * _SIXTH),
}
KINDS = tuple(_FORWARD)
