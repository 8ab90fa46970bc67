"""The conventions that public implementations disagree on, as one record.

A dialect is a function of (source, network), since one source has several: torchvision's
MnasNet has batch-norm momentum 3e-4, its MobileNetV2 0.1.  Read, unless `unverified` names
the field:

    tf            tensorflow/tpu models/official/mnasnet/{mnasnet_models, mnasnet_model, preprocessing}.py
                  and models/official/efficientnet/{efficientnet_model, lite/efficientnet_lite_builder, utils}.py
    slim          tensorflow/models research/slim/nets/mobilenet/{mobilenet, mobilenet_v2, conv_blocks}.py
    torchvision   0.29.1: models/{mnasnet, mobilenetv2}.py, transforms/_presets.py
    timm          1.0.31: models/{efficientnet, _efficientnet_builder, _efficientnet_blocks}.py, data/
    timm-tf       the same, its `tf_` models: TensorFlow's padding and epsilon
    keras         keras-team/keras applications/mobilenet_v2.py

A source that never published a network gives it the conventions of those it did.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..errors import SpecError

SOURCES = ("tf", "slim", "torchvision", "timm", "timm-tf", "keras")


@dataclass(frozen=True)
class Preprocess:
    """From a photograph to a network's input: (x - mean) / std on the 0..255 scale."""

    crop: str  # centre-fraction: cut crop_to/crop_from of the short side, then resize;
    # resize-short-then-crop: short side to size * crop_from / crop_to, then cut size
    crop_from: int
    crop_to: int  # the size that the source evaluates at
    resize: str  # bicubic-pillow, bilinear-pillow (antialiased) or bilinear-tf1 (not, nor half pixels)
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
    width_rule: str = "always"  # round8 of the product; except-one: not at width 1; truncate-first: of int(product)
    se_base: str = "input"  # SE's width is a ratio of the block's input, or of the expanded width
    se_rounding: str = "truncate"  # truncate, round (half to even) or divisible (by 8)
    se_activation: str = "network"  # between SE's two layers: the network's own, or a kind
    gate: str = "sigmoid"
    mid_rounding: str = "exact"  # expanded width: exact, or divisible by 8; equal for widths that 8 divides
    small_skip: str = "true"  # mnasnet-small's first block: residual by the true width (timm) or the declared one (tf)
    class_offset: int = 0  # 1 where class 0 of the source's 1001 is background
    dropout: float | None = None  # rates that the source trains with where they are not the table's; None: the table's
    drop_path: float | None = None
    unverified: tuple[str, ...] = ()  # fields that stand by documentation or memory, not by a line that was read


_IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))  # 255 * (.485, .456, .406), 255 * (.229, .224, .225)
_HALF = ((127.5,) * 3, (127.5,) * 3)
_LITE = ((127.0,) * 3, (128.0,) * 3)

# Where the evaluation's size is not 224.
_TF_SIZES = {
    "mnasnet-d1-320": 320, "efficientnet-lite1": 240, "efficientnet-lite2": 260,
    "efficientnet-lite3": 280, "efficientnet-lite4": 300,
}  # fmt: skip
_TIMM_SIZES = _TF_SIZES | {"efficientnet-lite3": 300, "efficientnet-lite4": 380}
_TIMM_FRACTIONS = {
    "efficientnet-lite1": 0.882, "efficientnet-lite2": 0.890,
    "efficientnet-lite3": 0.904, "efficientnet-lite4": 0.922,
}  # fmt: skip


def _tf_crop(name, resize, scale):
    """size / (size + 32) of the short side: CROP_PADDING of the preprocessing files."""
    size = _TF_SIZES.get(name, 224)
    return Preprocess("centre-fraction", size + 32, size, resize, *scale)


def _torch_crop(name):
    """resize_size 256 for crop_size 224, in the same proportion for other sizes."""
    size = _TF_SIZES.get(name, 224)
    return Preprocess("resize-short-then-crop", size * 256 // 224, size, "bilinear-pillow", *_IMAGENET)


def _timm_crop(name, resize="bicubic-pillow", scale=_IMAGENET, fraction=None):
    """The short side to floor(size / crop_pct), as create_transform has it."""
    size = _TIMM_SIZES.get(name, 224)
    fraction = fraction or _TIMM_FRACTIONS.get(name, 0.875)
    return Preprocess("resize-short-then-crop", int(size / fraction), size, resize, *scale)


def _tf(name):
    """MnasNet's batch norm is the fused one (unbiased running variance); Lite's, made for TPUs, is not."""
    if _is_lite(name):
        # The source resizes by TF1's bicubic, without antialias; ports of its weights by Pillow's.
        crop = _tf_crop(name, "bicubic-pillow", _LITE)
        return Dialect("tf", "same", 1e-3, 0.01, False, "tf", "tf", crop, unverified=("kink", "preprocess"))
    return Dialect(
        "tf", "same", 1e-3, 0.01, True, "tf", "tf", _tf_crop(name, "bilinear-tf1", _IMAGENET),
        width_rule="except-one", se_activation="relu", small_skip="declared", unverified=("bn_unbiased", "kink"),
    )  # fmt: skip


def _slim(name):
    """Expanded widths are rounded; evaluation cuts the central 87.5 % and scales to [-1, 1]."""
    return Dialect(
        "slim", "same", 1e-3, 0.003, True, "slim", "tf", replace(_torch_crop(name), **_inception()),
        mid_rounding="divisible", class_offset=1, unverified=("bn_eps", "bn_unbiased", "kink", "preprocess"),
    )  # fmt: skip


def _inception():
    mean, std = _HALF
    return {"crop": "centre-fraction", "resize": "bilinear-tf1", "mean": mean, "std": std}


def _torchvision(name):
    """1 - 0.9997 stands in mnasnet.py; here the decimal number that is meant."""
    crop = _torch_crop(name)
    if name.startswith("mnasnet"):
        return Dialect("torchvision", "symmetric", 1e-5, 3e-4, True, "torchvision-mnasnet", "torch", crop)
    return Dialect("torchvision", "symmetric", 1e-5, 0.1, True, "torchvision", "torch", crop)


def _timm(name):
    """Its constructors have no dropout at all; 0.4 is what the comment at lite4 gives for training."""
    return Dialect(
        "timm", "symmetric", 1e-5, 0.1, True, "timm", "torch", _timm_crop(name),
        se_rounding="round", mid_rounding="divisible", dropout=0.4 if name == "efficientnet-lite4" else None,
    )  # fmt: skip


def _timm_tf(name):
    """Lite's `tf_` models have mean and std one half, lite3 and lite4 bilinear, lite4 another fraction."""
    record = replace(_timm(name), source="timm-tf", padding="same", bn_eps=1e-3)
    if not _is_lite(name):
        return record
    resize = "bilinear-pillow" if name in ("efficientnet-lite3", "efficientnet-lite4") else "bicubic-pillow"
    fraction = 0.920 if name == "efficientnet-lite4" else None
    return replace(record, preprocess=_timm_crop(name, resize, _HALF, fraction))


def _keras(name):
    """No dropout; filters are cut to int(filters * alpha) before they are rounded, the stem's are not."""
    return Dialect(
        "keras", "same", 1e-3, 0.001, False, "keras", "tf", replace(_torch_crop(name), **_inception()),
        width_rule="truncate-first", dropout=0.0, unverified=("bn_unbiased", "init", "kink", "preprocess"),
    )  # fmt: skip


def _is_lite(name):
    return name.startswith("efficientnet-lite")


_OF = {"tf": _tf, "slim": _slim, "torchvision": _torchvision, "timm": _timm, "timm-tf": _timm_tf, "keras": _keras}


def of(source, network=None):
    """The conventions of `source` for `network` (a name of the zoo; None: the source's general ones).

    Raises   SpecError for an unknown source.

    >>> of("torchvision", "mnasnet-b1").bn_momentum
    0.0003
    """
    if source not in _OF:
        raise SpecError(f"dialect: no source {source!r}, wanted one of {', '.join(SOURCES)}")
    return _OF[source](network or "")
