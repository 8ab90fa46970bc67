"""EfficientNet and EfficientNet-Lite: one table, scaled by the shipped numbers (not by alpha, beta, gamma)."""

from __future__ import annotations

from dataclasses import replace

from ..spec import Head, NetSpec, Stage, Stem

_SOURCE = "Tan and Le 2019, EfficientNet, arXiv:1905.11946; tensorflow/tpu models/official/efficientnet"


def _stages(se, deepens):
    """Table 1; `deepens`: whether the outer stages do."""
    return (
        Stage("sep", 1, 3, 1, 1, 16, se=se, deepens=deepens),  # 112 x 112 at size 224
        Stage("mbconv", 2, 3, 2, 6, 24, se=se),  # 112 x 112
        Stage("mbconv", 2, 5, 2, 6, 40, se=se),  # 56 x 56
        Stage("mbconv", 3, 3, 2, 6, 80, se=se),  # 28 x 28
        Stage("mbconv", 3, 5, 1, 6, 112, se=se),  # 14 x 14
        Stage("mbconv", 4, 5, 2, 6, 192, se=se),  # 14 x 14
        Stage("mbconv", 1, 3, 1, 6, 320, se=se, deepens=deepens),  # 7 x 7
    )


def _b(number, width, depth, size, dropout, sources=("tf", "torchvision", "timm", "timm-tf")):
    return NetSpec(
        name=f"efficientnet-{number}",
        source=f"{_SOURCE}/efficientnet_builder.py",
        stem=Stem(3, 2, 32),
        stages=_stages(0.25, True),
        head=Head(1280, dropout=dropout, scales="always"),
        size=size,
        activation="swish",
        drop_path=0.2,
        depth=depth,
        width=width,
        sources=sources,
    )


def _lite(number, width, depth, size, dropout):
    """Without SE, with ReLU6; stem, head and the outer stages keep their depth."""
    b = _b(f"lite{number}", width, depth, size, dropout, ("tf", "timm", "timm-tf"))
    return replace(
        b,
        source=f"{_SOURCE}/lite",
        stem=Stem(3, 2, 32, scales=False),
        stages=_stages(0.0, False),
        head=Head(1280, dropout=dropout),
        activation="relu6",
    )


LITES = (
    _lite(0, 1.0, 1.0, 224, 0.2),
    _lite(1, 1.0, 1.1, 240, 0.2),
    _lite(2, 1.1, 1.2, 260, 0.3),
    _lite(3, 1.2, 1.4, 280, 0.3),
    _lite(4, 1.4, 1.8, 300, 0.3),
)
_LARGE = ("tf", "timm", "timm-tf")
BS = (
    _b("b0", 1.0, 1.0, 224, 0.2),
    _b("b1", 1.0, 1.1, 240, 0.2),
    _b("b2", 1.1, 1.2, 260, 0.3),
    _b("b3", 1.2, 1.4, 300, 0.3),
    _b("b4", 1.4, 1.8, 380, 0.4),
    _b("b5", 1.6, 2.2, 456, 0.4),
    _b("b6", 1.8, 2.6, 528, 0.5),
    _b("b7", 2.0, 3.1, 600, 0.5),
    _b("b8", 2.2, 3.6, 672, 0.5, _LARGE),
    _b("l2", 4.3, 5.3, 800, 0.5, _LARGE),
)

SPECS = (*LITES, *BS)
