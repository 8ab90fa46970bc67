"""MnasNet: A1, B1, small, and the two of MnasFPN."""

from __future__ import annotations

from ..spec import Head, NetSpec, Stage, Stem

_TPU = "tensorflow/tpu models/official"
_MNASNET = f"Tan et al. 2019, MnasNet, arXiv:1807.11626; {_TPU}/mnasnet/mnasnet_models.py"

MNASNET_A1 = NetSpec(
    name="mnasnet-a1",
    source=_MNASNET,
    stem=Stem(3, 2, 32),
    stages=(
        #     block  repeats k s e channels                        input
        Stage("sep", 1, 3, 1, 1, 16, skip=False),  # 112 x 112
        Stage("mbconv", 2, 3, 2, 6, 24),  # 112 x 112
        Stage("mbconv", 3, 5, 2, 3, 40, se=0.25),  # 56 x 56
        Stage("mbconv", 4, 3, 2, 6, 80),  # 28 x 28
        Stage("mbconv", 2, 3, 1, 6, 112, se=0.25),  # 14 x 14
        Stage("mbconv", 3, 5, 2, 6, 160, se=0.25),  # 14 x 14
        Stage("mbconv", 1, 3, 1, 6, 320),  # 7 x 7
    ),
    head=Head(1280),
    sources=("tf", "timm"),
)

MNASNET_B1 = NetSpec(
    name="mnasnet-b1",
    source=_MNASNET,
    stem=Stem(3, 2, 32),
    stages=(
        Stage("sep", 1, 3, 1, 1, 16, skip=False),  # 112 x 112
        Stage("mbconv", 3, 3, 2, 3, 24),  # 112 x 112
        Stage("mbconv", 3, 5, 2, 3, 40),  # 56 x 56
        Stage("mbconv", 3, 5, 2, 6, 80),  # 28 x 28
        Stage("mbconv", 2, 3, 1, 6, 96),  # 14 x 14
        Stage("mbconv", 4, 5, 2, 6, 192),  # 14 x 14
        Stage("mbconv", 1, 3, 1, 6, 320, skip=False),  # 7 x 7
    ),
    head=Head(1280),
    sources=("tf", "torchvision", "timm"),
)

MNASNET_SMALL = NetSpec(
    name="mnasnet-small",
    source=_MNASNET,
    stem=Stem(3, 2, 8),
    stages=(
        # The source declares 16 input channels where the stem gives 8: see Dialect.small_skip.
        Stage("sep", 1, 3, 1, 1, 8, declared_in=16),  # 112 x 112
        Stage("mbconv", 1, 3, 2, 3, 16),  # 112 x 112
        Stage("mbconv", 2, 3, 2, 6, 16),  # 56 x 56
        Stage("mbconv", 4, 5, 2, 6, 32, se=0.25),  # 28 x 28
        Stage("mbconv", 3, 3, 1, 6, 32, se=0.25),  # 14 x 14
        Stage("mbconv", 3, 5, 2, 6, 88, se=0.25),  # 14 x 14
        Stage("mbconv", 1, 3, 1, 6, 144),  # 7 x 7
    ),
    head=Head(1280, dropout=0.0),
    sources=("tf", "timm"),
)

MNASNET_D1 = NetSpec(
    name="mnasnet-d1",
    source=f"Chen et al. 2020, MnasFPN, arXiv:1912.01106; {_TPU}/mnasnet/mnasnet_models.py",
    stem=Stem(3, 2, 32),
    stages=(
        Stage("mbconv", 1, 3, 1, 9, 24),  # 112 x 112
        Stage("mbconv", 3, 3, 2, 9, 36),  # 112 x 112
        Stage("mbconv", 5, 3, 2, 9, 48),  # 56 x 56
        Stage("mbconv", 4, 5, 2, 9, 96),  # 28 x 28
        Stage("mbconv", 5, 7, 1, 3, 96),  # 14 x 14
        Stage("mbconv", 3, 3, 2, 9, 80),  # 14 x 14
        Stage("mbconv", 1, 7, 1, 6, 320, skip=False),  # 7 x 7
    ),
    head=Head(1280),
    sources=("tf",),
)

MNASNET_D1_320 = NetSpec(
    name="mnasnet-d1-320",
    source=MNASNET_D1.source,
    stem=Stem(3, 2, 32),
    stages=(
        Stage("mbconv", 3, 5, 1, 6, 24),  # 160 x 160
        Stage("mbconv", 4, 7, 2, 9, 36),  # 160 x 160
        Stage("mbconv", 5, 5, 2, 9, 48),  # 80 x 80
        Stage("mbconv", 5, 7, 2, 6, 96),  # 40 x 40
        Stage("mbconv", 5, 3, 1, 9, 144),  # 20 x 20
        Stage("mbconv", 5, 5, 2, 6, 160),  # 20 x 20
        Stage("mbconv", 1, 7, 1, 9, 320),  # 10 x 10
    ),
    head=Head(1280),
    size=320,
    sources=("tf",),
)

SPECS = (MNASNET_A1, MNASNET_B1, MNASNET_SMALL, MNASNET_D1, MNASNET_D1_320)
