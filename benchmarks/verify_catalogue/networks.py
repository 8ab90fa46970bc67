"""The networks that faults are planted in, calibrated so that every activation is of a usual size.

module(name)   the PyTorch module in evaluation, float32, its weights drawn from a seed
image(size)    a batch of two, normalised as ImageNet's are
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Subject:
    """A published module and what it is called here."""

    source: str
    published: str
    ours: str


SUBJECTS = {
    s.published: s
    for s in (
        Subject("torchvision", "mobilenet_v3_large", "mobilenet-v3-large"),
        Subject("torchvision", "mobilenet_v2", "mobilenet-v2"),
        Subject("torchvision", "mnasnet1_0", "mnasnet-b1"),
        Subject("torchvision", "efficientnet_b0", "efficientnet-b0"),
        Subject("timm", "semnasnet_100", "mnasnet-a1"),
        Subject("timm", "mobilenetv3_large_100", "mobilenet-v3-large"),
        Subject("timm", "efficientnet_lite0", "efficientnet-lite0"),
        Subject("torchvision", "mobilenet_v3_small", "mobilenet-v3-small"),
        Subject("timm", "fbnetc_100", "fbnet-c"),
        Subject("timm", "mnasnet_small", "mnasnet-small"),
    )
}
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def module(name, seed=0):
    """Weights of He's size; running statistics are those of a batch, then moved; gamma and beta around 1 and 0."""
    subject = SUBJECTS[name]
    torch.manual_seed(seed)
    if subject.source == "torchvision":
        import torchvision

        made = getattr(torchvision.models, name)()
    else:
        import timm

        made = timm.create_model(name)
    g = torch.Generator().manual_seed(seed + 1)
    for m in made.modules():
        if isinstance(m, torch.nn.Conv2d):
            fan = m.weight[0].numel()
            m.weight.data = torch.randn(m.weight.shape, generator=g) * (2 / fan) ** 0.5
        if isinstance(m, torch.nn.Linear):
            m.weight.data = torch.randn(m.weight.shape, generator=g) * m.in_features**-0.5
        if isinstance(m, torch.nn.Conv2d | torch.nn.Linear) and m.bias is not None:
            m.bias.data = torch.randn(m.bias.shape, generator=g) * 0.5
        if isinstance(m, torch.nn.BatchNorm2d):
            m.weight.data = torch.rand(m.weight.shape, generator=g) + 0.5
            m.bias.data = torch.randn(m.bias.shape, generator=g) * 0.7
    _calibrate(made, g)
    return made.eval()


def _calibrate(made, g):
    norms = [m for m in made.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    kept = [m.momentum for m in norms]
    for m in norms:
        m.momentum = 1.0
    for m in made.modules():
        m.training = isinstance(m, torch.nn.BatchNorm2d)
    with torch.no_grad():
        made(torch.from_numpy(_pixels(96, 4, 9)))
    for m, momentum in zip(norms, kept, strict=True):
        m.momentum = momentum
        m.running_var += 0.03 * m.running_var.median()  # a dead channel would blow up where it is alive
        m.running_var *= torch.rand(m.running_var.shape, generator=g) + 0.5
        m.running_mean += torch.randn(m.running_mean.shape, generator=g) * 0.2 * m.running_var.sqrt()


def image(size=96, batch=2, seed=3):
    """(N, 3, size, size) float32, photograph-like: blobs, a gradient and some noise."""
    return _pixels(size, batch, seed)


def _pixels(size, batch, seed):
    rng = np.random.default_rng(seed)
    coarse = rng.random((batch, 3, size // 8, size // 8)).repeat(8, 2).repeat(8, 3)
    ramp = np.linspace(0, 1, size)[None, None, :, None] * np.linspace(1, 0.2, size)
    x = np.clip(0.5 * coarse + 0.35 * ramp + 0.15 * rng.random((batch, 3, size, size)), 0, 1)
    mean, std = (np.array(v)[:, None, None] for v in (MEAN, STD))
    return ((x - mean) / std).astype(np.float32)
