"""Weights that keep every tensor of order 1, as trained ones do, for any network: `levelled(drawn(net, seed))`.

    E[y^2] = 1 of what a step with weights gives:  w normal, of variance 1 / (fan-in E[x^2])              (1)

with E[x^2] of its input followed from step to step: an activation of a unit normal has its own, a sum has
the sum of both, a gate multiplies.  Batch norm is there to be folded, and multiplies by about 1:

    var in [1/2, 3/2],  gamma = sqrt(var) g, g in [3/4, 5/4],  mean and beta normal of deviation 1/5       (2)

Otherwise 50 layers grow the signal a thousandfold, gates close, and the logits of some images hang on a
few roundings.  (1) takes activations for those of unit normals, which they are not behind sums, gates and means: a few
hundredths too much in each of 16 blocks with swish and gates still make numbers of a hundred, gates between 0 and 1 by
their ten thousandths.  `levelled` measures instead, on one image, from step to step:

    w <- w / sqrt(mean (w x)^2),   over all pixels and channels of the step's result less its bias        (3)

Source: (3) is the second step of Mishkin and Matas 2015, All you need is a good init, arXiv:1511.06422, without its
repetitions: the steps are folded, so one is exact.
"""

from __future__ import annotations

import numpy as np

from ..models import fold
from ..ops import activation

LARGEST = 224
# E[act(x)^2] of a unit normal
_ACTS = {
    "identity": 1.0, "relu": 0.5, "relu6": 0.5, "swish": 0.356, "hard_swish": 0.368, "sigmoid": 0.293, "hard_sigmoid": 0.278,
    "hard_sigmoid_slim": 0.278, "hard_sigmoid_keras": 0.29,
}  # fmt: skip


def drawn(net, seed=0):
    """The network with weights of equations (1) and (2); the same seed gives the same weights."""
    rng = np.random.default_rng(seed)
    state, spreads = net.state(), _spreads(net)
    for key, a in state.items():
        if key.endswith((".mean", ".beta")):
            state[key] = rng.normal(0, 0.2, a.shape).astype(a.dtype)
        elif key.endswith(".gamma"):
            var = rng.uniform(0.5, 1.5, a.shape)
            state[key.removesuffix("gamma") + "var"] = var.astype(a.dtype)
            state[key] = (np.sqrt(var) * rng.uniform(0.75, 1.25, a.shape)).astype(a.dtype)
        elif a.ndim > 1 and key in spreads:
            state[key] = (rng.standard_normal(a.shape) * spreads[key]).astype(a.dtype)
    return net.load(state)


def levelled(net, seed=0):
    """The network with its weights moved by equation (3), for a normal image of its size, at most LARGEST pixels wide."""
    size = min(net.size, LARGEST)
    nodes, state = fold.nodes(net, size), net.state()
    values = {fold.IMAGE: np.random.default_rng(seed).standard_normal((1, size, size, 3), np.float32)}
    for node in nodes:
        y = fold.computed(node, [values[name] for name in node.inputs])
        key = next((key for key in (f"{node.name}.conv.w", f"{node.name}.w") if key in state), None)
        if node.w is not None and key is not None:
            z = y - node.b
            level = np.sqrt(np.mean(np.square(z, dtype=np.float64))) or 1.0  # nothing but zeros
            state[key] = (state[key] / level).astype(state[key].dtype)
            y = (z / level + node.b).astype(np.float32)
        values[node.name] = activation.forward(y, kind=node.act)
    return net.load(state)


def _spreads(net):
    """{array: standard deviation} by equation (1)."""
    sizes, found = {fold.IMAGE: 1.0}, {}
    for node in fold.nodes(net):
        inputs = [sizes[name] for name in node.inputs]
        size = 1.0
        if node.w is not None:
            fan_in = node.w.size / node.w.shape[-1]
            found |= dict.fromkeys((f"{node.name}.conv.w", f"{node.name}.w"), 1 / np.sqrt(fan_in * inputs[0]))
        elif node.op == "scale":
            size = inputs[0] * inputs[1]
        elif node.op == "add":
            size = sum(inputs)
        elif node.op == "concat":
            size = sum(inputs) / len(inputs)
        else:
            size = inputs[0]
        sizes[node.name] = size * _ACTS[node.act]
    return found
