"""A stretch of folded steps in float64, each with a bound of what float32 may deviate from it.

Given are results that float32 really produced, taken as exact; from there on

    sums      gamma(n + 1) (|b| + sum |w| (|x| + e)) + sum |w| e,  e the bound of x      (1)
    mean      gamma(H W + 1) mean(|x| + e) + mean(e), also of a window's K K pixels
    largest   the largest e of the window; moved and put together: e likewise
    product   (1 + u) (|x| + e) (|g| + f) - |x| |g|;   sum: u (|x| + |z| + e + f) + e + f
    kinds     the largest slope times e, and for the smooth and hard ones gamma(16) times the
              size: at most 15 roundings, counted in refmnas.bounds.activation

(1) holds for any order of the sum (Higham, lemma 3.1): the bound knows nothing of the
engine's.
"""

from dataclasses import replace

import numpy as np

from refmnas.bounds import UNIT, gamma, lost
from refmnas.models.fold import computed
from refmnas.ops import activation

U, F = UNIT[np.dtype(np.float32)], np.float32
# The largest size of each kind's derivative; swish's and hard-swish's are 1.0998 and 1.5.
SLOPE = {"swish": 1.1, "hard_swish": 1.5, "sigmoid": 0.25}


def follow(nodes, values, errors):
    """Add every node's value and bound to the two dicts; inputs must be there, in float64."""
    for node in map(_double, nodes):
        x = [values[name] for name in node.inputs]
        e = [errors[name] for name in node.inputs]
        y = computed(node, x)
        values[node.name] = activation.forward(y, kind=node.act)
        errors[node.name] = _through(node.act, y, _bound(node, y, x, e))


def _double(node):
    return node if node.w is None else replace(node, w=node.w.astype(np.float64), b=node.b.astype(np.float64))


def _bound(node, y, x, e):
    if node.op == "pool":
        pixels = x[0].shape[1] * x[0].shape[2]
        return gamma(pixels + 1) * (np.abs(x[0]) + e[0]).mean(axis=(1, 2)) + e[0].mean(axis=(1, 2))
    if node.op == "average_pool":
        return gamma(node.kernel**2 + 1) * computed(node, [np.abs(x[0]) + e[0]]) + computed(node, e)
    if node.op in ("max_pool", "shift", "act", "concat"):
        return computed(node, e)
    if node.op == "scale":
        g, f = np.abs(x[1])[:, None, None, :], e[1][:, None, None, :]
        return (1 + U) * (np.abs(x[0]) + e[0]) * (g + f) - np.abs(x[0]) * g + lost(1, F)
    if node.op == "add":
        return U * (np.abs(x[0]) + np.abs(x[1]) + e[0] + e[1]) + e[0] + e[1]
    sizes = replace(node, w=np.abs(node.w), b=np.abs(node.b))
    carried = replace(sizes, b=np.zeros_like(node.b))
    terms = node.w.size // node.w.shape[-1]
    return gamma(terms + 1) * computed(sizes, [np.abs(x[0]) + e[0]]) + computed(carried, e) + lost(terms, F)


def _through(kind, y, e):
    if kind in ("identity", "relu", "relu6"):
        return e
    size = np.abs(y) + e if kind in ("swish", "hard_swish") else 1.0
    return SLOPE.get(kind, 0.2) * e + gamma(16) * size + lost(16, F)
