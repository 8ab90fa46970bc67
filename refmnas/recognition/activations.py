"""Activations in the forms that exporters write them in.

    hard sigmoid   HardSigmoid; relu6(x + 3) by a sixth, or divided by 6
    hard swish     HardSwish; x relu6(x + 3) by a sixth, or divided by 6; x times a hard sigmoid (`parts.joined`)
"""

from __future__ import annotations

import numpy as np

from .parts import Part, Unknown

_SIXTHS = {np.float32(1 / 6): "hard_sigmoid", np.float32(0.16667): "hard_sigmoid_slim"}
_HARD = {(1 / 6, 0.5): "hard_sigmoid", (0.2, 0.5): "hard_sigmoid_keras"}


class Activations:
    """A part of `reduce.Reader`, which has the graph and what was found so far."""

    def __init__(self):
        self.shifted: dict[str, str] = {}  # x + 3, and what relu6 makes of it (then in `clipped`): a hard sigmoid begins
        self.clipped: set[str] = set()
        self.swished: dict[str, str] = {}  # x relu6(x + 3): six times a hard swish

    def take_mul(self, step):
        x, y = step.operands["x"], step.operands["y"]
        if self.is_constant(x) or self.is_constant(y):
            fixed, computed = ("x", y) if self.is_constant(x) else ("y", x)
            if self.shared(step, computed, self.constant(step, fixed)):
                return
            x, number = self.number(step)
            self.sixth(step, x, _SIXTHS.get(np.float32(number or 0)))
            return
        for clipped, whole in ((x, y), (y, x)):
            if clipped in self.clipped and self.shifted[clipped] == self.real(whole):
                self.swished[step.results[0]] = self.real(whole)
                return
        self.add("scale", step, [x, y])

    def take_div(self, step):
        """By 6, as other exporters write a sixth."""
        is_six = self.is_constant(step.operands["y"]) and np.array_equal(self.constant(step, "y").reshape(-1), [6])
        self.sixth(step, step.operands["x"], "hard_sigmoid" if is_six else None)

    def number(self, step):
        """(the operand that is computed, the other one's single number or None)."""
        x, y = step.operands["x"], step.operands["y"]
        x, y = (y, x) if self.is_constant(x) else (x, y)
        array = self.constant(step, "x" if y == step.operands["x"] else "y")
        return x, array.item() if array.size == 1 else None

    def sixth(self, step, x, kind):
        """relu6(x + 3) by a sixth, or that times x."""
        if kind == "hard_sigmoid" and x in self.swished:
            self.parts.append(Part("act", [self.swished[x]], step.results[0], act="hard_swish"))
        elif kind is not None and x in self.clipped:
            self.parts.append(Part("act", [self.shifted[x]], step.results[0], act=kind))
        else:
            raise Unknown
        self.made[step.results[0]] = self.parts[-1]

    def activation(self, step, kind):
        self.add("act", step, [step.operands["x"]], act=kind)

    def take_relu(self, step):
        self.activation(step, "relu")

    def take_sigmoid(self, step):
        self.activation(step, "sigmoid")

    def take_hardswish(self, step):
        self.activation(step, "hard_swish")

    def take_hardsigmoid(self, step):
        numbers = step.attributes["alpha"], step.attributes["beta"]
        kinds = [kind for known, kind in _HARD.items() if np.allclose(known, numbers, rtol=1e-6)]  # float32's rounding
        if not kinds:
            raise Unknown
        self.activation(step, kinds[0])

    def take_clip(self, step):
        low, high = self.constant(step, "low"), self.constant(step, "high")
        if low is None or high is None or (low.item(), high.item()) != (0, 6):
            raise Unknown
        if step.operands["x"] in self.shifted:
            self.shifted[step.results[0]] = self.shifted[step.operands["x"]]
            self.clipped.add(step.results[0])
            return
        self.activation(step, "relu6")
