"""The folded steps as one torch.nn.Module: for networks that nobody published in PyTorch."""

from __future__ import annotations

from ..errors import PeerError
from ..geometry import bins
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
            return self.results(x)[steps[-1].name]

        def results(self, x):
            """{step: its result}, with the image by its name."""
            values = {steps[0].inputs[0]: x}
            for number, step in enumerate(steps):
                weights = getattr(self, f"w{number}", None), getattr(self, f"b{number}", None)
                y = _computed(torch, step, [values[name] for name in step.inputs], *weights)
                values[step.name] = _activated(torch, step.act, y)
            return values

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
    f = torch.nn.functional
    plain = {
        "pool": lambda: x.mean((2, 3)),
        "scale": lambda: x * inputs[1][:, :, None, None],
        "add": lambda: x + inputs[1],
        "act": lambda: x,
        "concat": lambda: torch.cat(inputs, 1),
        "shift": lambda: f.pad(x, (-1, 1, -1, 1)),
        "resize": lambda: f.interpolate(x, step.shape[:2], mode="bilinear"),
        "average_pool": lambda: _averaged(torch, step, x),
        "max_pool": lambda: f.max_pool2d(_padded(torch, step, x, float("-inf")), step.kernel, step.stride),
        "pyramid": lambda: _pyramid(torch, step, x),
        "softmax": lambda: x.softmax(1),
    }
    if step.op not in plain:
        raise PeerError(f"pytorch: no module computes {step.op} at {step.name}")
    return plain[step.op]()


def _padded(torch, step, x, fill=0.0):
    top, bottom, left, right = step.pad
    return torch.nn.functional.pad(x, (left, right, top, bottom), value=fill)


def _averaged(torch, step, x):
    """The sum of a window over its area, or over the pixels of the image in it."""
    mean = torch.nn.functional.avg_pool2d(_padded(torch, step, x), step.kernel, step.stride)
    if step.count_pad or not any(step.pad):
        return mean
    return mean / torch.nn.functional.avg_pool2d(_padded(torch, step, torch.ones_like(x[:1, :1])), step.kernel, step.stride)


def _pyramid(torch, step, x):
    """Level after level, bin after bin, channel after channel."""
    found = []
    for n in step.levels:
        for top, bottom in bins(step.shape_in[0], n):
            found += [x[:, :, top:bottom, a:b].amax((2, 3)) for a, b in bins(step.shape_in[1], n)]
    return torch.cat(found, 1)


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
