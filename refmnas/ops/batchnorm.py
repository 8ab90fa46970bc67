"""Batch normalisation over all axes but the last, in training and in evaluation.

m pixels k = 1..m in all (m = N*H*W, or N), per channel c:

    mean[c] = sum_k x[k,c] / m                                          (1)
    var[c]  = sum_k (x[k,c] - mean[c])^2 / m                            (2)
    rstd[c] = 1 / sqrt(var[c] + eps)                                    (3)
    y[k,c]  = gamma[c] * (x[k,c] - mean[c]) * rstd[c] + beta[c]         (4)

    z[k,c]  = (x[k,c] - mean[c]) * rstd[c]                              (5)
    dbeta[c]  = sum_k dy[k,c],   dgamma[c] = sum_k dy[k,c] * z[k,c]     (6)
    dx[k,c] = gamma[c] * rstd[c] / m * (m * dy[k,c] - dbeta[c] - z[k,c] * dgamma[c])  (7)
    dx[k,c] = gamma[c] * rstd[c] * dy[k,c]     (evaluation: mean and rstd are constants)  (8)

    running = (1 - momentum) * running + momentum * batch               (9)
    batch variance in (9): var, or var * count / (count - 1) where unbiased  (10)

The variance is taken in two passes, centred: E[x^2] - E[x]^2 would cancel.
(7) has three terms since x reaches y on three ways: itself, by mean and by var.

Source: Ioffe and Szegedy 2015, Batch Normalization, arXiv:1502.03167, algorithms 1
and 2 and the gradients of section 3; (10) is where public implementations differ:
PyTorch and TensorFlow's fused kernel store the unbiased one, Keras' unfused the biased.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..backend import dispatched
from ..errors import DataError, ShapeError
from ..layout import IMAGE, PLAIN
from . import _checks


class Normalised(NamedTuple):
    """What training forward gives: y, and what backward and the running statistics need."""

    y: NDArray
    mean: NDArray
    var: NDArray  # biased: divided by m
    rstd: NDArray


class Grads(NamedTuple):
    """Gradients of the input, the scale and the shift."""

    x: NDArray
    gamma: NDArray
    beta: NDArray


class Running(NamedTuple):
    """Running statistics after one step."""

    mean: NDArray
    var: NDArray


def _check_forward(x, gamma, beta, *, eps):
    op = "batchnorm.forward"
    _checks.floats(op, x=x, gamma=gamma, beta=beta)
    _check_channels(op, x, gamma=gamma, beta=beta)
    eps = _check_eps(op, eps)
    if _pixels(x) == 0:
        raise DataError(f"{op}: x has shape {x.shape}, wanted at least one pixel: an empty batch has no statistics")
    return (x, gamma, beta), {"eps": eps}


def _check_backward(dy, x, gamma, mean, rstd):
    op = "batchnorm.backward"
    _checks.floats(op, dy=dy, x=x, gamma=gamma, mean=mean, rstd=rstd)
    _check_channels(op, x, gamma=gamma, mean=mean, rstd=rstd)
    _checks.shape(op, "dy", dy, x.shape, "the shape of x")
    return (dy, x, gamma, mean, rstd), {}


def _check_forward_eval(x, gamma, beta, mean, var, *, eps):
    op = "batchnorm.forward_eval"
    _checks.floats(op, x=x, gamma=gamma, beta=beta, mean=mean, var=var)
    _check_channels(op, x, gamma=gamma, beta=beta, mean=mean, var=var)
    _checks.variance(op, "var", var)
    return (x, gamma, beta, mean, var), {"eps": _check_eps(op, eps)}


def _check_backward_eval(dy, x, gamma, mean, var, *, eps):
    op = "batchnorm.backward_eval"
    _checks.floats(op, dy=dy, x=x, gamma=gamma, mean=mean, var=var)
    _check_channels(op, x, gamma=gamma, mean=mean, var=var)
    _checks.shape(op, "dy", dy, x.shape, "the shape of x")
    _checks.variance(op, "var", var)
    return (dy, x, gamma, mean, var), {"eps": _check_eps(op, eps)}


def _check_running(running_mean, running_var, mean, var, *, count, momentum, unbiased):
    op = "batchnorm.running"
    arrays = {"running_mean": running_mean, "running_var": running_var, "mean": mean, "var": var}
    _checks.floats(op, **arrays)
    _checks.shape(op, "running_mean", running_mean, (None,), "(C,)")
    for name, a in arrays.items():
        _checks.shape(op, name, a, running_mean.shape, "(C,)")
    count, unbiased = _checks.whole(op, "count", count, 1), _checks.flag(op, "unbiased", unbiased)
    momentum = _checks.number(op, "momentum", momentum, 0, 1)
    _checks.variance(op, "running_var", running_var)
    _checks.variance(op, "var", var)
    if unbiased and count == 1:
        raise DataError(f"{op}: count is 1, wanted at least 2: one pixel has no unbiased variance")
    return tuple(arrays.values()), {"count": count, "momentum": momentum, "unbiased": unbiased}


def _check_channels(op, x, **vectors):
    if x.ndim not in (2, 4):
        raise ShapeError(f"{op}: x has shape {x.shape}, wanted (N, H, W, C) or (N, C)")
    for name, a in vectors.items():
        _checks.shape(op, name, a, x.shape[-1:], "(C,)")


def _check_eps(op, eps):
    return _checks.number(op, "eps", eps, 0, np.inf, open_least=True, open_most=True)


@dispatched(
    "batchnorm.forward",
    check=_check_forward,
    turns=(IMAGE, PLAIN, PLAIN),
    gives=(IMAGE, PLAIN, PLAIN, PLAIN),
    result=Normalised,
)
def forward(x: NDArray, gamma: NDArray, beta: NDArray, *, eps: float) -> Normalised:
    """Equations (1) to (4): training, by the statistics of this batch.

    Shapes   x (N, H, W, C) or (N, C), gamma and beta (C,) -> Normalised of x, (C,), (C,), (C,).
    Units    y carries the unit of beta; mean that of x, var its square, rstd its
             inverse; `eps` has the unit of var.
    Dtypes   float32 or float64, all alike; the results have the same.
    Raises   ShapeError where channels differ; DtypeError for mixed dtypes; SpecError
             for an eps that is not above 0; DataError where x has no pixel.
    Error    refmnas.bounds.batchnorm_forward: mean gamma(m) * sum |x| / m; the others
             follow from it through (2), (3), (4), in any backend.

    >>> forward(np.array([[1.0], [3.0]]), np.ones(1), np.zeros(1), eps=3.0).y
    array([[-0.5],
           [ 0.5]])
    """
    axes = tuple(range(x.ndim - 1))
    mean = x.mean(axis=axes)
    var = np.square(x - mean).mean(axis=axes)
    rstd = 1 / np.sqrt(var + eps)
    return Normalised(gamma * (x - mean) * rstd + beta, mean, var, rstd)


@dispatched(
    "batchnorm.backward",
    check=_check_backward,
    turns=(IMAGE, IMAGE, PLAIN, PLAIN, PLAIN),
    gives=(IMAGE, PLAIN, PLAIN),
    result=Grads,
)
def backward(dy: NDArray, x: NDArray, gamma: NDArray, mean: NDArray, rstd: NDArray) -> Grads:
    """Equations (5) to (7): Grads(x, gamma, beta) from dy and forward's own mean and rstd.

    Shapes   dy and x (N, H, W, C) or (N, C), the others (C,) -> Grads of x, (C,), (C,).
    Units    dx carries the unit of dy times gamma times rstd, the others that of dy.
    Dtypes   float32 or float64, all alike; the gradients have the same.
    Raises   ShapeError where shapes differ; DtypeError for mixed dtypes.
    Error    dbeta: gamma(m) * sum |dy|; dgamma: gamma(m + 2) * sum |dy| |z|;
             dx: gamma(m + 10) * |gamma| rstd (|dy| + sum |dy| / m + |z| sum |dy| |z| / m),
             in any backend.

    >>> backward(np.array([[1.0], [0.0]]), np.array([[1.0], [3.0]]), np.ones(1), np.full(1, 2.0), np.ones(1)).gamma
    array([-1.])
    """
    axes, m = tuple(range(x.ndim - 1)), max(_pixels(x), 1)
    z = (x - mean) * rstd
    dbeta, dgamma = dy.sum(axis=axes), (dy * z).sum(axis=axes)
    return Grads(gamma * rstd / m * (m * dy - dbeta - z * dgamma), dgamma, dbeta)


@dispatched(
    "batchnorm.forward_eval",
    check=_check_forward_eval,
    turns=(IMAGE, PLAIN, PLAIN, PLAIN, PLAIN),
    gives=IMAGE,
)
def forward_eval(x: NDArray, gamma: NDArray, beta: NDArray, mean: NDArray, var: NDArray, *, eps: float) -> NDArray:
    """Equations (3), (4) with the running statistics: evaluation.

    Shapes   x (N, H, W, C) or (N, C), the others (C,) -> y of x's shape.
    Units    as `forward`.
    Dtypes   float32 or float64, all alike; y has the same.
    Raises   as `forward`; DataError for a variance that is negative or NaN.
    Error    |y^ - y| <= gamma(7) * |gamma| rstd (|x| + |mean|) + gamma(2) * |beta|, in any
             backend, also where it is computed as x * scale + shift.

    >>> forward_eval(np.array([[5.0]]), np.ones(1), np.ones(1), np.ones(1), np.full(1, 3.0), eps=1.0)
    array([[3.]])
    """
    return gamma * (x - mean) * (1 / np.sqrt(var + eps)) + beta


@dispatched(
    "batchnorm.backward_eval",
    check=_check_backward_eval,
    turns=(IMAGE, IMAGE, PLAIN, PLAIN, PLAIN),
    gives=(IMAGE, PLAIN, PLAIN),
    result=Grads,
)
def backward_eval(dy: NDArray, x: NDArray, gamma: NDArray, mean: NDArray, var: NDArray, *, eps: float) -> Grads:
    """Equations (5), (6), (8): Grads(x, gamma, beta) where mean and var are constants.

    Shapes   dy and x (N, H, W, C) or (N, C), the others (C,) -> Grads of x, (C,), (C,).
    Units    as `backward`.
    Dtypes   float32 or float64, all alike; the gradients have the same.
    Raises   as `forward_eval`; ShapeError where dy is not of x's shape.
    Error    dx: gamma(5) * |gamma| rstd |dy|; dgamma: gamma(m + 5) * sum |dy| |z|;
             dbeta: gamma(m) * sum |dy|, in any backend.

    >>> backward_eval(np.ones((2, 1)), np.ones((2, 1)), np.ones(1), np.zeros(1), np.full(1, 3.0), eps=1.0).gamma
    array([1.])
    """
    axes, rstd = tuple(range(x.ndim - 1)), 1 / np.sqrt(var + eps)
    dgamma = (dy * (x - mean) * rstd).sum(axis=axes)
    return Grads(gamma * rstd * dy, dgamma, dy.sum(axis=axes))


@dispatched("batchnorm.running", check=_check_running, result=Running)
def running(
    running_mean: NDArray,
    running_var: NDArray,
    mean: NDArray,
    var: NDArray,
    *,
    count: int,
    momentum: float,
    unbiased: bool,
) -> Running:
    """Equations (9), (10): the running statistics after a batch; new arrays, nothing is overwritten.

    Shapes   all (C,) -> Running of (C,), (C,).
    Units    `count` is the number of pixels m of the batch; `momentum` the weight of
             the NEW statistic, 0 to 1 (TensorFlow's "decay" is 1 - momentum).
    Dtypes   float32 or float64, all alike; the results have the same.
    Raises   ShapeError; DtypeError; SpecError for a count below 1 or a momentum outside
             [0, 1]; DataError for a variance that is negative or NaN, and for one pixel
             where `unbiased`.
    Error    mean: gamma(4) * ((1 + momentum) |running| + momentum |batch|); var: gamma(6)
             of the same, in any backend.

    >>> zero, one = np.zeros(1), np.ones(1)
    >>> running(zero, zero, one, one, count=2, momentum=0.25, unbiased=True)
    Running(mean=array([0.25]), var=array([0.5]))
    """
    batch = var * (count / (count - 1)) if unbiased else var
    return Running(
        (1 - momentum) * running_mean + momentum * mean,
        (1 - momentum) * running_var + momentum * batch,
    )


def _pixels(x):
    """m: the number of values of each channel."""
    return int(np.prod(x.shape[:-1], dtype=np.int64))
