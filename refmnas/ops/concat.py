"""Concatenation: the channels of two arrays behind one another.

    y[...,c]  = a[...,c] for c < A, b[...,c - A] from there on  (1)

    da[...,c] = dy[...,c],   db[...,c] = dy[...,A + c]          (2)

A is a's number of channels.  More than two are concatenated two by two.  Nothing is
computed, so nothing is rounded.

Source: Szegedy et al. 2014, Going Deeper with Convolutions, arXiv:1409.4842, figure 2
("filter concatenation"); (2) is (1) read backwards.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..backend import dispatched
from ..errors import ShapeError
from ..layout import IMAGE
from . import _checks


class Grads(NamedTuple):
    """The gradients of both parts."""

    a: NDArray
    b: NDArray


def _check_forward(a, b):
    op = "concat.forward"
    _checks.floats(op, a=a, b=b)
    _check_shapes(op, a, b)
    return (a, b), {}


def _check_backward(dy, a, b):
    op = "concat.backward"
    _checks.floats(op, dy=dy, a=a, b=b)
    _check_shapes(op, a, b)
    _checks.shape(op, "dy", dy, (*a.shape[:-1], a.shape[-1] + b.shape[-1]), "(..., A + B)")
    return (dy, a, b), {}


def _check_shapes(op, a, b):
    if a.ndim == 0:
        raise ShapeError(f"{op}: a has shape (), wanted (..., A)")
    _checks.shape(op, "b", b, (*a.shape[:-1], None), "a's extents but the last")


@dispatched("concat.forward", check=_check_forward, turns=(IMAGE, IMAGE), gives=IMAGE)
def forward(a: NDArray, b: NDArray) -> NDArray:
    """Equation (1).

    Shapes   a (..., A), b (..., B), alike but for the last -> y (..., A + B).
    Units    y carries the unit of a and b.
    Dtypes   float32 or float64, both alike; y has the same.
    Raises   ShapeError where other extents than the last differ; DtypeError for mixed dtypes.
    Error    none: y's values are those of a and b.

    >>> forward(np.array([[1.0, 2.0]]), np.array([[3.0]]))
    array([[1., 2., 3.]])
    """
    return np.concatenate([a, b], axis=-1)


@dispatched(
    "concat.backward", check=_check_backward, turns=(IMAGE, IMAGE, IMAGE), gives=(IMAGE, IMAGE), result=Grads
)
def backward(dy: NDArray, a: NDArray, b: NDArray) -> Grads:
    """Equation (2): Grads(a, b) from dy; only the shapes of a and b matter.

    Shapes   dy (..., A + B), a (..., A), b (..., B) -> Grads of a, b, arrays of their own.
    Units    the gradients carry the unit of dy.
    Dtypes   float32 or float64, all alike; the gradients have the same.
    Raises   as `forward`; ShapeError where dy is not of y's shape.
    Error    none: the gradients' values are those of dy.

    >>> backward(np.array([[1.0, 2.0, 3.0]]), np.zeros((1, 2)), np.zeros((1, 1))).b
    array([[3.]])
    """
    A = a.shape[-1]
    return Grads(dy[..., :A].copy(), dy[..., A:].copy())
