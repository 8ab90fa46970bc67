"""Bounds of batch normalisation; g is the scale, c = x - mean, m pixels.

Training, each from the one before it:

    mean  A = gamma(m) sum |x| / m: m - 1 additions and the division
    c     B = A + gamma(1) (|c| + A)
    var   V = (1 + gamma(m + 1)) D + gamma(m + 1) var,  D = sum (2 |c| B + B^2) / m:
          what B does to the squares; then square, additions, division
    rstd  relative: Q = q / (2 (1 - q)) and two roundings (square root, reciprocal), with
          q = V / (var + eps) + gamma(1) the relative error under the root; where q >= 1
          no digit of var + eps is left, and the bound is infinite
    y     |g| rstd ((1 + R) (A + gamma(4) (|x| + |mean| + A)) + R |c|) + gamma(2) |beta|,
          R = Q + gamma(2) (1 + Q): in the order of the equation, or as x * scale + shift,
          where the terms x and mean are rounded on their own

Evaluation: rstd has three roundings (sum, root, reciprocal), the rest of y four more on
|g| rstd (|x| + |mean|); so gamma(7), and gamma(2) |beta|.  Gradients are sums of products:
the counts stand beside them.
"""

import numpy as np

from .rounding import gamma, lost, sizes


def _statistics(dtype, x, eps):
    """(mean, c, var, rstd) in float64, and the bounds A, V, R of the computed ones."""
    x = np.asarray(x, np.float64)
    axes, m = tuple(range(x.ndim - 1)), x.size // x.shape[-1]
    mean = x.mean(axis=axes)
    c = x - mean
    var = np.square(c).mean(axis=axes)
    A = gamma(m, dtype) * np.abs(x).mean(axis=axes) + lost(1, dtype)
    B = A + gamma(1, dtype) * (np.abs(c) + A)
    D = (2 * np.abs(c) * B + B * B).mean(axis=axes)
    V = (1 + gamma(m + 1, dtype)) * D + gamma(m + 1, dtype) * var + lost(2, dtype)
    q = V / (var + eps) + gamma(1, dtype)
    with np.errstate(divide="ignore"):
        Q = np.where(q < 1, q / (2 * np.maximum(1 - q, 0)), np.inf)
    R = Q + gamma(2, dtype) * (1 + Q)
    return (mean, c, var, 1 / np.sqrt(var + eps)), (A, V, R)


def batchnorm_forward(definition, dtype, x, gamma_, beta, *, eps):
    if x.shape[-1] == 0:
        return np.zeros(x.shape), np.zeros(0), np.zeros(0), np.zeros(0)
    (mean, c, _, rstd), (A, V, R) = _statistics(dtype, x, eps)
    size, g, shift = sizes(x, gamma_, beta)
    centred = A + gamma(4, dtype) * (size + np.abs(mean) + A)
    with np.errstate(invalid="ignore"):
        y = g * rstd * ((1 + R) * centred + R * np.abs(c)) + gamma(2, dtype) * shift + lost(4, dtype)
    y = np.where(np.isinf(R), np.inf, y)
    return y, A, V, rstd * R


def batchnorm_backward(definition, dtype, dy, x, gamma_, mean, rstd):
    """dbeta: m - 1 additions; dgamma: c, two products and the additions.

    dx, its longest term: c, product, additions (m + 1), 1 / m and its product (2), rstd twice (2),
    c and the product (2), the difference (1), rstd and g (2): m + 10.
    """
    axes, m = tuple(range(x.ndim - 1)), x.size // max(x.shape[-1], 1)
    size, g, r = sizes(dy, gamma_, rstd)
    z = np.abs(np.asarray(x, np.float64) - mean) * r
    dbeta, dgamma = size.sum(axis=axes), (size * z).sum(axis=axes)
    dx = g * r * (size + dbeta / max(m, 1) + z * dgamma / max(m, 1))
    return (
        gamma(m + 10, dtype) * dx + lost(4 * (g * r + 1), dtype),
        gamma(m + 2, dtype) * dgamma + lost(2 * m, dtype),
        gamma(m, dtype) * dbeta,
    )


def batchnorm_forward_eval(definition, dtype, x, gamma_, beta, mean, var, *, eps):
    size, g, shift, centre, spread = sizes(x, gamma_, beta, mean, var)
    scale = g / np.sqrt(spread + eps)
    return (gamma(7, dtype) * scale * (size + centre) + gamma(2, dtype) * shift + lost(4 * (scale + 1), dtype),)


def batchnorm_backward_eval(definition, dtype, dy, x, gamma_, mean, var, *, eps):
    """dx: rstd's three and two products; dgamma: rstd's three, c, two products, m - 1 additions."""
    axes, m = tuple(range(x.ndim - 1)), x.size // max(x.shape[-1], 1)
    size, g, spread = sizes(dy, gamma_, var)
    r = 1 / np.sqrt(spread + eps)
    z = np.abs(np.asarray(x, np.float64) - mean) * r
    return (
        gamma(5, dtype) * g * r * size + lost(2 * (g + 1), dtype),
        gamma(m + 5, dtype) * (size * z).sum(axis=axes) + lost(2 * m, dtype),
        gamma(m, dtype) * size.sum(axis=axes),
    )


def batchnorm_running(definition, dtype, running_mean, running_var, mean, var, *, count, momentum, unbiased):
    """Mean: constant, product, addition, and one difference where it is written as
    running + momentum * (batch - running), whose terms are |running| + momentum |batch|.
    Variance: two more, the factor count / (count - 1) and its product."""
    old_mean, old_var, new_mean, new_var = sizes(running_mean, running_var, mean, var)
    factor = count / (count - 1) if unbiased else 1.0
    return (
        gamma(4, dtype) * ((1 + momentum) * old_mean + momentum * new_mean) + lost(3, dtype),
        gamma(6, dtype) * ((1 + momentum) * old_var + momentum * factor * new_var) + lost(4, dtype),
    )
