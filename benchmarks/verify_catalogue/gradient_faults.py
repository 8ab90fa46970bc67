"""Faults planted in the gradients of published PyTorch modules: the forward pass stays as it is.

GRADIENT_FAULTS   each plants itself in one module of a network; `change(dy, x, module, grads)` gets the true gradients
                  (of x, then of the parameters) and returns the wrong ones
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional as F

TV2, MNAS, V3, EFF, SEM = "mobilenet_v2", "mnasnet1_0", "mobilenet_v3_large", "efficientnet_b0", "semnasnet_100"


@dataclass(frozen=True)
class GradientFault:
    network: str
    name: str
    code: str
    at: str
    change: Callable
    mode: str = "train"
    prepare: Callable | None = None  # done to what is meant, too

    @property
    def key(self):
        return f"{self.network}: {self.name}"


class _Wrong(torch.autograd.Function):
    @staticmethod
    def forward(ctx, module, change, forward, x, *params):
        ctx.save_for_backward(x.clone())
        ctx.held = module, change, forward, params
        with torch.no_grad():
            return forward(x.clone())

    @staticmethod
    def backward(ctx, dy):
        (x,), (module, change, forward, params) = ctx.saved_tensors, ctx.held
        kept = {name: b.clone() for name, b in module.named_buffers()}
        with torch.enable_grad():
            fed = x.detach().requires_grad_()
            y = forward(fed.clone())
            found = torch.autograd.grad(y, [fed, *params], dy)
        for name, b in module.named_buffers():
            b.copy_(kept[name])
        return (None, None, None, *change(dy, x, module, list(found)))


def plant(model, fault):
    module = dict(model.named_modules())[fault.at]
    true = module.forward
    module.forward = lambda x: _Wrong.apply(module, fault.change, true, x, *module.parameters())


def dx(f):
    return lambda dy, x, m, g: [f(dy, x, m, g[0]), *g[1:]]


def dw(f, at=1):
    return lambda dy, x, m, g: [*g[:at], f(dy, x, m, g[at]), *g[at + 1 :]]


def _conv_dx(dy, x, m, w=None, pad=None, dilation=None):
    pad, dilation = m.padding if pad is None else pad, m.dilation if dilation is None else dilation
    w = m.weight.detach() if w is None else w
    return torch.nn.grad.conv2d_input(x.shape, w.contiguous(), dy, m.stride, pad, dilation, m.groups)


def _moved(dy, x, m, g):
    """The gradient written one pixel further, as a wrong phase does."""
    (p, _), (_, _, H, W) = m.padding, x.shape
    wide = torch.nn.grad.conv2d_input(
        (*x.shape[:2], H + 2 * p, W + 2 * p), m.weight.detach(), dy, m.stride, 0, m.dilation, m.groups
    )
    return wide[:, :, p - 1 : p - 1 + H, p - 1 : p - 1 + W].contiguous()


def _norm(dy, x, m, *, mean=True, var=True, unbiased=False, running=False, eps=None):
    d = (0, 2, 3)
    n, eps = x.numel() // x.shape[1], m.eps if eps is None else eps
    x, dy = x.double(), dy.double()
    mu, v = (m.running_mean, m.running_var) if running else (x.mean(d), x.var(d, unbiased=unbiased))
    mu, r = mu.double()[:, None, None], (v.double() + eps).rsqrt()[:, None, None]
    z = (x - mu) * r
    inner = dy
    if mean:
        inner = inner - dy.sum(d, keepdim=True) / n
    if var:
        inner = inner - z * (dy * z).sum(d, keepdim=True) / n
    return (m.weight.detach()[:, None, None].double() * r * inner).float()


def _scaled(g, squared):
    """The gradient times the roots, in float64: a module may hold an activation behind its batch norm."""
    return (g.double() * squared.double().sqrt()[:, None, None]).float()


def _kink(at, slope):
    """A slope of `slope` more where x is exactly at a kink."""
    return lambda dy, x, m, g: g + slope * dy * (x == at)


def _exactly(norm, value):
    """Some channels of a batch norm give exactly that value."""

    def prepare(model):
        bn = dict(model.named_modules())[norm]
        with torch.no_grad():
            bn.weight[:3], bn.bias[:3] = 0, value

    return prepare


def _slope(f):
    def of(dy, x, m, g):
        with torch.enable_grad():
            fed = x.detach().requires_grad_()
            return torch.autograd.grad(f(fed), fed, dy)[0]

    return of


def _one(dy, x, m, g):
    g = g.clone()
    g.view(-1)[g.numel() // 3] += 0.05 * g.abs().max()
    return g


def _half(g):
    return g.half().float()


BN, DW2, DW1 = "features.3.conv.0.1", "features.2.conv.1.0", "features.3.conv.1.0"
GRADIENT_FAULTS = tuple(
    GradientFault(*row)
    for row in (
        (TV2, "mean term of BN dropped", "GRAD-BN-MEAN", BN, dx(lambda dy, x, m, g: _norm(dy, x, m, mean=False))),
        (TV2, "variance term of BN dropped", "GRAD-BN-VAR", BN, dx(lambda dy, x, m, g: _norm(dy, x, m, var=False))),
        (MNAS, "statistics taken for constants", "BN-STATS", "layers.1",
         dx(lambda dy, x, m, g: _norm(dy, x, m, mean=False, var=False))),
        (MNAS, "unbiased variance", "BN-VAR", "layers.8.1.layers.7", dx(lambda dy, x, m, g: _norm(dy, x, m, unbiased=True))),
        (V3, "running statistics backward", "BN-STATS", "features.4.block.0.1",
         dx(lambda dy, x, m, g: _norm(dy, x, m, mean=False, var=False, running=True))),
        (SEM, "eps of BN", "BN-EPS", "bn1",
         dx(lambda dy, x, m, g: _scaled(g, (m.running_var + m.eps) / (m.running_var + 1e-3))), "eval"),
        (TV2, "stride 2 depthwise, phase", "STRIDE-PHASE", DW2, dx(_moved)),
        (TV2, "depthwise dx, taps flipped", "GRAD-FLIP", DW1,
         dx(lambda dy, x, m, g: _conv_dx(dy, x, m, m.weight.detach().flip(2, 3)))),
        (TV2, "depthwise dw flipped", "GRAD-FLIP", DW1, dw(lambda dy, x, m, g: g.flip(2, 3).contiguous()), "eval"),
        (MNAS, "depthwise dw transposed", "LAYOUT-WEIGHT", "layers.8.1.layers.3",
         dw(lambda dy, x, m, g: g.transpose(2, 3).contiguous())),
        (MNAS, "depthwise dx transposed taps", "LAYOUT-WEIGHT", "layers.8.1.layers.3",
         dx(lambda dy, x, m, g: _conv_dx(dy, x, m, m.weight.detach().transpose(2, 3)))),
        (MNAS, "depthwise dx moved by a pixel", "PAD", "layers.8.1.layers.3", dx(_moved), "eval"),
        (V3, "depthwise dilated backward", "DILATION", "features.6.block.1.0",
         dx(lambda dy, x, m, g: _conv_dx(dy, x, m, pad=(4, 4), dilation=(2, 2)))),
        (V3, "bias gradient missing", "GRAD-MISSING", "classifier.3", dw(lambda dy, x, m, g: torch.zeros_like(g), 2), "eval"),
        (V3, "bias gradient averaged", "GRAD-SUM", "classifier.3", dw(lambda dy, x, m, g: g / 2, 2), "eval"),
        (TV2, "weight gradient accumulated twice", "GRAD-SUM", "features.5.conv.2", dw(lambda dy, x, m, g: 2 * g)),
        (EFF, "weight gradient in float16", "PREC-FP16", "features.1.0.block.0.0", dw(lambda dy, x, m, g: _half(g))),
        (EFF, "input gradient in float16", "PREC-FP16", "features.2.0.block.0.0", dx(lambda dy, x, m, g: _half(g))),
        (TV2, "one wrong element", "TILE", "features.2.conv.0.0", dx(_one)),
        (SEM, "gamma's gradient missing", "GRAD-MISSING", "bn1", dw(lambda dy, x, m, g: torch.zeros_like(g)), "eval"),
        (TV2, "relu6 slope of relu", "ACT-KIND", "features.2.conv.0.2", dx(_slope(F.relu)), "train"),
        (TV2, "relu6 passes at 6", "KINK", "features.2.conv.0.2", dx(_kink(6, 1)), "train", _exactly("features.2.conv.0.1", 6)),
        (TV2, "relu6 passes at 0", "KINK", "features.2.conv.0.2", dx(_kink(0, 1)), "eval", _exactly("features.2.conv.0.1", 0)),
        (MNAS, "half of relu's slope at 0", "KINK", "layers.2", dx(_kink(0, 0.5)), "train", _exactly("layers.1", 0)),
        (V3, "hard-swish's inner slope at 3", "KINK", "features.0.2", dx(_kink(3, 0.5)), "eval", _exactly("features.0.1", 3)),
        (V3, "hard-swish's inner slope at -3", "KINK", "features.0.2", dx(_kink(-3, -0.5)), "train",
         _exactly("features.0.1", -3)),
        (EFF, "gate's slope of hard-sigmoid", "SE-GATE", "features.2.0.block.2.scale_activation", dx(_slope(F.hardsigmoid))),
        (V3, "squeeze's relu slope left out", "SE-ACT", "features.4.block.2.activation", dx(lambda dy, x, m, g: dy)),
        (V3, "pool not divided", "POOL", "features.4.block.2.avgpool", dx(lambda dy, x, m, g: g * x.shape[2] * x.shape[3])),
        (V3, "second way of SE dropped", "GRAD-SE-PATH", "features.4.block.2.avgpool",
         dx(lambda dy, x, m, g: torch.zeros_like(g))),
        (EFF, "first way of SE dropped", "GRAD-SE-PATH", "features.2.0.block.2",
         dx(lambda dy, x, m, g: g - dy * m.scale_activation(m.fc2(m.activation(m.fc1(m.avgpool(x))))).detach())),
        (TV2, "residual's gradient missing", "RES-MISSING", "features.3",
         dx(lambda dy, x, m, g: g - dy), "eval"),
        (TV2, "residual's gradient doubled", "GRAD-SUM", "features.3", dx(lambda dy, x, m, g: g + dy), "eval"),
    )
)  # fmt: skip
