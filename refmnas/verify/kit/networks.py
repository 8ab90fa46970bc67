"""A small network as a chain of problems: every step with its input, weights and expected value.

A step's input is the float32 rounding of what the steps before it are expected to give, so that
each is judged on its own.  An activation is a step of its own.  Weights are drawn like all values
of a kit, scaled by a power of two so that sums keep their size; the structure is the network's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...cases.base import values
from ...errors import SpecError
from ...models import build, fold
from ..callables.problem import Problem
from . import rounded

_OPTIONS = {
    "conv": ("stride", "pad", "groups"), "depthwise": ("stride", "pad"), "pointwise": (), "linear": (), "pool": (),
    "scale": (), "concat": (), "average_pool": ("kernel", "stride", "pad", "count_pad"),
    "max_pool": ("kernel", "stride", "pad"),
}  # fmt: skip
_NAMES = {"scale": "gate"}


@dataclass(frozen=True, eq=False)
class Step(Problem):
    """One step of a network: its arrays are given, not drawn."""

    given: tuple = ()
    settings: tuple = ()

    @cached_property
    def ours(self):
        """{name: array}, NHWC."""
        return dict(self.given)

    @property
    def options(self):
        """The keyword options of the call."""
        return dict(self.settings)

    @property
    def is_exact(self):
        """Reals: never."""
        return False


def steps(name, size, width):
    """[(name, Step)] of a network, in order of computation."""
    nodes = fold.nodes(build(name, width=width, classes=10), size)
    known = {fold.IMAGE: _drawn((1, size, size, 3), 1)}
    found = []
    for number, node in enumerate(nodes):
        step = _step(name, node, [known[key] for key in node.inputs], number)
        known[node.name] = step if isinstance(step, np.ndarray) else _answer(step)
        if isinstance(step, Step):
            found.append((f"{name}.{node.name}", step))
        if node.act != "identity":
            given = (("x", known[node.name].reshape(len(known[node.name]), -1)),)
            step = Step("activation.forward", f"{name}.{node.name} {node.act}", "reals", given=given,
                        settings=(("kind", node.act),))  # fmt: skip
            known[node.name] = _answer(step).reshape(known[node.name].shape)
            found.append((f"{name}.{node.name}.act", step))
    return found


def _step(network, node, inputs, number):
    """A Step; or the sum itself, which no op of ours is."""
    if node.op == "add":
        return inputs[0] + inputs[1]
    if node.op == "act":
        return inputs[0]
    if node.op not in _OPTIONS:
        raise SpecError(f"kit: {network} has a step {node.op!r}, wanted of {', '.join(_OPTIONS)}, act and add")
    function = f"{_NAMES.get(node.op, node.op)}.forward"
    names = [p for p in _parameters(function) if p not in ("w", "b") or node.op == "concat"]
    given = dict(zip(names, inputs, strict=False))
    if node.w is not None:
        taps = node.w.size // node.w.shape[-1]
        given["w"] = np.ldexp(_drawn(node.w.shape, 2 * number + 2), -(int(np.frexp(taps)[1]) // 2) + 1)
        given["b"] = np.ldexp(_drawn(node.b.shape, 2 * number + 3), -2)
    settings = {key: getattr(node, key) for key in _OPTIONS[node.op]}
    if "kernel" in settings:
        settings["kernel"] = (node.kernel,) * 2
    return Step(function, f"{network}.{node.name}", "reals", given=tuple(given.items()), settings=tuple(settings.items()))


def _parameters(function):
    from ...cases import prove

    return prove.takes(function)


def _drawn(shape, seed):
    return values(shape, seed, "reals").astype(np.float32)


def _answer(step):
    """What the step is expected to give, rounded to float32."""
    y = rounded.definition(step.function)(*step.ours.values(), **step.options)
    return y.astype(np.float32)
