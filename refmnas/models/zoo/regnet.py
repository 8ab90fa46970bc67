"""RegNet X and Y: widths on a line, brought to a few steps.

    u[j] = w0 + wa * j                                  for block j of d                 (1)
    s[j] = round(log(u[j] / w0) / log(wm))                                               (2)
    w[j] = round(w0 * wm**s[j] / 8) * 8                                                  (3)

Blocks of one width are a stage; its width is then brought to a multiple of the group, by
a rule that the sources do not share (Dialect.group_rounding).

Source: (1)-(3) are eqs. (2)-(4) of Radosavovic et al. 2020, arXiv:2003.13678; the five
numbers are those of pycls configs/dds_baselines.
"""

from __future__ import annotations

import math

from ..spec import Head, NetSpec, Stage, Stem

_SOURCE = "Radosavovic et al. 2020, RegNet, arXiv:2003.13678; facebookresearch/pycls dds_baselines"

# size: (w0, wa, wm, group, d)
X = {
    "200mf": (24, 36.44, 2.49, 8, 13),
    "400mf": (24, 24.48, 2.54, 16, 22),
    "600mf": (48, 36.97, 2.24, 24, 16),
    "800mf": (56, 35.73, 2.28, 16, 16),
    "1.6gf": (80, 34.01, 2.25, 24, 18),
    "3.2gf": (88, 26.31, 2.25, 48, 25),
    "4gf": (96, 38.65, 2.43, 40, 23),
    "6.4gf": (184, 60.83, 2.07, 56, 17),
    "8gf": (80, 49.56, 2.88, 120, 23),
    "12gf": (168, 73.36, 2.37, 112, 19),
    "16gf": (216, 55.59, 2.1, 128, 22),
    "32gf": (320, 69.86, 2.0, 168, 23),
}
Y = {
    "200mf": (24, 36.44, 2.49, 8, 13),
    "400mf": (48, 27.89, 2.09, 8, 16),
    "600mf": (48, 32.54, 2.32, 16, 15),
    "800mf": (56, 38.84, 2.4, 16, 14),
    "1.6gf": (48, 20.71, 2.65, 24, 27),
    "3.2gf": (80, 42.63, 2.66, 24, 21),
    "4gf": (96, 31.41, 2.24, 64, 22),
    "6.4gf": (112, 33.22, 2.27, 72, 25),
    "8gf": (192, 76.82, 2.19, 56, 17),
    "12gf": (168, 73.36, 2.37, 112, 19),
    "16gf": (200, 106.23, 2.48, 112, 18),
    "32gf": (232, 115.89, 2.53, 232, 20),
}
TORCHVISION = ("400mf", "800mf", "1.6gf", "3.2gf", "8gf", "16gf", "32gf")
SE = {"x": 0.0, "y": 0.25}


def widths(w0, wa, wm, depth):
    """Equations (1)-(3): the width of every block.

    >>> widths(24, 36.44, 2.49, 5)
    [24, 56, 152, 152, 152]
    """
    steps = [round(math.log((w0 + wa * j) / w0) / math.log(wm)) for j in range(depth)]
    return [round(w0 * wm**s / 8) * 8 for s in steps]


def _regnet(kind, size):
    w0, wa, wm, group, depth = (X if kind == "x" else Y)[size]
    found = widths(w0, wa, wm, depth)
    rows = [(w, found.count(w)) for w in dict.fromkeys(found)]
    return NetSpec(
        name=f"regnet{kind}-{size}",
        source=_SOURCE,
        stem=Stem(3, 2, 32, scales=False),
        stages=tuple(Stage("bottleneck", count, 3, 2, 1, w, se=SE[kind], group=group) for w, count in rows),
        head=Head(0, dropout=0.0),
        sources=("pycls", *(["torchvision"] if size in TORCHVISION else []), "timm"),
    )


SPECS = (*(_regnet("x", size) for size in X), *(_regnet("y", size) for size in Y))
