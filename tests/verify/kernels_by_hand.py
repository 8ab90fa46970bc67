"""Kernels as users write them: taps in float32, NHWC; right ones, to be made wrong in one place."""

import numpy as np

F = np.float32


def padded(x, pad, value=0.0):
    top, bottom, left, right = pad
    return np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=F(value))


def taps(x, kernel, stride, pad, dilation=1, value=0.0):
    """(i, j, the N x P x Q x C values that the tap meets)."""
    x, (Kh, Kw) = padded(x, pad, value), kernel
    P = (x.shape[1] - (Kh - 1) * dilation - 1) // stride + 1
    Q = (x.shape[2] - (Kw - 1) * dilation - 1) // stride + 1
    for i in range(Kh):
        for j in range(Kw):
            r, s = i * dilation, j * dilation
            yield i, j, x[:, r : r + stride * (P - 1) + 1 : stride, s : s + stride * (Q - 1) + 1 : stride]


def depthwise(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1):
    y = None
    for i, j, part in taps(x, w.shape[:2], stride, pad, dilation):
        y = part * w[i, j] if y is None else y + part * w[i, j]
    return y if b is None else y + b


def depthwise_backward(dy, x, w, *, stride=1, pad=(0, 0, 0, 0), dilation=1):
    (top, _, left, _), (H, W), (P, Q) = pad, x.shape[1:3], dy.shape[1:3]
    shape = padded(x, pad).shape
    dx, dw = np.zeros(shape, F), np.zeros_like(w)
    for i, j, part in taps(x, w.shape[:2], stride, pad, dilation):
        r, s = i * dilation, j * dilation
        dx[:, r : r + stride * (P - 1) + 1 : stride, s : s + stride * (Q - 1) + 1 : stride] += dy * w[i, j]
        dw[i, j] = (dy * part).sum(axis=(0, 1, 2))
    return dx[:, top : top + H, left : left + W].copy(), dw, dy.sum(axis=(0, 1, 2))


def conv(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1, groups=1):
    D, f = w.shape[3], w.shape[2]
    parts = []
    for g in range(groups):
        own = slice(g * D // groups, (g + 1) * D // groups)
        y = 0
        for i, j, part in taps(x[..., g * f : (g + 1) * f], w.shape[:2], stride, pad, dilation):
            y = y + part @ w[i, j, :, own]
        parts.append(y)
    y = np.concatenate(parts, axis=3)
    return y if b is None else y + b


def pointwise(x, w, b=None):
    y = x @ w
    return y if b is None else y + b


def pointwise_backward(dy, x, w):
    rows, given = dy.reshape(-1, dy.shape[3]), x.reshape(-1, x.shape[3])
    return (rows @ w.T).reshape(x.shape), given.T @ rows, rows.sum(axis=0)


def batchnorm(x, gamma, beta, *, eps):
    axes = tuple(range(x.ndim - 1))
    mean = x.mean(axis=axes)
    var = np.square(x - mean).mean(axis=axes)
    rstd = 1 / np.sqrt(var + F(eps))
    return gamma * (x - mean) * rstd + beta, mean, var, rstd


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def pool(x):
    return x.mean(axis=(1, 2))
