"""The folded steps as one torch.nn.Module: for networks that nobody published in PyTorch."""

from __future__ import annotations

from ..layout import CONV, DEPTHWISE, LINEAR, POINTWISE, from_nhwc

_LAYOUT = {"conv": CONV, "depthwise": DEPTHWISE, "pointwise": POINTWISE, "linear": LINEAR}


def module(steps):
    """A module of NCHW images; its parameters are the steps' weights in PyTorch's order, batch norm folded."""
    import torch

    class Steps(torch.nn.Module):
        """One step after the other, each result by its name."""

        def __init__(self):
            super().__init__()
            for number, step in enumerate(steps):
                if step.w is not None:
                    w = torch.from_numpy(from_nhwc(_LAYOUT[step.op], step.w).copy())
                    self.register_parameter(f"w{number}", torch.nn.Parameter(w, requires_grad=False))
                    b = torch.nn.Parameter(torch.from_numpy(step.b.copy()), requires_grad=False)
                    self.register_parameter(f"b{number}", b)

        def forward(self, x):
            values = {steps[0].inputs[0]: x}
            for number, step in enumerate(steps):
                weights = getattr(self, f"w{number}", None), getattr(self, f"b{number}", None)
                y = _computed(torch, step, [values[name] for name in step.inputs], *weights)
                values[step.name] = _activated(torch, step.act, y)
            return values[steps[-1].name]

    return Steps().eval()


def _computed(torch, step, inputs, w, b):
    """A step's result before its activation."""
    x = inputs[0]
    if step.op in ("conv", "depthwise", "pointwise"):
        top, bottom, left, right = step.pad
        is_even = top == bottom and left == right
        x = x if is_even else torch.nn.functional.pad(x, (left, right, top, bottom))
        groups = step.w.shape[2] if step.op == "depthwise" else step.groups
        pad = (top, left) if is_even else 0
        return torch.nn.functional.conv2d(x, w, b, stride=step.stride, padding=pad, groups=groups)
    if step.op == "linear":
        return torch.nn.functional.linear(x, w, b)
    if step.op == "pool":
        return x.mean((2, 3))
    return x * inputs[1][:, :, None, None] if step.op == "scale" else x + inputs[1]


def _activated(torch, kind, x):
    f = torch.nn.functional
    kinds = {
        "identity": lambda: x,
        "relu": lambda: f.relu(x),
        "relu6": lambda: f.relu6(x),
        "sigmoid": lambda: torch.sigmoid(x),
        "swish": lambda: f.silu(x),
        "hard_sigmoid": lambda: f.hardsigmoid(x),
        "hard_sigmoid_slim": lambda: f.relu6(x + 3) * 0.16667,
        "hard_sigmoid_keras": lambda: torch.clamp(0.2 * x + 0.5, 0, 1),
        "hard_swish": lambda: f.hardswish(x),
    }
    return kinds[kind]()
