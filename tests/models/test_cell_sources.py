"""ENAS's and NASNet-A's CIFAR networks against their sources' own procedures, step by step and bit for bit.

What follows reads the published arcs and lists in the sources' own order and calls ops
alone; of the product it takes the arrays, by name.  Both compute the same sums in the same
order, so that nothing but equality is to be expected.
"""

from dataclasses import replace

import numpy as np
import pytest

from refmnas.geometry import same_pad
from refmnas.models import build, zoo
from refmnas.ops import average_pool, batchnorm, conv, depthwise, max_pool, pointwise, pool
from refmnas.ops import linear as dense


class Source:
    """The primitives that both sources call."""

    def __init__(self, net):
        self.arrays, self.eps = net.state(), net.dialect.bn_eps

    def norm(self, x, name):
        arrays = [self.arrays[f"{name}.{key}"] for key in ("gamma", "beta", "mean", "var")]
        return batchnorm.forward_eval(x, *arrays, eps=self.eps)

    def mixed(self, x, name, stride=1):
        return self.norm(pointwise.forward(x[:, ::stride, ::stride], self.arrays[f"{name}.conv.w"]), f"{name}.bn")

    def factorised(self, x, name):
        """Zeros below and on the right, cut above and on the left: the other half of the pixels."""
        moved = np.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)))[:, 1:, 1:]
        halves = [pointwise.forward(a[:, ::2, ::2], self.arrays[f"{name}.path_{k}.w"]) for k, a in ((1, x), (2, moved))]
        return self.norm(np.concatenate(halves, axis=3), f"{name}.bn")

    def separable(self, x, name, kernel, stride):
        for number, step in ((1, stride), (2, 1)):
            pad = same_pad(x.shape[1], kernel, step) + same_pad(x.shape[2], kernel, step)
            x = depthwise.forward(relu(x), self.arrays[f"{name}.depthwise{number}.w"], stride=step, pad=pad)
            x = self.norm(pointwise.forward(x, self.arrays[f"{name}.pointwise{number}.w"]), f"{name}.bn{number}")
        return x

    def pooled(self, op, x, stride):
        pad = same_pad(x.shape[1], 3, stride) + same_pad(x.shape[2], 3, stride)
        return op.forward(x, kernel=(3, 3), stride=stride, pad=pad)

    def stem(self, image):
        return self.norm(conv.forward(image, self.arrays["stem.conv.w"], pad=(1, 1, 1, 1)), "stem.bn")

    def logits(self, x):
        return dense.forward(pool.forward(relu(x)), self.arrays["head.dense.w"], self.arrays.get("head.dense.b"))


def relu(x):
    return np.maximum(x, 0)


def names(repeats):
    """(name, whether it reduces) in order."""
    for stage in range(3):
        if stage:
            yield f"reduction_{stage - 1}", True
        yield from ((f"cell_{stage * repeats + k}", False) for k in range(repeats))


def enas(net, image):
    """micro_child.py, _model and _fixed_layer."""
    s, filters = Source(net), net.spec.filters
    arcs = [[int(word) for word in arc.split()] for arc in (zoo.enas.NORMAL, zoo.enas.REDUCTION)]
    layers = [s.stem(image)] * 2
    for name, reduces in names(net.spec.repeats):
        filters *= 1 + reduces
        x, y = layers
        if x.shape[1] != y.shape[1]:
            x = s.factorised(relu(x), f"{name}.h1")
        elif x.shape[3] != filters:
            x = s.mixed(relu(x), f"{name}.h1")
        if y.shape[3] != filters:
            y = s.mixed(relu(y), f"{name}.align")
        states, used, arc = [x, s.mixed(relu(y), f"{name}.h0")], set(), arcs[reduces]
        for k in range(5):
            parts = []
            for side, at in (("left", 4 * k), ("right", 4 * k + 2)):
                state, operation = arc[at : at + 2]
                used.add(state)
                stride = 1 + (reduces and state < 2)
                parts.append(enas_operation(s, operation, states[state], f"{name}.h{k + 2}_{side}", stride))
            states.append(parts[0] + parts[1])
        layers = [layers[1], np.concatenate([h for k, h in enumerate(states) if k not in used], axis=3)]
    return s.logits(layers[1])


def enas_operation(s, operation, x, name, stride):
    if operation < 2:
        return s.separable(x, name, 3 + 2 * operation, stride)
    if operation < 4:
        return s.pooled(average_pool if operation == 2 else max_pool, x, stride)
    return s.factorised(x, f"{name}.reduce") if stride > 1 else x


# nasnet_utils.py: operations, hiddenstate_indices and used_hiddenstates of both cells
SLIM = {
    False: (
        ["s5", "s3", "s5", "s3", "a", "none", "a", "a", "s3", "none"],
        [0, 1, 1, 1, 0, 1, 1, 1, 0, 0],
        [1, 0, 0, 0, 0, 0, 0],
    ),
    True: (
        ["s5", "s7", "m", "s7", "a", "s5", "none", "a", "s3", "m"],
        [0, 1, 0, 1, 0, 1, 3, 2, 2, 0],
        [1, 1, 1, 0, 0, 0, 0],
    ),
}


def slim(net, image):
    """nasnet.py, _build_nasnet_base, and nasnet_utils.py, NasNetABaseCell, of the CIFAR stem."""
    s, filters = Source(net), net.spec.filters
    outputs = [None, s.stem(image)]
    for name, reduces in names(net.spec.repeats):
        filters *= 1 + reduces
        now, before = outputs[-1], outputs[-2]
        if before is None:
            before = now
        elif before.shape[2] != now.shape[2]:
            before = s.factorised(relu(before), f"{name}.h1")
        elif before.shape[3] != filters:
            before = s.mixed(relu(before), f"{name}.h1")
        states = [s.mixed(relu(now), f"{name}.h0"), before]
        operations, indices, used = SLIM[reduces]
        for k in range(5):
            sides = []
            for side, at in (("left", 2 * k), ("right", 2 * k + 1)):
                stride = 1 + (reduces and indices[at] < 2)
                sides.append(slim_operation(s, operations[at], states[indices[at]], f"{name}.h{k + 2}_{side}", stride, filters))
            states.append(sides[0] + sides[1])
        for k, is_used in enumerate(used):
            if not is_used and states[k].shape[3] != filters:
                states[k] = s.mixed(states[k], f"{name}.h{k}_end")
        outputs.append(np.concatenate([h for h, is_used in zip(states, used, strict=True) if not is_used], axis=3))
    return s.logits(outputs[-1])


def slim_operation(s, operation, x, name, stride, filters):
    if operation[0] == "s":
        return s.separable(x, name, int(operation[1]), stride)
    if operation == "none":
        return s.mixed(relu(x), name, stride) if stride > 1 or x.shape[3] != filters else x
    y = s.pooled(average_pool if operation == "a" else max_pool, x, stride)
    return y if x.shape[3] == filters else s.mixed(y, name)


@pytest.mark.parametrize(("name", "source"), [("enas-micro", enas), ("nasnet-a-cifar", slim)])
@pytest.mark.parametrize("size", [8, 11])
def test_the_network_is_its_sources_procedure(name, source, size):
    spec = replace(zoo.get(name), filters=4, repeats=2, head=replace(zoo.get(name).head, classes=3), size=size)
    net = build(spec, dtype=np.float64)
    rng = np.random.default_rng(size)
    state = net.state()
    for key, a in state.items():
        if not key.endswith(".w"):
            state[key] = rng.uniform(0.5, 1.5, a.shape) if key.endswith((".gamma", ".var")) else rng.normal(0, 0.3, a.shape)
    net.load(state)
    image = rng.standard_normal((2, size, size, 3))
    y = net.forward(image)
    assert np.isfinite(y).all()
    assert np.ptp(y, axis=0).min() > 0  # the two images have logits of their own
    assert np.array_equal(y, source(net, image))
