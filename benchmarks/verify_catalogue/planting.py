"""How a fault is planted: a module's forward is wrapped, or its arrays are changed.

Each planter takes the module and returns nothing, or a function that changes the image that
the implementation is fed (the one that was meant stays).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as f


@dataclass(frozen=True)
class Fault:
    """One planted fault and the code that names it."""

    name: str
    code: str
    network: str
    plant: Callable
    prepare: Callable | None = None  # changes the network that is meant

    @property
    def key(self):
        return f"{self.network}: {self.name}"


def wrap(m, made):
    """m.forward becomes made(old forward, its arguments)."""
    old = m.forward
    m.forward = lambda *a, **k: made(old, *a, **k)


def after(select, change):
    """y becomes change(y) behind each module."""

    def plant(net):
        for m in select(net):
            wrap(m, lambda old, *a: change(old(*a)))

    return plant


def before(select, change):
    def plant(net):
        for m in select(net):
            wrap(m, lambda old, x: old(change(x)))

    return plant


def instead(select, change):
    """y = change(module, x)."""

    def plant(net):
        for m in select(net):
            m.forward = lambda x, m=m: change(m, x)

    return plant


def arrays(select, change):
    """change(module) works on the arrays in place."""

    def plant(net):
        with torch.no_grad():
            for m in select(net):
                change(m)

    return plant


def fed(change):
    return lambda net: change


def conv_padded(pads, mode="constant", value=0.0):
    """The convolution behind pads(module, x) = (left, right, top, bottom)."""

    def run(m, x):
        x = f.pad(x, pads(m, x), mode=mode, **({"value": value} if mode == "constant" else {}))
        return f.conv2d(x, m.weight, m.bias, m.stride, 0, m.dilation, m.groups)

    return run


def _same(m, x, lower=False):
    found = []
    for extent, k, s in ((x.shape[3], m.kernel_size[1], m.stride[1]), (x.shape[2], m.kernel_size[0], m.stride[0])):
        total = max((-(-extent // s) - 1) * s + k - extent, 0)
        small, large = total // 2, total - total // 2
        found += [large, small] if lower else [small, large]
    return found


def upper(m, x):
    return _same(m, x)


def lower(m, x):
    return _same(m, x, True)


def symmetric(m, x):
    return [m.padding[1]] * 2 + [m.padding[0]] * 2


def phase(m, x):
    """Stride 1, then every other pixel from the second on."""
    y = f.conv2d(x, m.weight, m.bias, 1, m.padding, m.dilation, m.groups)
    y = torch.roll(y, (-1, 0), (2, 3))
    return y[:, :, :: m.stride[0], :: m.stride[1]].contiguous()


def dilated(m, x):
    k = m.kernel_size[0]
    return f.conv2d(x, m.weight, m.bias, m.stride, 2 * (k // 2), 2, m.groups)


def train_norm(m, x):
    """Batch norm by the batch's own statistics, and its activation where it has one inside."""
    y = f.batch_norm(x, None, None, m.weight, m.bias, True, 0.0, m.eps)
    return m.act(m.drop(y)) if hasattr(m, "act") else y


def rounded(kind):
    """The operands in another precision, float32 sums."""

    def low(a):
        if kind == "tf32":
            return (a.contiguous().view(torch.int32) & ~0x1FFF).view(torch.float32)  # truncated
        return a.to({"fp16": torch.float16, "bf16": torch.bfloat16}[kind]).float()

    def run(m, x):
        w = low(m.weight)
        if isinstance(m, torch.nn.Linear):
            return f.linear(low(x), w, m.bias)
        return f.conv2d(low(x), w, m.bias, m.stride, m.padding, m.dilation, m.groups)

    return run


def flushed(a):
    return torch.where(a.abs() < 2.0**-126, torch.zeros_like(a), a)


def no_scale(se, x):
    return x


def swap(first, second, key="weight"):
    """Two arrays of one shape exchanged."""
    a, b = getattr(first, key), getattr(second, key)
    assert a.shape == b.shape, (a.shape, b.shape)
    with torch.no_grad():
        kept = a.clone()
        a.copy_(b)
        b.copy_(kept)


def swap_equal(select, key="weight"):
    """The first two arrays of one shape among the modules."""

    def plant(net):
        seen = {}
        for m in select(net):
            shape = tuple(getattr(m, key).shape)
            if shape in seen:
                swap(seen[shape], m, key)
                return
            seen[shape] = m
        raise AssertionError("no two of one shape")

    return plant


def exchanged(w, axis, i, j):
    order = list(range(w.shape[axis]))
    order[i], order[j] = order[j], order[i]
    w.copy_(w.index_select(axis, torch.tensor(order)))


def drop_mask(p):
    def run(x):
        g = torch.Generator().manual_seed(7)
        return x * (torch.rand(x.shape, generator=g) >= p) / (1 - p)

    return run


def residual_block(change):
    """A block whose sum is change(block's own result without the sum, x)."""

    def plant_on(select):
        def plant(net):
            for m in select(net):
                inner = (
                    m.conv
                    if hasattr(m, "conv")
                    else m.block
                    if hasattr(m, "block")
                    else m.layers
                    if hasattr(m, "layers")
                    else None
                )
                if inner is not None:
                    m.forward = lambda x, inner=inner: change(inner(x), x)
                else:  # timm's keeps its parts apart
                    m.has_skip = False
                    wrap(m, lambda old, x: change(old(x), x))

        return plant

    return plant_on
