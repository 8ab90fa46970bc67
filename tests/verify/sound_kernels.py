"""Float32 kernels without a fault, in any order of summation: none may ever be accused.

`sums(order)` -> {function: kernel}.  A kernel lists its terms, (T, ...) each of two factors, and
adds them up in the order; `fused` and `wide` do so in other arithmetic that the bound covers too.
"""

import numpy as np
from kernels_by_hand import F, taps


def forward(terms, start):
    for a, b in terms:
        start = start + a * b
    return start


def backward(terms, start):
    return forward(terms[::-1], start)


def shuffled(terms, start):
    order = np.random.default_rng(len(terms)).permutation(len(terms))
    return forward([terms[k] for k in order], start)


def bias_last(terms, start):
    return forward(terms, np.zeros_like(start)) + start


def pairwise(terms, start):
    parts = [a * b for a, b in terms]
    while len(parts) > 1:
        parts = [parts[k] + parts[k + 1] if k + 1 < len(parts) else parts[k] for k in range(0, len(parts), 2)]
    return start + parts[0] if parts else start


def blocked(terms, start):
    """Eight accumulators, as a vector of eight lanes has them."""
    lanes = [forward(terms[k::8], F(0)) for k in range(min(8, len(terms)))]
    return forward([(lane, F(1)) for lane in lanes], start)


def fused(terms, start):
    """One rounding per multiply-add: the product of two float32 is exact in float64."""
    y = start
    for a, b in terms:
        y = (a.astype(np.float64) * np.float64(b) + y).astype(F)
    return y


def wide(terms, start):
    """Summed in float64, rounded once."""
    y = start.astype(np.float64)
    for a, b in terms:
        y = y + a.astype(np.float64) * np.float64(b)
    return y.astype(F)


ORDERS = (forward, backward, shuffled, bias_last, pairwise, blocked, fused, wide)


def sums(order):
    """{function: kernel that adds up in this order}."""

    def depthwise(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1):
        terms = [(part, w[i, j]) for i, j, part in taps(x, w.shape[:2], stride, pad, dilation)]
        return order(terms, _start(terms[0][0].shape, b))

    def conv(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1, groups=1):
        D, f = w.shape[3], w.shape[2]
        parts = []
        for g in range(groups):
            own = slice(g * D // groups, (g + 1) * D // groups)
            terms = [
                (part[..., c : c + 1], w[i, j, c, own])
                for i, j, part in taps(x[..., g * f : (g + 1) * f], w.shape[:2], stride, pad, dilation)
                for c in range(f)
            ]
            parts.append(order(terms, _start((*terms[0][0].shape[:3], D // groups), None if b is None else b[own])))
        return np.concatenate(parts, axis=3)

    def pointwise(x, w, b=None):
        return order([(x[..., c : c + 1], w[c]) for c in range(len(w))], _start((*x.shape[:-1], w.shape[1]), b))

    def pointwise_backward(dy, x, w):
        rows, given = dy.reshape(-1, dy.shape[-1]), x.reshape(-1, x.shape[-1])
        dx = order([(rows[:, d : d + 1], w[:, d]) for d in range(w.shape[1])], np.zeros(given.shape, F))
        dw = order([(given[k][:, None], rows[k]) for k in range(len(rows))], np.zeros(w.shape, F))
        db = order([(rows[k], F(1)) for k in range(len(rows))], np.zeros(w.shape[1], F))
        return dx.reshape(x.shape), dw, db

    def pool(x):
        H, W = x.shape[1:3]
        terms = [(x[:, h, v], F(1)) for h in range(H) for v in range(W)]
        return order(terms, np.zeros((x.shape[0], x.shape[3]), F)) / F(H * W)

    def pool_by_products(x):
        H, W = x.shape[1:3]
        terms = [(x[:, h, v], F(1) / F(H * W)) for h in range(H) for v in range(W)]
        return order(terms, np.zeros((x.shape[0], x.shape[3]), F))

    def gate_backward(dy, x, g):
        H, W = x.shape[1:3]
        dg = order([(dy[:, h, v], x[:, h, v]) for h in range(H) for v in range(W)], np.zeros(g.shape, F))
        return dy * g[:, None, None, :], dg

    return (
        ("depthwise.forward", depthwise), ("conv.forward", conv), ("pointwise.forward", pointwise),
        ("linear.forward", pointwise), ("pointwise.backward", pointwise_backward), ("linear.backward", pointwise_backward),
        ("pool.forward", pool), ("pool.forward", pool_by_products), ("gate.backward", gate_backward),
    )  # fmt: skip


def _start(shape, b):
    return np.zeros(shape, F) if b is None else np.broadcast_to(b, shape).copy()
