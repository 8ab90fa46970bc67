"""NASNet-A: one pair of cells, found on CIFAR-10, stacked for it and for ImageNet.

N @ C in the paper is `repeats` @ the channels that the global pool sees, 24 times
`filters` (6 states of 4 times the filters).

                 parameters    multiply-adds   published
    mobile        5,289,978      563,638,816   5.3 M, 564 M
    large        88,753,150   23,783,414,658   88.9 M, 23.8 B
    cifar         3,346,538      544,333,312   3.3 M

Large: the published weights (pretrainedmodels, timm) have 88,753,150 numbers to train, too;
with slim's 1001st class 88,757,183.  Both round to 88.8 M, and the paper's 88.9 M is
neither.  Auxiliary heads are for training and not counted.
"""

from __future__ import annotations

from ...blocks.genotype import Genotype
from ..cell_spec import CellSpec
from ..spec import Head, Stem

_SOURCE = "Zoph et al. 2017, arXiv:1707.07012; tensorflow/models research/slim/nets/nasnet/{nasnet, nasnet_utils}.py"

# figure 4; h0: the last cell's result after its 1 x 1, h1: the one before.  The states of the output are slim's.
NORMAL = Genotype(
    sums=(
        ("sep5", 0, "sep3", 1),
        ("sep5", 1, "sep3", 1),
        ("avg3", 0, "none", 1),
        ("avg3", 1, "avg3", 1),
        ("sep3", 0, "none", 0),
    ),
    output=(1, 2, 3, 4, 5, 6),
)
REDUCTION = Genotype(
    sums=(
        ("sep5", 0, "sep7", 1),
        ("max3", 0, "sep7", 1),
        ("avg3", 0, "sep5", 1),
        ("none", 3, "avg3", 2),
        ("sep3", 2, "max3", 0),
    ),
    output=(3, 4, 5, 6),
    stride=2,
)


def _nasnet(name, stem, filters, repeats, **options):
    return CellSpec(f"nasnet-a-{name}", _SOURCE, stem, NORMAL, REDUCTION, filters, repeats, **options)


_IMAGENET = {"head": Head(0, dropout=0.5), "stem_cells": 2, "stem_padding": "valid"}

MOBILE = _nasnet("mobile", Stem(3, 2, 32), 44, 4, **_IMAGENET, sources=("slim", "pretrainedmodels"))
LARGE = _nasnet(
    "large", Stem(3, 2, 96), 168, 6, **_IMAGENET, skips=True, size=331, drop_path=0.3,
    sources=("slim", "pretrainedmodels", "timm"),
)  # fmt: skip
CIFAR = _nasnet(
    "cifar", Stem(3, 1, 96), 32, 6, head=Head(0, classes=10, dropout=0.0), size=32, drop_path=0.4, sources=("slim",)
)

SPECS = (MOBILE, LARGE, CIFAR)
