"""The networks, as the tables of their papers and of the code that published them."""

from __future__ import annotations

import difflib
from dataclasses import replace

from ..errors import SpecError
from . import text
from .spec import Head, NetSpec, Stage, Stem

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


def _lite(number, width, depth, size, dropout):
    """EfficientNet-Lite: B0's stages without SE, with ReLU6; stem, head and the outer stages keep their depth."""
    return NetSpec(
        name=f"efficientnet-lite{number}",
        source=f"Tan and Le 2019, EfficientNet, arXiv:1905.11946; {_TPU}/efficientnet/lite",
        stem=Stem(3, 2, 32, scales=False),
        stages=(
            Stage("sep", 1, 3, 1, 1, 16, deepens=False),  # 112 x 112 at size 224
            Stage("mbconv", 2, 3, 2, 6, 24),  # 112 x 112
            Stage("mbconv", 2, 5, 2, 6, 40),  # 56 x 56
            Stage("mbconv", 3, 3, 2, 6, 80),  # 28 x 28
            Stage("mbconv", 3, 5, 1, 6, 112),  # 14 x 14
            Stage("mbconv", 4, 5, 2, 6, 192),  # 14 x 14
            Stage("mbconv", 1, 3, 1, 6, 320, deepens=False),  # 7 x 7
        ),
        head=Head(1280, dropout=dropout),
        size=size,
        activation="relu6",
        drop_path=0.2,
        depth=depth,
        width=width,
        sources=("tf", "timm", "timm-tf"),
    )


_LITES = (
    _lite(0, 1.0, 1.0, 224, 0.2),
    _lite(1, 1.0, 1.1, 240, 0.2),
    _lite(2, 1.1, 1.2, 260, 0.3),
    _lite(3, 1.2, 1.4, 280, 0.3),
    _lite(4, 1.4, 1.8, 300, 0.3),
)

SPECS = {
    spec.name: spec
    for spec in (MNASNET_A1, MNASNET_B1, MNASNET_SMALL, MNASNET_D1, MNASNET_D1_320, MOBILENET_V2, *_LITES)
}


def names():
    """The names of all networks."""
    return list(SPECS)


def get(name, width=1.0):
    """The table of a network, its own width multiplied by `width`; SpecError with the nearest name."""
    if name not in SPECS:
        near = difflib.get_close_matches(str(name), SPECS, 1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise SpecError(f"network: no {name!r}; {hint}There are {', '.join(SPECS)}")
    return scaled(SPECS[name], width)


def find(network, width=1.0):
    """The table of a name, of a document or a file FILE.json (refmnas.models.text), or a table itself; at that width."""
    if isinstance(network, NetSpec):
        return scaled(network, width)
    if isinstance(network, dict) or str(network).endswith(".json"):
        return scaled(text.from_json(network), width)
    return get(network, width)


def scaled(spec, width):
    """`spec` at another width multiplier."""
    if not isinstance(width, int | float) or isinstance(width, bool) or not 0 < width <= 16:
        raise SpecError(f"network: width is {width!r}, wanted a number above 0 and at most 16")
    return spec if width == 1 else replace(spec, width=spec.width * width)
