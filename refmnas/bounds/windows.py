"""Bounds of the pools over windows, of resize and of concat.

    average_pool   a sum of at most Kh*Kw terms, and a division; or 1 / m rounded and a
                   product: gamma(Kh*Kw + 1) of the op on absolute values, either way
    max_pool       nothing is rounded forward; backward sums the windows that overlap,
                   gamma(Kh*Kw - 1) of the gradients of |dy|, the maxima those of x itself
    resize         a weight of either axis (two roundings each, from an exact place), their
                   products with x, and the sums of two: gamma(8) forward; backward P*Q terms
                   at most to a sum: gamma(P*Q + 6); nearest forward rounds nothing
    concat         nothing
"""

import numpy as np

from .rounding import gamma, lost, sizes


def average_pool_forward(definition, dtype, x, *, kernel, **options):
    taps = kernel[0] * kernel[1]
    return (gamma(taps + 1, dtype) * definition(*sizes(x), kernel=kernel, **options) + lost(taps + 1, dtype),)


def average_pool_backward(definition, dtype, dy, x, *, kernel, **options):
    taps = kernel[0] * kernel[1]
    dx = definition(*sizes(dy, x), kernel=kernel, **options)[0]
    return (gamma(taps + 1, dtype) * dx + lost(2 * taps, dtype),)


def max_pool_forward(definition, dtype, x, **options):
    return (np.zeros(definition(x, **options).shape),)


def max_pool_backward(definition, dtype, dy, x, *, kernel, **options):
    dx = definition(*sizes(dy), x, kernel=kernel, **options)[0]
    return (gamma(kernel[0] * kernel[1] - 1, dtype) * dx,)


def resize_forward(definition, dtype, x, *, mode="bilinear", **options):
    y = definition(*sizes(x), mode=mode, **options)
    return (np.zeros(y.shape) if mode == "nearest" else gamma(8, dtype) * y + lost(8, dtype),)


def resize_backward(definition, dtype, dy, x, *, size, **options):
    dx = definition(*sizes(dy, x), size=size, **options)[0]
    terms = size[0] * size[1]
    return (gamma(terms + 6, dtype) * dx + lost(2 * terms, dtype),)


def concat_forward(definition, dtype, a, b):
    return (np.zeros((*a.shape[:-1], a.shape[-1] + b.shape[-1])),)


def concat_backward(definition, dtype, dy, a, b):
    return np.zeros(a.shape), np.zeros(b.shape)
