"""A float32 run of parts as the implementation that is judged, with faults planted in the parts."""

from dataclasses import replace

import numpy as np

import sound_runs
from refmnas.models import build
from refmnas.verify import parts as made
from refmnas.verify.diagnose import Context, causes
from refmnas.verify.part import IMAGE
from refmnas.verify.segment import Segment, margin


def network(name="mobilenet-v3-small", size=64, seed=0, **options):
    """A network whose activations are of a usual size, and its parts in float64."""
    net = build(name, size=size, classes=40, seed=seed, **options)
    rng = np.random.default_rng(seed)
    for key, value in net.parameters().items():
        last = key.rpartition(".")[2]
        if last == "gamma":
            value[...] = rng.uniform(0.5, 1.5, value.shape)
        elif last in ("beta", "b"):
            value[...] = 0.5 * rng.normal(size=value.shape)
    return net, _calibrated(of(net), image(net, 4, seed + 1))


def _calibrated(parts, x):
    """The parts with running statistics near those of a batch."""
    values, found = {IMAGE: x}, []
    for part in parts:
        if part.op == "batchnorm":
            y = values[part.inputs[0]].astype(np.float64)
            mean, var = y.mean(axis=(0, 1, 2)), y.var(axis=(0, 1, 2))
            arrays = {"mean": 1.1 * mean, "var": 0.8 * var + 0.05 * np.median(var)}
            single = {key: a.astype(np.float32).astype(np.float64) for key, a in arrays.items()}
            part = replace(part, arrays=part.arrays | single)
        found.append(part)
        values[part.name] = run_one(part, [values[name] for name in part.inputs])
    return found


def image(net, batch=2, seed=3):
    return np.random.default_rng(seed).normal(size=(batch, net.size, net.size, 3)).astype(np.float32)


def run(parts, x):
    """{part: float32 result} of the parts as they are; an option "run" stands for the whole part."""
    values = {IMAGE: x}
    for part in parts:
        inputs = [values[name] for name in part.inputs]
        values[part.name] = run_one(part, inputs)
    return values


def run_one(part, inputs):
    made = part.options["run"](*inputs) if "run" in part.options else sound_runs.run(part, inputs)
    return np.asarray(made, np.float32)


def segments(parts, values):
    """One segment for each part."""
    return [Segment(p.name, (p,), {name: values[name] for name in p.inputs}, values[p.name]) for p in parts]


def diagnosed(parts, values, net=None):
    """(causes, names of the failing layers)."""
    every = segments(parts, values)
    failing = [s for s in every if margin(s) > 1]
    return causes(failing, Context(tuple(parts), tuple(every), net)), [s.name for s in failing]


def changed(parts, name, **changes):
    """The parts, one of them changed; `arrays` and `options` are added to its own."""
    found = []
    for part in parts:
        if part.name == name:
            own = {key: getattr(part, key) | changes[key] for key in ("arrays", "options") if key in changes}
            part = replace(part, **(changes | own))
        found.append(part)
    return found


def of(net):
    return made.of_network(net, net.size)
