"""The engine's contract as a slow program: the order of csrc/engine.h, in NumPy, one rounding at a time.

It shares nothing with the engine but the folded nodes: no blocks, no panels, no fusion.

    convolution   one chain of multiply-adds from the bias: kernel row, kernel column, input channel
    mean          within a row one chain of additions from 0, then the rows' sums from 0,
                  then times float32(1 / (H * W))
    activation    the formulas of csrc/f32_engine_act.inc.h, each operation rounded once
"""

from functools import reduce

import numpy as np
from multiply_add import fma

from refmnas.models.fold import IMAGE

F = np.float32


def run(nodes, x):
    """Every result by name."""
    values = {IMAGE: x}
    for node in nodes:
        y = RESULT[node.op](node, *(values[name] for name in node.inputs))
        values[node.name] = activated(node.act, y)
    return values


def _window(node, x):
    """The image with its zeros around, and a view of it for every tap."""
    top, bottom, left, right = node.pad
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)))
    (P, Q), (S, Z) = node.shape[:2], node.strides
    for i in range(node.kernel):
        for j in range(node.kernel):
            yield i, j, padded[:, i : i + (P - 1) * S + 1 : S, j : j + (Q - 1) * Z + 1 : Z]


def conv(node, x):
    """Output channel d of group g sums over input channels g * depth .. (g + 1) * depth - 1."""
    total = np.broadcast_to(node.b, (len(x), *node.shape)).astype(F)
    depth, group = node.w.shape[2], np.arange(node.shape[2]) // (node.shape[2] // node.groups)
    for i, j, seen in _window(node, x):
        for c in range(depth):
            total = fma(seen[..., group * depth + c], node.w[i, j, c], total)
    return total


def depthwise(node, x):
    total = np.broadcast_to(node.b, (len(x), *node.shape)).astype(F)
    for i, j, seen in _window(node, x):
        total = fma(seen, node.w[i, j], total)
    return total


def dense(node, x):
    """Pointwise and linear."""
    total = np.broadcast_to(node.b, (*x.shape[:-1], len(node.b))).astype(F)
    for c in range(x.shape[-1]):
        total = fma(x[..., c : c + 1], node.w[c], total)
    return total


def pool(node, x):
    _, H, W, _ = x.shape
    total = np.zeros((len(x), x.shape[3]), F)
    for r in range(H):
        row = np.zeros_like(total)
        for s in range(W):
            row = row + x[:, r, s]
        total = total + row
    return total * (F(1) / F(H * W))


def window(node, x):
    """Of the taps inside the image: the largest, or the sum by kernel row and column times float32(1 / their number)."""
    H, W, _ = x.shape[1:]
    top, _, left, _ = node.pad
    y = np.empty((len(x), *node.shape), F)
    for p, q in np.ndindex(node.shape[:2]):
        r, s = p * node.strides[0] - top, q * node.strides[1] - left
        taps = [x[:, r + i, s + j] for i in range(node.kernel) for j in range(node.kernel) if 0 <= r + i < H and 0 <= s + j < W]
        if node.op == "max_pool":
            y[:, p, q] = reduce(lambda most, tap: np.where(most > tap, most, tap), taps)
        else:
            count = node.kernel**2 if node.count_pad else len(taps)
            y[:, p, q] = reduce(lambda total, tap: total + tap, taps, np.zeros_like(taps[0])) * (F(1) / F(count))
    return y


def softmax(node, x):
    """e^(x - max x) in float32; the sum by class and the quotient in float64, rounded once."""
    e = exp(x - x.max(axis=1, keepdims=True)).astype(np.float64)
    total = np.zeros(len(x))
    for k in range(x.shape[1]):
        total = total + e[:, k]
    return (e / total[:, None]).astype(F)


def shift(node, x):
    return np.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)))[:, 1:, 1:]


RESULT = {
    "conv": conv, "depthwise": depthwise, "pointwise": dense, "linear": dense, "pool": pool,
    "scale": lambda node, x, g: x * g[:, None, None, :], "add": lambda node, x, z: x + z,
    "average_pool": window, "max_pool": window, "shift": shift, "act": lambda node, x: x,
    "concat": lambda node, *xs: np.concatenate(xs, -1), "softmax": softmax,
}  # fmt: skip


def exp(t):
    """e^t by the polynomial: its numbers stand in csrc/f32_engine_act.inc.h."""
    h = lambda text: F(float.fromhex(text))  # noqa: E731
    t = np.asarray(t, F)
    t = np.maximum(np.minimum(t, F(89)), F(-87))
    shifted = fma(t, h("0x1.715476p+0"), h("0x1.8p+23"))
    n = shifted - h("0x1.8p+23")
    r = fma(n, h("-0x1.7f7d1cp-20"), fma(n, h("-0x1.62e4p-1"), t))
    p = h("0x1.6a23cep-10")
    for number in ("0x1.123a2p-7", "0x1.5558f2p-5", "0x1.555492p-3", "0x1.fffffcp-2", "1", "1"):
        p = fma(p, r, h(number))
    with np.errstate(over="ignore"):  # 2^128 is infinite
        return p * np.exp2(n.astype(np.float64)).astype(F)


def _clip(x, low, high):
    return np.minimum(np.maximum(x, F(low)), F(high))


ACTS = {
    "identity": lambda x: x,
    "relu": lambda x: np.maximum(x, F(0)),
    "relu6": lambda x: _clip(x, 0, 6),
    "swish": lambda x: x / (F(1) + exp(-x)),
    "sigmoid": lambda x: F(1) / (F(1) + exp(-x)),
    "hard_sigmoid": lambda x: _clip(x + F(3), 0, 6) / F(6),
    "hard_swish": lambda x: x * _clip(x + F(3), 0, 6) / F(6),
    "hard_sigmoid_slim": lambda x: _clip(x + F(3), 0, 6) * F(0.16667),
    "hard_sigmoid_keras": lambda x: _clip(x * F(0.2) + F(0.5), 0, 1),
}


def activated(kind, x):
    return ACTS[kind](x)
