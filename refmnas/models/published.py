"""Accuracies on ImageNet-1k's validation images that their sources state, each with its source.

Only what was read at the place named stands here; a network without a row has no figure
that we vouch for.  The figures belong to the weights and to the evaluation of their
source, at the size of the row: another training, resize or crop gives others.

Read where:

    tf           tensorflow/tpu: README.md of models/official/mnasnet (its table; the cell of 0.35 at 160 is a
                 misprint and left out), models/official/efficientnet at f59154b, "standard preprocessing" (B6 and
                 B7: AutoAugment), models/official/efficientnet/lite (FP32)
    slim         tensorflow/models: research/slim/nets mobilenet_v1.md, mobilenet/README.md, nasnet/README.md
    torchvision  0.29.1: `meta` of the weights named
    timm         huggingface/pytorch-image-models results/results-imagenet.csv at 0173a13, the weights named
    pycls        facebookresearch/pycls MODEL_ZOO.md: 100 minus the top-1 error, a mean of five trainings
    official     Wu et al. 2019, FBNet, arXiv:1812.03443, its comparison with other networks, by a page that quotes it
"""

from __future__ import annotations

from typing import NamedTuple

_PLACES = {
    "mnasnet": "tensorflow/tpu models/official/mnasnet/README.md",
    "efficientnet": "tensorflow/tpu models/official/efficientnet/README.md at f59154b",
    "lite": "tensorflow/tpu models/official/efficientnet/lite/README.md",
    "v1": "tensorflow/models research/slim/nets/mobilenet_v1.md",
    "mobilenet": "tensorflow/models research/slim/nets/mobilenet/README.md",
    "nasnet": "tensorflow/models research/slim/nets/nasnet/README.md",
    "torchvision": "torchvision 0.29.1, meta of the weights",
    "timm": "pytorch-image-models results/results-imagenet.csv at 0173a13",
    "pycls": "facebookresearch/pycls MODEL_ZOO.md, 100 minus the error, mean of five trainings",
    "fbnet": "Wu et al. 2019, FBNet, arXiv:1812.03443, comparison with other networks",
}


class Figure(NamedTuple):
    """One published accuracy, in per cent; top5 None where the source states none."""

    network: str
    width: float
    dialect: str  # whose conventions the weights have
    size: int  # of the evaluation's image
    top1: float
    top5: float | None
    weights: str  # as the source names them
    source: str


def _rows(network, dialect, place, *found, size=224):
    """Figures of (weights, top1, top5), or with a width behind them."""
    for weights, top1, top5, *width in found:
        yield Figure(network, *(width or [1.0]), dialect, size, top1, top5, weights, _PLACES[place])


def _torchvision(network, name, top1, top5, size=224, width=1.0, version=1):
    weights = f"{name}_Weights.IMAGENET1K_V{version}"
    return Figure(network, width, "torchvision", size, top1, top5, weights, _PLACES["torchvision"])


def _timm(network, weights, top1, top5, size=224, width=1.0):
    dialect = "timm-tf" if weights.startswith("tf_") else "timm-rw" if "_rw." in weights else "timm"
    return Figure(network, width, dialect, size, top1, top5, weights, _PLACES["timm"])


_A1 = {  # size: {width: (top-1, top-5)}
    224: {1.4: (77.2, 93.5), 1.0: (75.2, 92.5), 0.75: (73.3, 91.3), 0.5: (68.9, 88.4), 0.35: (64.1, 85.1)},
    192: {1.4: (76.1, 93.0), 1.0: (74.0, 91.6), 0.75: (72.1, 90.5), 0.5: (67.2, 87.4), 0.35: (62.4, 83.8)},
    160: {1.4: (74.8, 92.1), 1.0: (72.0, 90.5), 0.75: (70.1, 89.3), 0.5: (64.9, 85.8)},
    128: {1.4: (72.5, 90.6), 1.0: (69.3, 88.9), 0.75: (67.0, 87.3), 0.5: (60.8, 83.0), 0.35: (54.8, 78.1)},
    96: {1.4: (68.6, 88.1), 1.0: (64.4, 85.8), 0.75: (62.1, 84.0), 0.5: (54.7, 78.1), 0.35: (49.3, 73.4)},
}
_V1 = {
    224: {1.0: (70.9, 89.9), 0.75: (68.4, 88.2), 0.5: (63.3, 84.9), 0.25: (49.8, 74.2)},
    192: {1.0: (70.0, 89.2), 0.75: (67.2, 87.3), 0.5: (61.7, 83.6), 0.25: (47.7, 72.3)},
    160: {1.0: (68.0, 87.7), 0.75: (65.3, 86.0), 0.5: (59.1, 81.9), 0.25: (45.5, 70.3)},
    128: {1.0: (65.2, 85.8), 0.75: (62.1, 83.9), 0.5: (56.3, 79.4), 0.25: (41.5, 66.3)},
}
_V2 = {
    224: {1.4: (75.0, 92.5), 1.3: (74.4, 92.1), 1.0: (71.8, 91.0), 0.75: (69.8, 89.6), 0.5: (65.4, 86.4), 0.35: (60.3, 82.9)},
    192: {1.0: (70.7, 90.1), 0.75: (68.7, 88.9), 0.5: (63.9, 85.4), 0.35: (58.2, 81.2)},
    160: {1.0: (68.8, 89.0), 0.75: (66.4, 87.3), 0.5: (61.0, 83.2), 0.35: (55.7, 79.1)},
    128: {1.0: (65.3, 86.9), 0.75: (63.2, 85.3), 0.5: (57.7, 80.8), 0.35: (50.8, 75.0)},
    96: {1.0: (60.3, 83.2), 0.75: (58.8, 81.6), 0.5: (51.2, 75.8), 0.35: (45.5, 70.4)},
}


def _grid(network, dialect, place, weights, found):
    for size, widths in found.items():
        for width, (top1, top5) in widths.items():
            name = weights.format(width=f"{width:.2f}".rstrip("0").ljust(3, "0"), size=size)
            yield Figure(network, width, dialect, size, top1, top5, name, _PLACES[place])


_X = {"200mf": 31.1, "400mf": 27.3, "600mf": 25.9, "800mf": 24.8, "1.6gf": 23.0, "3.2gf": 21.7,
      "4gf": 21.4, "6.4gf": 20.8, "8gf": 20.7, "12gf": 20.3, "16gf": 20.0, "32gf": 19.5}  # fmt: skip
_Y = {"200mf": 29.6, "400mf": 25.9, "600mf": 24.5, "800mf": 23.7, "1.6gf": 22.0, "3.2gf": 21.0,
      "4gf": 20.6, "6.4gf": 20.1, "8gf": 20.1, "12gf": 19.7, "16gf": 19.6, "32gf": 19.0}  # fmt: skip
_TV_X = {"400MF": (72.834, 90.95), "800MF": (75.212, 92.348), "1_6GF": (77.04, 93.44), "3_2GF": (78.364, 93.992),
         "8GF": (79.344, 94.686), "16GF": (80.058, 94.944), "32GF": (80.622, 95.248)}  # fmt: skip
_TV_Y = {"400MF": (74.046, 91.716), "800MF": (76.42, 93.136), "1_6GF": (77.95, 93.966), "3_2GF": (78.948, 94.576),
         "8GF": (80.032, 95.048), "16GF": (80.424, 95.24), "32GF": (80.878, 95.34)}  # fmt: skip
_TIMM_X = {"002": (68.746, 88.536), "004": (72.398, 90.828), "006": (73.868, 91.678), "008": (75.03, 92.338),
           "016": (76.924, 93.416), "032": (78.168, 94.082), "040": (78.492, 94.242), "064": (79.066, 94.458),
           "080": (79.202, 94.552), "120": (79.588, 94.742), "160": (79.866, 94.828), "320": (80.246, 95.022)}  # fmt: skip
_TIMM_Y = {"002": (70.278, 89.528), "004": (74.028, 91.75), "006": (75.27, 92.526), "008": (76.302, 93.06),
           "016": (77.862, 93.718), "032": (78.876, 94.408), "040": (79.232, 94.656), "064": (79.714, 94.766),
           "080": (79.868, 94.832), "120": (80.386, 95.128), "160": (80.298, 94.962), "320": (80.808, 95.238)}  # fmt: skip
_TF_B = (76.8, 78.8, 79.8, 81.0, 82.6, 83.2, 84.2, 84.5)
_TF_SIZES = (224, 240, 260, 300, 380, 456, 528, 600)
_TV_B = ((77.692, 93.532, 224), (78.642, 94.186, 240), (80.608, 95.31, 288), (82.008, 96.054, 300), (83.384, 96.594, 380),
         (83.444, 96.628, 456), (84.008, 96.916, 528), (84.122, 96.908, 600))  # fmt: skip
_LITES = ((75.1, 224), (76.7, 240), (77.6, 260), (79.8, 280), (81.5, 300))


def _ours(size):
    """torchvision's and timm's names of a RegNet's size in ours: 1_6GF and 016 -> 1.6gf."""
    if not size.isdecimal():
        return size.replace("_", ".").lower()
    hundreds = int(size)
    return f"{hundreds}00mf" if hundreds < 10 else f"{hundreds / 10:g}gf"


FIGURES: tuple[Figure, ...] = (
    *_grid("mnasnet-a1", "tf", "mnasnet", "MnasNet-A1, depth multiplier {width}", _A1),
    *_rows("mnasnet-small", "tf", "mnasnet", ("mnasnet-small, about 66", 66.0, None)),
    _timm("mnasnet-a1", "semnasnet_100.rmsp_in1k", 75.45, 92.594),
    _timm("mnasnet-a1", "semnasnet_075.rmsp_in1k", 72.992, 91.138, width=0.75),
    _timm("mnasnet-b1", "mnasnet_100.rmsp_in1k", 74.65, 92.124),
    _timm("mnasnet-small", "mnasnet_small.lamb_in1k", 66.196, 86.504),
    _torchvision("mnasnet-b1", "MNASNet1_0", 73.456, 91.51),
    _torchvision("mnasnet-b1", "MNASNet0_5", 67.734, 87.49, width=0.5),
    _torchvision("mnasnet-b1", "MNASNet0_75", 71.18, 90.496, width=0.75),
    _torchvision("mnasnet-b1", "MNASNet1_3", 76.506, 93.522, width=1.3),
    *_grid("mobilenet-v1", "slim", "v1", "MobileNet_v1_{width}_{size}", _V1),
    *_grid("mobilenet-v2", "slim", "mobilenet", "mobilenet_v2_{width}_{size}", _V2),
    _torchvision("mobilenet-v2", "MobileNet_V2", 71.878, 90.286),
    _torchvision("mobilenet-v2", "MobileNet_V2", 72.154, 90.822, version=2),
    _timm("mobilenet-v2", "mobilenetv2_100.ra_in1k", 72.976, 91.01),
    _timm("mobilenet-v2", "mobilenetv2_140.ra_in1k", 76.52, 92.986, width=1.4),
    _timm("mobilenet-v2", "mobilenetv2_050.lamb_in1k", 65.95, 86.088, width=0.5),
    *_rows("mobilenet-v3-large", "slim", "mobilenet",
           ("Large dm=1 (float)", 75.2, None), ("Large dm=0.75 (float)", 73.3, None, 0.75)),
    *_rows("mobilenet-v3-small", "slim", "mobilenet",
           ("Small dm=1 (float)", 67.5, None), ("Small dm=0.75 (float)", 65.4, None, 0.75)),
    *_rows("mobilenet-v3-large-minimalistic", "slim", "mobilenet", ("Large minimalistic (float)", 72.3, None)),
    *_rows("mobilenet-v3-small-minimalistic", "slim", "mobilenet", ("Small minimalistic (float)", 61.9, None)),
    _torchvision("mobilenet-v3-large", "MobileNet_V3_Large", 74.042, 91.34),
    _torchvision("mobilenet-v3-large", "MobileNet_V3_Large", 75.274, 92.566, version=2),
    _torchvision("mobilenet-v3-small", "MobileNet_V3_Small", 67.668, 87.402),
    _timm("mobilenet-v3-large", "mobilenetv3_large_100.ra_in1k", 75.766, 92.538),
    _timm("mobilenet-v3-large", "mobilenetv3_rw.rmsp_in1k", 75.62, 92.704),
    _timm("mobilenet-v3-large", "tf_mobilenetv3_large_100.in1k", 75.516, 92.594),
    _timm("mobilenet-v3-large", "tf_mobilenetv3_large_075.in1k", 73.432, 91.352, width=0.75),
    _timm("mobilenet-v3-large-minimalistic", "tf_mobilenetv3_large_minimal_100.in1k", 72.258, 90.638),
    _timm("mobilenet-v3-small", "mobilenetv3_small_100.lamb_in1k", 67.656, 87.636),
    _timm("mobilenet-v3-small", "mobilenetv3_small_075.lamb_in1k", 65.234, 85.446, width=0.75),
    _timm("mobilenet-v3-small", "tf_mobilenetv3_small_100.in1k", 67.918, 87.674),
    _timm("mobilenet-v3-small", "tf_mobilenetv3_small_075.in1k", 65.728, 86.126, width=0.75),
    _timm("mobilenet-v3-small-minimalistic", "tf_mobilenetv3_small_minimal_100.in1k", 62.89, 84.24),
    *(f for k, (top1, size) in enumerate(zip(_TF_B, _TF_SIZES, strict=True))
      for f in _rows(f"efficientnet-b{k}", "tf", "efficientnet",
                     (f"efficientnet-b{k}, {'AutoAugment' if k > 5 else 'standard preprocessing'}", top1, None), size=size)),
    *(_torchvision(f"efficientnet-b{k}", f"EfficientNet_B{k}", *found) for k, found in enumerate(_TV_B)),
    _torchvision("efficientnet-b1", "EfficientNet_B1", 79.838, 94.934, size=240, version=2),
    _timm("efficientnet-b0", "efficientnet_b0.ra_in1k", 77.694, 93.532),
    _timm("efficientnet-b1", "efficientnet_b1.ft_in1k", 78.8, 94.342, size=256),
    _timm("efficientnet-b2", "efficientnet_b2.ra_in1k", 80.61, 95.314, size=288),
    _timm("efficientnet-b0", "tf_efficientnet_b0.in1k", 76.532, 93.008),
    _timm("efficientnet-b1", "tf_efficientnet_b1.in1k", 78.56, 94.094, size=240),
    _timm("efficientnet-b2", "tf_efficientnet_b2.in1k", 79.604, 94.714, size=260),
    *(f for k, (top1, size) in enumerate(_LITES)
      for f in _rows(f"efficientnet-lite{k}", "tf", "lite", (f"efficientnet-lite{k}, FP32", top1, None), size=size)),
    _timm("efficientnet-lite0", "efficientnet_lite0.ra_in1k", 75.48, 92.522),
    _timm("efficientnet-lite0", "tf_efficientnet_lite0.in1k", 74.83, 92.172),
    _timm("efficientnet-lite1", "tf_efficientnet_lite1.in1k", 76.644, 93.23, size=240),
    _timm("efficientnet-lite2", "tf_efficientnet_lite2.in1k", 77.464, 93.75, size=260),
    _timm("efficientnet-lite3", "tf_efficientnet_lite3.in1k", 79.808, 94.912, size=300),
    *_rows("fbnet-c", "official", "fbnet", ("FBNet-C", 74.9, None)),
    _timm("fbnet-c", "fbnetc_100.rmsp_in1k", 75.13, 92.388),
    *(f for kind, found in (("x", _X), ("y", _Y)) for size, error in found.items()
      for f in _rows(f"regnet{kind}-{size}", "pycls", "pycls",
                     (f"RegNet{kind.upper()}-{size.upper()}", round(100 - error, 1), None))),
    *(_torchvision(f"regnet{kind}-{_ours(size)}", f"RegNet_{kind.upper()}_{size}", *accuracy)
      for kind, found in (("x", _TV_X), ("y", _TV_Y)) for size, accuracy in found.items()),
    *(_timm(f"regnet{kind}-{_ours(size)}", f"regnet{kind}_{size}.pycls_in1k", *accuracy)
      for kind, found in (("x", _TIMM_X), ("y", _TIMM_Y)) for size, accuracy in found.items()),
    *_rows("nasnet-a-mobile", "slim", "nasnet", ("NASNet-A_Mobile_224", 74.0, 91.6)),
    *_rows("nasnet-a-large", "slim", "nasnet", ("NASNet-A_Large_331", 82.7, 96.2), size=331),
)  # fmt: skip


def figures_of(network, width=None):
    """The figures of a network at a width multiplier (1: its table's own; None: at every one), in the order of this file.

    >>> [(f.dialect, f.top1) for f in figures_of("mnasnet-b1", 1.0)]
    [('timm', 74.65), ('torchvision', 73.456)]
    """
    return [f for f in FIGURES if f.network == network and (width is None or abs(f.width - width) < 1e-9)]


def choose(network, dialect, size, width=1.0):
    """The figure for a dialect at a size, else at another size of it, else of the first other dialect; None: no figure.

    Of several weights of one dialect the first stands: torchvision's V1.

    >>> choose("mnasnet-b1", "tf", 224).weights
    'mnasnet_100.rmsp_in1k'
    """
    found = figures_of(network, width)
    return min(found, key=lambda f: (f.dialect != dialect, f.size != size), default=None)
