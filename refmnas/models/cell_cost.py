"""The cost rows of a network of cells: of its layers, with zeros for weights, which take no memory."""

from __future__ import annotations

import math

import numpy as np

from . import assemble, plan


def rows(spec, dialect, size=None):
    """(name, kind, shape, parameters, multiply-adds) of every layer with weights, a batch norm with the layer before it.

    The norm behind a factorised reduction belongs to two convolutions, and has a row of its own.
    """
    size = plan.sides(spec.size if size is None else size)
    layers = assemble.network(spec, dialect, dtype=np.float32, size=size)
    weights = {name.removesuffix(".w"): p.value.size for name, p in layers.named_params() if name.endswith(".w")}
    found: list[tuple] = []
    before = ""
    for step in layers.steps((*size, 3)):
        if step.kind == "batch norm" and found and found[-1][0] == before:
            name, kind, shape, parameters, macs = found.pop()
            found.append((name, kind, shape, parameters + step.parameters, macs))
        elif step.parameters:
            pixels = math.prod(step.shape[:-1])
            found.append((step.name, step.kind, step.shape, step.parameters, pixels * weights.get(step.name, 0)))
        before = step.name
    return found
