"""A float32 run of parts in NumPy: an implementation to be judged, that faults can be planted in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...blocks.nasnet import Shift
from ...layers import PyramidPool
from ...models import build
from ..diagnose import Context, causes
from ..follow import numpy
from ..part import IMAGE, WEIGHED
from ..parts import of_network
from ..segment import Segment, margin

_MOVES = {"shift": Shift, "pyramid": PyramidPool}


def run(parts, x):
    """{part: float32 result}; a part whose options hold "run" is computed by that function of its inputs."""
    values = {IMAGE: x}
    for part in parts:
        values[part.name] = single(part, *[values[name] for name in part.inputs])
    return values


def single(part, *inputs, text=numpy):
    """One part in float32; text(op) is the function that computes an op."""
    if "run" in part.options:
        return np.asarray(part.options["run"](*inputs), np.float32)
    arrays = {key: a.astype(np.float32) for key, a in part.arrays.items()}
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(_computed(part, inputs, arrays, text), np.float32)


def _computed(part, inputs, arrays, text):
    if part.op in WEIGHED:
        return text(part.op)(inputs[0], arrays["w"], arrays.get("b"), **part.options)
    if part.op == "batchnorm":
        r = arrays["gamma"] / np.sqrt(arrays["var"] + np.float32(part.options["eps"]))
        return (inputs[0] - arrays["mean"]) * r + arrays["beta"]
    if part.op == "act":
        return text("activation")(inputs[0], **part.options)
    if part.op == "concat":
        return np.concatenate(inputs, axis=-1)
    if part.op in _MOVES:
        return _MOVES[part.op](**part.options).forward(np.ascontiguousarray(inputs[0]))
    if part.op == "add":
        return sum(inputs[1:], inputs[0])
    if part.op == "scale":
        return inputs[0] * inputs[1][:, None, None, :]
    return text(part.op)(inputs[0], **part.options)


def example(name="mobilenet-v3-small", size=64, dialect="torchvision", seed=0):
    """(network, its parts, an image): batch norm's arrays are drawn so that activations are of a usual size.

    >>> net, parts, x = example()
    >>> x.shape, len(parts)
    ((2, 64, 64, 3), 155)
    """
    net = build(name, size=size, classes=40, seed=seed, dialect=dialect)
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, size, size, 3)).astype(np.float32)
    values, found = {IMAGE: x[:, ::-1].copy()}, []
    for part in of_network(net, size):
        found.append(_drawn(part, [values[name] for name in part.inputs], rng))
        values[part.name] = single(found[-1], *[values[name] for name in part.inputs])
    return net, found, x


def _drawn(part, inputs, rng):
    """The part with biases and batch norm's arrays near those that training would have given."""
    arrays = {}
    if part.op == "batchnorm":
        y = inputs[0].astype(np.float64)
        mean, var = y.mean(axis=(0, 1, 2)), y.var(axis=(0, 1, 2))
        arrays = {"gamma": rng.uniform(0.5, 1.5, len(mean)), "beta": 0.5 * rng.normal(size=len(mean)), "mean": 1.1 * mean}
        arrays["var"] = rng.uniform(0.7, 1.2, len(mean)) * var + 0.05 * np.median(var)
    elif "b" in part.arrays:
        arrays = {"b": 0.5 * rng.normal(size=part.arrays["b"].shape)}
    single = {key: a.astype(np.float32).astype(np.float64) for key, a in arrays.items()}
    return replace(part, arrays=part.arrays | single)


def diagnosed(parts, values, net=None):
    """(names of the parts whose margin is above 1, the causes): every part on its own."""
    every = [Segment(p.name, (p,), {name: values[name] for name in p.inputs}, values[p.name]) for p in parts]
    failing = [segment for segment in every if margin(segment) > 1]
    return [segment.name for segment in failing], causes(failing, Context(tuple(parts), tuple(every), net))
