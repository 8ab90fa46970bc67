"""The conventions that public implementations disagree on, as one record.

A dialect is a function of (source, network), since one source has several: torchvision's
MnasNet has batch-norm momentum 3e-4, its MobileNetV2 0.1.

    tf            tensorflow/tpu, models/official/{mnasnet,efficientnet}
    slim          tensorflow/models, research/slim
    torchvision   read in version 0.29.1
    timm          read in version 1.0.31
    timm-tf       timm's `tf_` models: TensorFlow's padding and epsilon
    keras         keras.applications; from its documentation, unverified

What no source was read for is marked unverified at its field.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..errors import SpecError

SOURCES = ("tf", "slim", "torchvision", "timm", "timm-tf", "keras")

_IMAGENET_MEAN = (123.675, 116.28, 103.53)  # 255 * (0.485, 0.456, 0.406)
_IMAGENET_STD = (58.395, 57.12, 57.375)  # 255 * (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Preprocess:
    """From a photograph to a network's input: (x - mean) / std on the 0..255 scale."""

    crop: str  # centre-fraction: cut crop_to/crop_from of the short side, then resize;
    # resize-short-then-crop: short side to size * crop_from / crop_to, then cut size
    crop_from: int
    crop_to: int
    resize: str  # bicubic-pillow, bilinear-pillow (both antialiased) or bilinear-tf1 (neither antialias nor half pixels)
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    channels: str = "rgb"


@dataclass(frozen=True)
class Dialect:
    """All conventions of one source for one network."""

    source: str
    padding: str  # same: TensorFlow's, the odd pixel after; symmetric: kernel // 2 on both sides
    bn_eps: float
    bn_momentum: float  # weight of the new statistic (PyTorch's sense; Keras' is 1 minus it)
    bn_unbiased: bool  # the running variance: PyTorch's and fused TensorFlow's is unbiased
    init: str  # a rule of refmnas.models.initial
    kink: str  # gradient where an activation has none: torch or tf
    preprocess: Preprocess
    se_base: str = "input"  # SE's width is a ratio of the block's input, or of the expanded width
    se_rounding: str = "truncate"  # truncate, round or divisible (by 8)
    se_activation: str = "network"  # between SE's two layers: the network's own, or a kind
    gate: str = "sigmoid"
    mid_rounding: str = "exact"  # expanded width: exact, or divisible by 8; equal for widths that 8 divides
    small_skip: str = "true"  # mnasnet-small's first block: residual by the true width (timm) or the declared one (tf)
    class_offset: int = 0  # 1 where class 0 of the source's 1001 is background


_TF_CROP = Preprocess("centre-fraction", 256, 224, "bilinear-tf1", _IMAGENET_MEAN, _IMAGENET_STD)
_LITE_CROP = Preprocess("centre-fraction", 256, 224, "bicubic-pillow", (127.0,) * 3, (128.0,) * 3)
_TORCH_CROP = Preprocess("resize-short-then-crop", 256, 224, "bilinear-pillow", _IMAGENET_MEAN, _IMAGENET_STD)
_TIMM_CROP = replace(_TORCH_CROP, resize="bicubic-pillow")
# Slim's and Keras' [-1, 1] scaling; slim's evaluation cuts the central 87.5 %: unverified.
_INCEPTION_CROP = Preprocess("centre-fraction", 256, 224, "bilinear-tf1", (127.5,) * 3, (127.5,) * 3)

_TF = Dialect("tf", "same", 1e-3, 0.01, True, "tf", "tf", _TF_CROP, small_skip="declared")
_SLIM = Dialect("slim", "same", 1e-3, 0.003, True, "slim", "tf", _INCEPTION_CROP, class_offset=1)
_TORCHVISION = Dialect("torchvision", "symmetric", 1e-5, 0.1, True, "torchvision", "torch", _TORCH_CROP)
_TIMM = Dialect(
    "timm", "symmetric", 1e-5, 0.1, True, "timm", "torch", _TIMM_CROP, se_rounding="round", mid_rounding="divisible"
)
_HALF = (127.5,) * 3
_TIMM_TF = replace(
    _TIMM, source="timm-tf", padding="same", bn_eps=1e-3, preprocess=replace(_TIMM_CROP, mean=_HALF, std=_HALF)
)
# Keras' momentum is 0.999 in its sense; whether its running variance is unbiased: unverified.
_KERAS = Dialect("keras", "same", 1e-3, 0.001, False, "keras", "tf", _INCEPTION_CROP)


def of(source, network=None):
    """The conventions of `source` for `network` (a name of the zoo; None: the source's general ones).

    Raises   SpecError for an unknown source.

    >>> of("torchvision", "mnasnet-b1").bn_momentum
    0.0003
    """
    name = network or ""
    if source == "tf":
        return replace(_TF, preprocess=_LITE_CROP) if name.startswith("efficientnet-lite") else _TF
    if source == "torchvision":
        # 1 - 0.9997 in the source, written as the decimal number that is meant.
        return replace(_TORCHVISION, bn_momentum=3e-4, init="torchvision-mnasnet") if "mnasnet" in name else _TORCHVISION
    plain = {"slim": _SLIM, "timm": _TIMM, "timm-tf": _TIMM_TF, "keras": _KERAS}
    if source not in plain:
        raise SpecError(f"dialect: no source {source!r}, wanted one of {', '.join(SOURCES)}")
    return plain[source]
