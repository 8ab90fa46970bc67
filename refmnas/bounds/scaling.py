"""Bounds of the ops that scale: pool, gate, dropout, drop-path.

Each is gamma(n) times the op on absolute values:

    pool.forward       H*W - 1 additions, then the division; or 1 / (H*W) rounded and a product,
                       perhaps of each term, all of which can then underflow
    pool.backward      1 / (H*W) rounded, and a product
    gate               one product; dg has H*W of them to a sum
    dropout, drop_path 1 - rate, the reciprocal, the product (a mask of 0 and 1 rounds nothing)
"""

from .rounding import gamma, lost, sizes


def pool_forward(definition, dtype, x):
    return (gamma(x.shape[1] * x.shape[2] + 1, dtype) * definition(*sizes(x)) + lost(x.shape[1] * x.shape[2] + 1, dtype),)


def pool_backward(definition, dtype, dy, x):
    return (gamma(2, dtype) * definition(*sizes(dy, x))[0] + lost(2, dtype),)


def gate_forward(definition, dtype, x, g):
    return (gamma(1, dtype) * definition(*sizes(x, g)) + lost(1, dtype),)


def gate_backward(definition, dtype, dy, x, g):
    dx, dg = definition(*sizes(dy, x, g))
    pixels = x.shape[1] * x.shape[2]
    return gamma(1, dtype) * dx + lost(1, dtype), gamma(pixels, dtype) * dg + lost(pixels, dtype)


def dropout_forward(definition, dtype, x, mask, *, rate):
    return (gamma(3, dtype) * definition(*sizes(x, mask), rate=rate) + lost(1, dtype),)


def dropout_backward(definition, dtype, dy, x, mask, *, rate):
    return (gamma(3, dtype) * definition(*sizes(dy, x, mask), rate=rate)[0] + lost(1, dtype),)


drop_path_forward = dropout_forward
drop_path_backward = dropout_backward
