"""The catalogue: which fault is planted in which network, and the code that is true of it."""

from __future__ import annotations

import torch
import torch.nn.functional as f

from . import choose as c
from . import planting as p
from .planting import Fault

V3, V2, B1, E0 = "mobilenet_v3_large", "mobilenet_v2", "mnasnet1_0", "efficientnet_b0"
A1, V3T, LITE = "semnasnet_100", "mobilenetv3_large_100", "efficientnet_lite0"


def _select(find, at="all", **options):
    return lambda net: find(net, at, **options)


def _channels(order):
    return p.fed(lambda x: x[:, order].contiguous())


def _scaled(mean, std):
    """The image normalised by other constants than ImageNet's."""
    was_mean, was_std = (torch.tensor(v)[:, None, None] for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    mean, std = (torch.tensor(v)[:, None, None] for v in (mean, std))
    return p.fed(lambda x: ((x * was_std + was_mean) - mean) / std)


def _resized(x):
    """Down and up again, bilinear: another resize kernel than the one meant."""
    small = f.interpolate(x, scale_factor=0.9, mode="bilinear", antialias=False)
    return f.interpolate(small, size=x.shape[2:], mode="bilinear", antialias=False)


WINDOWS = [
    ("SAME on all strided", "PAD-SAME", V3, p.instead(_select(c.convs, strided=True), p.conv_padded(p.upper))),
    ("SAME on all strided", "PAD-SAME", V2, p.instead(_select(c.convs, strided=True), p.conv_padded(p.upper))),
    ("SAME on all strided", "PAD-SAME", A1, p.instead(_select(c.convs, strided=True), p.conv_padded(p.upper))),
    ("SAME in one 5x5", "PAD-SAME", E0, p.instead(_select(c.convs, 1, strided=True, kernel=5), p.conv_padded(p.upper))),
    ("SAME in one 3x3", "PAD-SAME", LITE, p.instead(_select(c.convs, 1, strided=True), p.conv_padded(p.upper))),
    (
        "edge replicated in one",
        "PAD-VALUE",
        V2,
        p.instead(_select(c.convs, 3, depthwise=True), p.conv_padded(p.symmetric, "replicate")),
    ),
    (
        "border of 0.5 in one",
        "PAD-VALUE",
        A1,
        p.instead(_select(c.convs, 4, depthwise=True), p.conv_padded(p.symmetric, value=0.5)),
    ),
    ("reflected in the stem", "PAD-VALUE", E0, p.instead(_select(c.convs, 0), p.conv_padded(p.symmetric, "reflect"))),
    (
        "pads (2, 0, 2, 0)",
        "PAD",
        B1,
        p.instead(
            _select(c.convs, 2, depthwise=True, strided=False),
            p.conv_padded(lambda m, x: [2 * m.padding[1], 0, 2 * m.padding[0], 0]),
        ),
    ),
    ("subsampled from row 1", "STRIDE-PHASE", V2, p.instead(_select(c.convs, 2, strided=True), p.phase)),
    ("subsampled from row 1", "STRIDE-PHASE", V3T, p.instead(_select(c.convs, 1, strided=True), p.phase)),
    ("dilation 2", "DILATION", V3, p.instead(_select(c.convs, 3, depthwise=True, strided=False), p.dilated)),
    ("dilation 2", "DILATION", LITE, p.instead(_select(c.convs, 5, depthwise=True, strided=False), p.dilated)),
]
NORMS = [
    ("eps 1e-5 in all", "BN-EPS", V3, p.arrays(_select(c.norms), lambda m: setattr(m, "eps", 1e-5))),
    ("eps 1e-3 in all", "BN-EPS", V2, p.arrays(_select(c.norms), lambda m: setattr(m, "eps", 1e-3))),
    ("eps 1e-3 in one", "BN-EPS", B1, p.arrays(_select(c.norms, 20), lambda m: setattr(m, "eps", 1e-3))),
    ("eps 2e-5 in one", "BN-EPS", A1, p.arrays(_select(c.norms, 7), lambda m: setattr(m, "eps", 2e-5))),
    ("eps 0 in one", "BN-EPS", E0, p.arrays(_select(c.norms, 11), lambda m: setattr(m, "eps", 0.0))),
    ("batch statistics in one", "BN-STATS", V2, p.instead(_select(c.norms, 4), p.train_norm)),
    ("batch statistics in all", "BN-STATS", B1, p.instead(_select(c.norms), p.train_norm)),
    ("batch statistics in one", "BN-STATS", V3T, p.instead(_select(c.norms, 9), p.train_norm)),
    ("biased variance in all", "BN-VAR", V3, p.arrays(_select(c.norms), lambda m: m.running_var.mul_(48 / 49))),
    ("std for variance in one", "BN-VAR", LITE, p.arrays(_select(c.norms, 6), lambda m: m.running_var.sqrt_())),
    ("biased variance in one", "BN-VAR", A1, p.arrays(_select(c.norms, 15), lambda m: m.running_var.mul_(195 / 196))),
    ("no beta in one", "BN-BETA", E0, p.arrays(_select(c.norms, 8), lambda m: m.bias.zero_())),
    ("no gamma in one", "BN-BETA", V2, p.arrays(_select(c.norms, 12), lambda m: m.weight.fill_(1))),
    ("no mean in one", "BN-FOLD", B1, p.arrays(_select(c.norms, 10), lambda m: m.running_mean.zero_())),
    ("no bias in the last layer", "BIAS-MISSING", V3, p.arrays(_select(c.linears, -1), lambda m: m.bias.zero_())),
    ("no bias in a squeeze", "BIAS-MISSING", E0, p.arrays(_select(c.convs, 3, bias=True), lambda m: m.bias.zero_())),
    ("bias twice in the last layer", "BIAS-MISSING", V2, p.arrays(_select(c.linears, -1), lambda m: m.bias.mul_(2))),
    ("swapped betas", "WEIGHT-SWAP", LITE, lambda net: p.swap_equal(_select(c.norms), "bias")(net)),
]


def _gate(change):
    return _part("scale_activation", lambda old, x: change(x))


def _part(part, change, at="all"):
    """A part of squeeze modules becomes change(its old forward, x)."""
    return lambda net: [p.wrap(c.se_part(se, part), change) for se in c.squeezes(net, at)]


def _squeeze_input(change, at):
    """Squeeze from change(x), scale x itself."""

    def plant(net):
        for se in c.squeezes(net, at):
            parts = [c.se_part(se, k) for k in ("fc1", "activation", "fc2", "scale_activation")]

            def run(x, parts=parts):
                s = change(x)
                for part in parts:
                    s = part(s)
                return x * s

            se.forward = run

    return plant


def _narrow_mean(at):
    """Squeeze from the upper half of the rows."""
    return _squeeze_input(lambda x: x[:, :, : x.shape[2] // 2].mean((2, 3), keepdim=True), at)


def _narrow(se):
    """Only the first three quarters of the squeezed channels take part."""
    fc2 = c.se_part(se, "fc2")
    kept = fc2.weight.shape[1] * 3 // 4
    p.wrap(c.se_part(se, "activation"), lambda old, x: torch.cat([old(x)[:, :kept], torch.zeros_like(x[:, kept:])], 1))


BLOCKS = [
    ("sigmoid for the hard gate", "SE-GATE", V3, _gate(torch.sigmoid)),
    ("Keras' gate", "SE-GATE", V3T, _gate(lambda x: (0.2 * x + 0.5).clamp(0, 1))),
    ("0.16667 in the gate", "SE-GATE", V3, _gate(lambda x: f.relu6(x + 3) * 0.16667)),
    ("hard gate for sigmoid", "SE-GATE", A1, _gate(f.hardsigmoid)),
    ("no gate function", "SE-GATE", E0, _gate(lambda x: x)),
    ("swish in the squeeze", "SE-ACT", V3, _part("activation", lambda old, x: f.silu(x))),
    ("ReLU in the squeeze", "SE-ACT", E0, _part("activation", lambda old, x: f.relu(x))),
    ("no activation in one squeeze", "SE-ACT", A1, _part("activation", lambda old, x: x, 2)),
    ("three quarters of the width", "SE-WIDTH", V3, lambda net: [_narrow(se) for se in c.squeezes(net, 3)]),
    ("maximum for mean", "SE-SQUEEZE", A1, _squeeze_input(lambda x: x.amax((2, 3), keepdim=True), 1)),
    (
        "mean over the batch",
        "SE-SQUEEZE",
        E0,
        _squeeze_input(lambda x: x.mean((0, 2, 3), keepdim=True).expand(len(x), -1, 1, 1), 4),
    ),
    (
        "mean over H W + 1",
        "POOL",
        V3T,
        _squeeze_input(lambda x: x.sum((2, 3), keepdim=True) / (x.shape[2] * x.shape[3] + 1), 2),
    ),
    ("no scaling in one", "SE-MISSING", V3, p.instead(_select(c.squeezes, 2), p.no_scale)),
    ("no scaling at all", "SE-MISSING", E0, p.instead(_select(c.squeezes), p.no_scale)),
    ("ReLU for ReLU6", "ACT-KIND", V2, p.instead(_select(c.acts), lambda m, x: f.relu(x))),
    ("ReLU6 for ReLU", "ACT-KIND", B1, p.instead(_select(c.acts), lambda m, x: f.relu6(x))),
    (
        "swish for hard-swish",
        "ACT-KIND",
        V3,
        lambda net: [setattr(m, "forward", f.silu) for m in c.acts(net) if isinstance(m, torch.nn.Hardswish)],
    ),
    ("hard-swish for swish in one", "ACT-KIND", E0, p.instead(_select(c.acts, 5), lambda m, x: f.hardswish(x))),
    ("leaky ReLU in one", "ACT-KIND", A1, p.instead(_select(c.acts, 9), lambda m, x: f.leaky_relu(x, 0.01))),
    ("no activation in one", "ACT-MISSING", V2, p.instead(_select(c.acts, 6), lambda m, x: x)),
    ("no activation in the stem", "ACT-MISSING", V3, p.instead(_select(c.acts, 0), lambda m, x: x)),
    ("ReLU6 after one projection", "ACT-EXTRA", V2, p.after(_select(c.norms, 8), lambda y: f.relu6(y))),
    ("ReLU after all sums", "ACT-EXTRA", A1, p.after(_select(c.blocks, skip=True), lambda y: f.relu(y))),
    ("ReLU on the logits", "ACT-EXTRA", E0, p.after(_select(c.linears, -1), lambda y: f.relu(y))),
    ("sum left out in all", "RES-MISSING", V2, p.residual_block(lambda y, x: y)(_select(c.blocks, skip=True))),
    ("sum left out in one", "RES-MISSING", V3, p.residual_block(lambda y, x: y)(_select(c.blocks, 2, skip=True))),
    ("sum left out in one", "RES-MISSING", A1, p.residual_block(lambda y, x: y)(_select(c.blocks, 3, skip=True))),
    ("added twice in one", "RES-EXTRA", B1, p.residual_block(lambda y, x: y + 2 * x)(_select(c.blocks, 2, skip=True))),
    ("added twice in one", "RES-EXTRA", E0, p.residual_block(lambda y, x: y + 2 * x)(_select(c.blocks, 1, skip=True))),
    ("wrong pooled count", "POOL", V2, p.before(_select(c.linears, -1), lambda x: x * (9 / 10))),
]
IMAGES = [
    ("BGR", "PRE-CHANNELS", V3, _channels([2, 1, 0])),
    ("BGR", "PRE-CHANNELS", LITE, _channels([2, 1, 0])),
    ("mirrored", "PRE-CHANNELS", V2, p.fed(lambda x: x.flip(3))),
    ("rows for columns", "PRE-CHANNELS", A1, p.fed(lambda x: x.transpose(2, 3).contiguous())),
    ("mean 127 std 128", "PRE-SCALE", E0, _scaled((0.498,) * 3, (0.502,) * 3)),
    ("0..255", "PRE-SCALE", B1, _scaled((0.0,) * 3, (1 / 255,) * 3)),
    ("variance for std", "PRE-SCALE", V3T, _scaled((0.485, 0.456, 0.406), (0.0524, 0.0502, 0.0506))),
    ("resized otherwise", "PRE-RESIZE", V2, p.fed(_resized)),
    ("resized otherwise", "PRE-RESIZE", V3, p.fed(_resized)),
]
PRECISIONS = [
    ("fp16 in one 1x1", "PREC-FP16", V3, p.instead(_select(c.pointwise, 3), p.rounded("fp16"))),
    ("fp16 output of one", "PREC-FP16", V2, p.after(_select(c.pointwise, 5), lambda y: y.half().float())),
    ("fp16 in the stem", "PREC-FP16", E0, p.instead(_select(c.convs, 0), p.rounded("fp16"))),
    ("bf16 in all 1x1", "PREC-BF16", B1, p.instead(_select(c.pointwise), p.rounded("bf16"))),
    ("bf16 in one depthwise", "PREC-BF16", A1, p.instead(_select(c.convs, 3, depthwise=True), p.rounded("bf16"))),
    ("TF32 in all 1x1", "PREC-TF32", V2, p.instead(_select(c.pointwise), p.rounded("tf32"))),
    ("TF32 in one 1x1", "PREC-TF32", LITE, p.instead(_select(c.pointwise, 4), p.rounded("tf32"))),
    ("flush to zero", "FTZ", V2, lambda net: _flushed(net), lambda net: tiny(net)),
]


def tiny(net):
    """One depthwise layer whose weights are denormal: of the network that is meant, too."""
    c.convs(net, 5, depthwise=True)[0].weight.data *= 1e-39


def _flushed(net):
    m = c.convs(net, 5, depthwise=True)[0]
    m.forward = lambda x: p.flushed(f.conv2d(x, p.flushed(m.weight), m.bias, m.stride, m.padding, m.dilation, m.groups))


def _reversed(m):
    m.weight.copy_(m.weight.flip(0))


def _corrupt():
    """One element changed by a tenth of the largest."""

    def change(y):
        y = y.clone()
        flat = y.view(-1)
        flat[(7 * flat.numel()) // 11] += 0.1 * flat.abs().max()
        return y

    return change


def _zeroed(*where):
    def change(y):
        y = y.clone()
        y[where] = 0
        return y

    return change


def _one_weight(m):
    flat = m.weight.view(-1)
    flat[flat.numel() // 3] += 0.05


def _noise(relative):
    def change(m):
        g = torch.Generator().manual_seed(5)
        for q in m.parameters(recurse=False):
            q.mul_(1 + relative * torch.randn(q.shape, generator=g))

    return change


WEIGHTS = [
    (
        "taps transposed in all",
        "LAYOUT-WEIGHT",
        V3,
        p.arrays(_select(c.convs, depthwise=True), lambda m: m.weight.copy_(m.weight.transpose(2, 3).clone())),
    ),
    (
        "taps flipped in one",
        "LAYOUT-WEIGHT",
        V2,
        p.arrays(_select(c.convs, 4, depthwise=True), lambda m: m.weight.copy_(m.weight.flip(2, 3))),
    ),
    ("channels reversed in one", "LAYOUT-WEIGHT", E0, p.arrays(_select(c.convs, 2, depthwise=True), _reversed)),
    (
        "HWC read as CHW in one",
        "LAYOUT-WEIGHT",
        A1,
        p.arrays(
            _select(c.convs, 5, depthwise=True),
            lambda m: m.weight.copy_(
                m.weight.reshape(m.weight.shape[2], m.weight.shape[3], -1).permute(2, 0, 1)[:, None].clone()
            ),
        ),
    ),
    (
        "a 1x1 transposed by memory",
        "LAYOUT-WEIGHT",
        LITE,
        p.arrays(_select(c.pointwise, 5), lambda m: m.weight.copy_(m.weight[:, :, 0, 0].T.reshape(m.weight.shape).clone())),
    ),
    ("two 1x1 exchanged", "WEIGHT-SWAP", B1, p.swap_equal(_select(c.pointwise))),
    ("two depthwise exchanged", "WEIGHT-SWAP", V3, p.swap_equal(_select(c.convs, depthwise=True))),
    (
        "two taps exchanged in one",
        "WEIGHT-SWAP",
        E0,
        p.arrays(_select(c.convs, 1, depthwise=True), lambda m: p.exchanged(m.weight, 3, 0, 1)),
    ),
    (
        "two channels exchanged in one",
        "WEIGHT-SWAP",
        V2,
        p.arrays(_select(c.convs, 6, depthwise=True), lambda m: p.exchanged(m.weight, 0, 3, 17)),
    ),
    ("raw weights", "EMA-RAW", A1, lambda net: _all(net, 0.01)),
    ("another file", "WEIGHT-STALE", V2, lambda net: _stale(net)),
    ("one weight changed", "WEIGHT-STALE", V3, p.arrays(_select(c.pointwise, 6), _one_weight)),
    ("class shift", "CLASS-SHIFT", B1, p.after(_select(c.linears, -1), lambda y: torch.roll(y, 1, 1))),
    ("class shift", "CLASS-SHIFT", V3T, p.after(_select(c.linears, -1), lambda y: torch.roll(y, -1, 1))),
    ("dropout active", "DROP-ACTIVE", V2, p.before(_select(c.linears, -1), p.drop_mask(0.2))),
    ("dropout active", "DROP-ACTIVE", V3, p.before(_select(c.linears, -1), p.drop_mask(0.2))),
    ("dropout active", "DROP-ACTIVE", E0, p.before(_select(c.linears, -1), p.drop_mask(0.2))),
    ("one element in a million", "TILE", V2, p.after(_select(c.pointwise, 2), _corrupt())),
    ("one element in a million", "TILE", A1, p.after(_select(c.convs, 2, depthwise=True), _corrupt())),
    ("a tile left out", "TILE", V3, p.after(_select(c.pointwise, 4), _zeroed(1, slice(8, 16), slice(4, 8), slice(0, 8)))),
    ("a pixel left out", "TILE", E0, p.after(_select(c.pointwise, 7), _zeroed(0, slice(None), 3, 2))),
    ("last four channels left out", "TAIL", B1, p.after(_select(c.pointwise, 1), _zeroed(slice(None), slice(-4, None)))),
    ("last column left out", "TAIL", LITE, p.after(_select(c.convs, 4, depthwise=True), _zeroed(Ellipsis, slice(-1, None)))),
]


def _all(net, relative):
    for m in net.modules():
        with torch.no_grad():
            _noise(relative)(m)


def _stale(net):
    from .networks import module

    net.load_state_dict(module(V2, seed=100).state_dict())


FAULTS = [Fault(*row) for row in (*WINDOWS, *NORMS, *BLOCKS, *IMAGES, *PRECISIONS, *WEIGHTS)]
