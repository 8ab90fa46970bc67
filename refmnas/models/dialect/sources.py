"""The record of each source, by network.

A dialect is a function of (source, network), since one source has several: torchvision's
MnasNet has batch-norm momentum 3e-4, its MobileNetV2 0.1.  Read, unless `unverified` names
the field:

    tf            tensorflow/tpu models/official/mnasnet/{mnasnet_models, mnasnet_model, preprocessing}.py
                  and models/official/efficientnet/{efficientnet_model, lite/efficientnet_lite_builder, utils}.py
    slim          tensorflow/models research/slim/nets/mobilenet_v1.py and
                  mobilenet/{mobilenet, mobilenet_v2, mobilenet_v3, conv_blocks}.py,
                  nasnet/{nasnet, nasnet_utils}.py
    torchvision   0.29.1: models/{mnasnet, mobilenetv2, mobilenetv3, efficientnet, regnet}.py, transforms/_presets.py
    timm          1.0.31: models/{efficientnet, mobilenetv3, regnet, _efficientnet_builder, _efficientnet_blocks}.py
    timm-tf       the same, its `tf_` models: TensorFlow's padding and epsilon
    timm-rw       the same, mobilenetv3_rw: Wightman's first reading of MobileNetV3
    keras         keras-team/keras applications/{mobilenet_v2, mobilenet_v3}.py
    pycls         facebookresearch/pycls models/{blocks, regnet}.py, datasets/transforms.py
    pretrainedmodels  0.7.4: models/{nasnet, nasnet_mobile}.py, utils.py
    official      facebookresearch/mobile-vision fbnet_v2/{fbnet_modeldef_cls_fbnet, irf_block, basic_blocks}.py;
                  of ENAS melodyguan/enas src/cifar10/{micro_child, image_ops}.py

A source that never published a network gives it the conventions of those it did.
"""

from __future__ import annotations

from dataclasses import replace

from . import crops
from .record import Dialect


def _is(family, name):
    return name.startswith(family)


def tf(name):
    """MnasNet's batch norm is the fused one (unbiased running variance); EfficientNet's, made for TPUs, is not."""
    if _is("efficientnet", name):
        # The source resizes by TF1's bicubic, without antialias; ports of its weights by Pillow's.
        crop = crops.tf(name, "bicubic-pillow", crops.LITE if _is("efficientnet-lite", name) else crops.IMAGENET)
        return Dialect("tf", "same", 1e-3, 0.01, False, "tf", "tf", crop, unverified=("kink", "preprocess"))
    gate = "hard_sigmoid" if _is("mobilenet-v3", name) else "sigmoid"
    return Dialect(
        "tf", "same", 1e-3, 0.01, True, "tf", "tf", crops.tf(name, "bilinear-tf1", crops.IMAGENET), gate=gate,
        width_rule="except-one", se_activation="relu", first_skip="declared", unverified=("bn_unbiased", "kink"),
    )  # fmt: skip


def slim(name):
    """Expanded widths are rounded; V1's are cut.  V3's gate multiplies by 0.16667.

    V3's last layers keep their width as in finegrain_classification_mode, which the published
    0.75 has by its count.
    """
    record = Dialect(
        "slim", "same", 1e-3, 0.003, True, "slim", "tf", crops.slim(),
        mid_rounding="divisible", class_offset=1, unverified=("bn_eps", "bn_unbiased", "kink", "preprocess"),
    )  # fmt: skip
    if name == "mobilenet-v1":
        return replace(record, bn_momentum=0.0003, width_rule="truncate")
    if _is("nasnet", name):
        return _slim_nasnet(record, name)
    if _is("mobilenet-v3", name):
        unverified = (*record.unverified, "hidden_scales")
        return replace(record, **_V3, gate="hard_sigmoid_slim", unverified=unverified)
    return record


def _slim_nasnet(record, name):
    """CIFAR's batch norm is another; its images are standardised one by one, which no record says, and have no background."""
    record = replace(record, init="slim-nasnet", width_rule="except-one", bn_momentum=3e-4, preprocess=crops.slim(name))
    record = replace(record, unverified=("bn_unbiased", "init", "kink", "preprocess"))
    if name == "nasnet-a-cifar":
        return replace(record, bn_eps=1e-5, bn_momentum=0.1, class_offset=0, preprocess=crops.whole(name, crops.CIFAR))
    return record


_V3 = {"se_base": "expanded", "se_rounding": "divisible", "se_activation": "relu"}


def torchvision(name):
    """1 - 0.9997 stands in mnasnet.py; here the decimal number that is meant."""
    record = Dialect("torchvision", "symmetric", 1e-5, 0.1, True, "torchvision", "torch", crops.torchvision(name))
    record = replace(record, head_rule="last", group_rounding="divisible")
    if _is("mnasnet", name):
        return replace(record, bn_momentum=3e-4, init="torchvision-mnasnet")
    if _is("mobilenet-v3", name):
        record = replace(record, bn_eps=1e-3, bn_momentum=0.01, **_V3, gate="hard_sigmoid_torch")
        return replace(record, mid_base="table", hidden_scales="always", hidden_kind="linear")
    if _is("efficientnet", name):
        record = replace(record, init="torchvision-efficientnet", mid_rounding="divisible")
        is_late = name.endswith(("b5", "b6", "b7"))
        return replace(record, bn_eps=1e-3, bn_momentum=0.01) if is_late else record
    return replace(record, se_rounding="round") if _is("regnet", name) else record


def timm(name):
    """Its constructors have no dropout at all; 0.4 is what the comment at lite4 gives for training."""
    record = Dialect(
        "timm", "symmetric", 1e-5, 0.1, True, "timm", "torch", crops.timm(name), se_rounding="round",
        mid_rounding="divisible", expand_one="keep", dropout=0.4 if name == "efficientnet-lite4" else None,
    )  # fmt: skip
    if _is("mobilenet-v3", name):
        return replace(record, **_V3, gate="hard_sigmoid_torch", stem_fixed_below=0.75)
    if _is("regnet", name):
        return replace(record, init="timm-regnet")
    if _is("nasnet", name):
        record = replace(record, padding="same", bn_eps=1e-3, width_rule="except-one", init="pytorch", strided_pool_counts=True)
        return replace(record, dropout=0.0, drop_path=0.0, preprocess=crops.timm(name, scale=crops.HALF))
    if name in ("mobilenet-v1", "efficientnet-b1"):
        return replace(record, preprocess=crops.timm(name, scale=crops.HALF))
    return replace(record, preprocess=crops.timm(name, "bilinear-pillow")) if name == "fbnet-c" else record


def timm_tf(name):
    """Lite's and V3's `tf_` models have mean and std one half; lite3, lite4 and V3 are resized bilinearly."""
    record = replace(timm(name), source="timm-tf", padding="same", bn_eps=1e-3)
    is_v3, is_lite = _is("mobilenet-v3", name), _is("efficientnet-lite", name)
    is_bilinear = is_v3 or name in ("efficientnet-lite3", "efficientnet-lite4")
    scale = crops.HALF if is_lite or is_v3 or name == "efficientnet-b8" else crops.IMAGENET
    resize = "bilinear-pillow" if is_bilinear else "bicubic-pillow"
    return replace(record, preprocess=crops.timm_tf(name, resize, scale))


def timm_rw(name):
    """No residual in the first block, SE's width not rounded to 8 and its activation the block's, no bias in the head."""
    record = replace(timm(name), source="timm-rw", bn_eps=1e-3, first_skip="never", hidden_bias=False, stem_fixed_below=0.0)
    return replace(record, se_rounding="round", se_activation="network")


def keras(name):
    """No dropout in V2; filters are cut to int(filters * alpha) before they are rounded, the stem's are not."""
    record = Dialect(
        "keras", "same", 1e-3, 0.001, False, "keras", "tf", crops.slim(),
        width_rule="truncate-first", dropout=0.0, unverified=("bn_unbiased", "init", "kink", "preprocess"),
    )  # fmt: skip
    if _is("mobilenet-v3", name):
        record = replace(record, **_V3, gate="hard_sigmoid", mid_rounding="divisible", width_rule="always")
        unverified = (*record.unverified, "head_rule", "hidden_scales")
        return replace(record, dropout=None, head_rule="last", hidden_scales="above-one", unverified=unverified)
    return record


def pycls(name):
    """Images and weights are BGR."""
    return Dialect(
        "pycls", "symmetric", 1e-5, 0.1, True, "torchvision", "torch", crops.pycls(), se_rounding="round",
        unverified=("init", "preprocess"),
    )  # fmt: skip


def pretrainedmodels(name):
    """Symmetric padding, with a shift in those cells whose image is even at the published size."""
    even = ("reduction_0",) if name == "nasnet-a-large" else ("stem_1", "reduction_0", "reduction_1")
    return Dialect(
        "pretrainedmodels", "symmetric", 1e-3, 0.1, True, "pytorch", "torch", crops.pretrainedmodels(name),
        width_rule="except-one", even_cells=even, drop_path=0.0,
    )  # fmt: skip


def official(name):
    """FBNet's and ENAS's own."""
    return _enas(name) if _is("enas", name) else _fbnet(name)


def _enas(name):
    """The step of the running statistics is 0.1; images are standardised by the training set's own mean and deviation."""
    return Dialect(
        "official", "same", 1e-3, 0.1, True, "he", "tf", crops.whole(name, crops.CIFAR),
        width_rule="except-one", unverified=("bn_unbiased", "init", "kink", "preprocess"),
    )  # fmt: skip


def _fbnet(name):
    """Convolutions have a bias before batch norm (the blocks' by a line of the table); an expansion by 1 has none at all."""
    crop = crops.torchvision(name)
    return Dialect(
        "official", "symmetric", 1e-5, 0.1, True, "torchvision", "torch", crop, mid_rounding="divisible",
        conv_bias=True, unverified=("conv_bias", "init", "preprocess"),
    )  # fmt: skip


OF = {
    "tf": tf, "slim": slim, "torchvision": torchvision, "timm": timm, "timm-tf": timm_tf, "timm-rw": timm_rw,
    "keras": keras, "pycls": pycls, "pretrainedmodels": pretrainedmodels, "official": official,
}  # fmt: skip
