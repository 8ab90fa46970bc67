"""FBNet-C."""

from __future__ import annotations

from ..spec import Head, NetSpec, Stage, Stem

FBNET_C = NetSpec(
    name="fbnet-c",
    source="Wu et al. 2019, FBNet, arXiv:1812.03443; mobile-vision fbnet_v2/fbnet_modeldef_cls_fbnet.py",
    stem=Stem(3, 2, 16),
    stages=(
        #     block  repeats k s e channels                     input
        Stage("mbconv", 1, 3, 1, 1, 16),  # 112 x 112
        Stage("mbconv", 1, 3, 2, 6, 24),  # 112 x 112
        Stage("mbconv", 2, 3, 1, 1, 24, joins=True),  # 56 x 56; one more place of the search is empty
        Stage("mbconv", 1, 5, 2, 6, 32),  # 56 x 56
        Stage("mbconv", 1, 5, 1, 3, 32, joins=True),  # 28 x 28
        Stage("mbconv", 1, 5, 1, 6, 32, joins=True),  # 28 x 28
        Stage("mbconv", 1, 3, 1, 6, 32, joins=True),  # 28 x 28
        Stage("mbconv", 1, 5, 2, 6, 64),  # 28 x 28
        Stage("mbconv", 1, 5, 1, 3, 64, joins=True),  # 14 x 14
        Stage("mbconv", 2, 5, 1, 6, 64, joins=True),  # 14 x 14
        Stage("mbconv", 3, 5, 1, 6, 112),  # 14 x 14
        Stage("mbconv", 1, 5, 1, 3, 112, joins=True),  # 14 x 14
        Stage("mbconv", 4, 5, 2, 6, 184),  # 14 x 14
        Stage("mbconv", 1, 3, 1, 6, 352),  # 7 x 7
    ),
    head=Head(1984, dropout=0.2),
    sources=("official", "timm"),
)

SPECS = (FBNET_C,)
