"""What a float32 runtime may deviate in one step: the bound of the step alone, from the runtime's own input of it.

    before the activation   refmnas.bounds.allowed: gamma(n + 1) (|b| + sum |w||x|), E
    after it                L E, L the activation's steepest slope, and what the activation adds:
        identity, relu, relu6   L = 1, nothing
        sigmoid                 L = 1/4, gamma(14): refmnas.bounds' S, of 1 and not of the value, since
                                runtimes take rational functions whose error is absolute
        swish                   L = 1.1, gamma(15) (|v| + E), likewise
        hard kinds              L <= 1/4 (hard-swish 1.5), gamma(3) (|v| + 3) L for the argument's own
                                roundings and gamma(4) of the result, at most 1 + |v|

    average_pool            refmnas.bounds.allowed
    resize                  the weights' own rounding to float32, 1 each, and two products of a matrix of as many
                            terms as the image has rows, and columns: gamma(H + W + 2) of the op on |x|
    max_pool, pyramid, concat, shift, act   nothing is rounded

y is the value in float64, v what the activation is of.
"""

import numpy as np

from refmnas.bounds import allowed, gamma
from refmnas.models import fold
from refmnas.ops import activation, average_pool, conv, depthwise, gate, linear, pointwise, pool

_OPS = {"conv": conv, "depthwise": depthwise, "pointwise": pointwise, "linear": linear, "pool": pool, "scale": gate}
_EXACT = ("act", "concat", "max_pool", "shift", "pyramid")
_SLOPE = {"identity": 1, "relu": 1, "relu6": 1, "sigmoid": 0.25, "swish": 1.1, "hard_swish": 1.5}
SMALLEST = 2.0**-126  # runtimes may flush what lies below


def by_step(steps, tensors):
    """{step: its NHWC result} of NCHW tensors by name, where the last step is called logits."""
    found = {}
    for step in steps:
        a = np.moveaxis(tensors["logits" if step is steps[-1] else step.name], 1, -1)
        found[step.name] = a.reshape(len(a), *step.shape)
    return found


def worst(steps, results):
    """The largest error over bound of any step, and its name; `results` are a runtime's own, NHWC, by name."""
    margins = {step.name: _margin(step, results) for step in steps}
    name = max(margins, key=margins.get)
    return margins[name], name


def _margin(step, results):
    inputs = [np.asarray(results[name], np.float64) for name in step.inputs]
    y, bound = _before(step, inputs)
    want, bound = activation.forward(y, kind=step.act), _after(step.act, y, bound) + SMALLEST
    got = results[step.name]
    assert got.shape == want.shape, (step.name, got.shape, want.shape)
    error = np.abs(got - want)
    return float(np.max(error / bound)) if np.isfinite(got).all() else np.inf


def _before(step, inputs):
    """(value in float64, bound) of the op alone."""
    if step.op == "add":
        return inputs[0] + inputs[1], gamma(1) * (np.abs(inputs[0]) + np.abs(inputs[1]))
    if step.op in _EXACT:
        return fold.computed(step, inputs), 0.0
    if step.op == "resize":
        terms = sum(step.shape_in[:2]) + 2
        return fold.computed(step, inputs), gamma(terms) * fold.computed(step, [np.abs(inputs[0])])
    if step.op == "average_pool":
        options = {"kernel": (step.kernel,) * 2, "stride": step.stride, "pad": step.pad, "count_pad": step.count_pad}
        bound = allowed("average_pool.forward", inputs, options, np.float32, average_pool.forward)[0]
        return fold.computed(step, inputs), bound
    options = {"stride": step.stride, "pad": step.pad} if step.op in ("conv", "depthwise") else {}
    options |= {"groups": step.groups} if step.op == "conv" else {}
    arrays = inputs if step.w is None else [*inputs, step.w.astype(np.float64), step.b.astype(np.float64)]
    op = _OPS[step.op]
    bound = allowed(f"{op.__name__.rpartition('.')[2]}.forward", arrays, options, np.float32, op.forward)[0]
    return op.forward(*arrays, **options), bound


def _after(kind, y, bound):
    size = np.abs(y) + bound
    if kind == "sigmoid":
        return 0.25 * bound + gamma(14)
    if kind == "swish":
        return 1.1 * bound + gamma(15) * size
    if kind.startswith("hard"):
        slope = _SLOPE.get(kind, 0.25)
        return slope * (bound + gamma(3) * (size + 3)) + gamma(4) * (1 + size)
    return bound


def reference(steps, x):
    """The results in float64 of the same float32 weights and image."""
    double = [fold.replace(n, w=_double(n.w), b=_double(n.b)) for n in steps]
    return fold.evaluate(double, x.astype(np.float64))


def _double(a):
    return None if a is None else a.astype(np.float64)
