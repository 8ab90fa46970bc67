"""Weights that keep every tensor of order 1, as trained ones do, for any network: `drawn(net, seed)`.

    E[y^2] = 1 of what a step with weights gives:  w normal, of variance 1 / (fan-in E[x^2])              (1)

with E[x^2] of its input followed from step to step: an activation of a unit normal has its own, a sum has
the sum of both, a gate multiplies.  Batch norm is there to be folded, and multiplies by about 1:

    var in [1/2, 3/2],  gamma = sqrt(var) g, g in [3/4, 5/4],  mean and beta normal of deviation 1/5       (2)

Otherwise 50 layers grow the signal a thousandfold, gates close, and the logits of some images hang on a
few roundings.
"""

from __future__ import annotations

import numpy as np

from ..models import fold

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
