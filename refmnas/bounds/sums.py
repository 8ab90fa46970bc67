"""Bounds of the ops that are sums of products: convolutions and the dense layer.

The bound is gamma(n) times the op's own value on absolute values, n the number of
roundings that a term can meet: its product and the additions after it; one more
for the bias.  Each product can also underflow once; additions cannot.
"""

from .rounding import gamma, lost, sizes


def _forward(definition, dtype, n, x, w, b, options):
    """gamma(n + 1) * (|b| + sum |x| |w|), n products to a sum."""
    return (gamma(n + 1, dtype) * definition(*sizes(x, w, b), **options) + lost(n, dtype),)


def _backward(definition, dtype, n, pixels, dy, x, w, options):
    """dx: gamma(n) * sum |dy| |w|; dw and db: gamma(pixels) * sum |dy| |x|, sum |dy|."""
    dx, dw, db = definition(*sizes(dy, x, w), **options)
    g, h = gamma(n, dtype), gamma(pixels, dtype)
    return g * dx + lost(n, dtype), h * dw + lost(pixels, dtype), h * db


def _pixels(dy):
    return dy.size // max(dy.shape[-1], 1)


def conv_forward(definition, dtype, x, w, b, **options):
    Kh, Kw, F, _ = w.shape
    return _forward(definition, dtype, Kh * Kw * F, x, w, b, options)


def conv_backward(definition, dtype, dy, x, w, *, groups=1, **options):
    Kh, Kw, _, D = w.shape
    options = options | {"groups": groups}
    return _backward(definition, dtype, Kh * Kw * (D // groups), _pixels(dy), dy, x, w, options)


def depthwise_forward(definition, dtype, x, w, b, **options):
    return _forward(definition, dtype, w.shape[0] * w.shape[1], x, w, b, options)


def depthwise_backward(definition, dtype, dy, x, w, **options):
    return _backward(definition, dtype, w.shape[0] * w.shape[1], _pixels(dy), dy, x, w, options)


def pointwise_forward(definition, dtype, x, w, b):
    return _forward(definition, dtype, w.shape[0], x, w, b, {})


def pointwise_backward(definition, dtype, dy, x, w):
    return _backward(definition, dtype, w.shape[1], _pixels(dy), dy, x, w, {})


linear_forward = pointwise_forward
linear_backward = pointwise_backward
