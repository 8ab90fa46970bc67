"""MobileNet, the first three."""

from __future__ import annotations

from ..spec import Head, NetSpec, Stage, Stem

MOBILENET_V1 = NetSpec(
    name="mobilenet-v1",
    source="Howard et al. 2017, MobileNets, arXiv:1704.04861, table 1; slim mobilenet_v1.py",
    stem=Stem(3, 2, 32),
    stages=(
        #     block     repeats k s e channels                        input
        Stage("separable", 1, 3, 1, 1, 64, skip=False),  # 112 x 112
        Stage("separable", 2, 3, 2, 1, 128, skip=False),  # 112 x 112
        Stage("separable", 2, 3, 2, 1, 256, skip=False),  # 56 x 56
        Stage("separable", 6, 3, 2, 1, 512, skip=False),  # 28 x 28
        Stage("separable", 2, 3, 2, 1, 1024, skip=False),  # 14 x 14
    ),
    head=Head(0, dropout=0.001),
    activation="relu6",
    sources=("slim", "timm"),
)

MOBILENET_V2 = NetSpec(
    name="mobilenet-v2",
    source="Sandler et al. 2018, MobileNetV2, arXiv:1801.04381, table 2; slim mobilenet/mobilenet_v2.py",
    stem=Stem(3, 2, 32),
    stages=(
        Stage("sep", 1, 3, 1, 1, 16),  # 112 x 112
        Stage("mbconv", 2, 3, 2, 6, 24),  # 112 x 112
        Stage("mbconv", 3, 3, 2, 6, 32),  # 56 x 56
        Stage("mbconv", 4, 3, 2, 6, 64),  # 28 x 28
        Stage("mbconv", 3, 3, 1, 6, 96),  # 14 x 14
        Stage("mbconv", 3, 3, 2, 6, 160),  # 14 x 14
        Stage("mbconv", 1, 3, 1, 6, 320),  # 7 x 7
    ),
    head=Head(1280, scales="above-one"),
    activation="relu6",
    sources=("slim", "torchvision", "timm", "keras"),
)



_V3 = "Howard et al. 2019, MobileNetV3, arXiv:1905.02244, table {}; slim mobilenet/mobilenet_v3.py"


def _large(name, kernel, se, act, sources):
    """Table 1; the minimalistic one has 3 x 3 kernels, no SE and ReLU alone."""
    return NetSpec(
        name=name,
        source=_V3.format(1),
        stem=Stem(3, 2, 16),
        stages=(
            Stage("sep", 1, 3, 1, 1, 16, act="relu"),  # 112 x 112
            Stage("mbconv", 1, 3, 2, 4, 24, act="relu"),  # 112 x 112
            Stage("mbconv", 1, 3, 1, 3, 24, act="relu", joins=True),  # 56 x 56
            Stage("mbconv", 3, kernel, 2, 3, 40, se=se, act="relu"),  # 56 x 56
            Stage("mbconv", 1, 3, 2, 6, 80),  # 28 x 28
            Stage("mbconv", 1, 3, 1, 2.5, 80, joins=True),  # 14 x 14
            Stage("mbconv", 2, 3, 1, 2.3, 80, joins=True),  # 14 x 14
            Stage("mbconv", 2, 3, 1, 6, 112, se=se),  # 14 x 14
            Stage("mbconv", 3, kernel, 2, 6, 160, se=se),  # 14 x 14
        ),
        head=Head(960, hidden=1280, scales="always"),
        activation=act,
        sources=sources,
    )


def _small(name, kernel, se, act, sources):
    """Table 2, and its minimalistic form."""
    return NetSpec(
        name=name,
        source=_V3.format(2),
        stem=Stem(3, 2, 16),
        stages=(
            Stage("sep", 1, 3, 2, 1, 16, se=se, act="relu"),  # 112 x 112
            Stage("mbconv", 1, 3, 2, 4.5, 24, act="relu"),  # 56 x 56
            Stage("mbconv", 1, 3, 1, 88 / 24, 24, act="relu", joins=True),  # 28 x 28; timm writes 3.67
            Stage("mbconv", 1, kernel, 2, 4, 40, se=se),  # 28 x 28
            Stage("mbconv", 2, kernel, 1, 6, 40, se=se, joins=True),  # 14 x 14
            Stage("mbconv", 2, kernel, 1, 3, 48, se=se),  # 14 x 14
            Stage("mbconv", 3, kernel, 2, 6, 96, se=se),  # 14 x 14
        ),
        head=Head(576, hidden=1024, scales="always"),
        activation=act,
        sources=sources,
    )


_FULL = ("slim", "torchvision", "timm", "timm-tf", "keras")
_MINIMALISTIC = ("slim", "timm-tf", "keras")
V3 = (
    _large("mobilenet-v3-large", 5, 0.25, "hard_swish", (*_FULL, "timm-rw")),
    _small("mobilenet-v3-small", 5, 0.25, "hard_swish", _FULL),
    _large("mobilenet-v3-large-minimalistic", 3, 0.0, "relu", _MINIMALISTIC),
    _small("mobilenet-v3-small-minimalistic", 3, 0.0, "relu", _MINIMALISTIC),
)

SPECS = (MOBILENET_V1, MOBILENET_V2, *V3)
