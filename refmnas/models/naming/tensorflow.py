"""The variables of TensorFlow's own repositories (unverified: from third-party readers, not from a checkpoint)."""

from __future__ import annotations

from ...errors import SpecError
from .. import plan
from .table import TF_BN, Table, numbered, plain_only

_WEIGHTS, _DEPTHWISE = ("weights", "biases"), ("depthwise_weights", "biases")

# mnasnet_models.py builds these two with use_keras=False, hence without Keras' numbers.
_WITHOUT_KERAS = ("mnasnet-d1", "mnasnet-d1-320")


def tf(spec, dialect):
    """tensorflow/tpu's variables (unverified): numbered through by Keras, or counted anew in every scope."""
    plain_only(spec, "tf")
    if spec.name.startswith("efficientnet"):
        return _tf_scopes(spec, dialect, "", "tpu_batch_normalization")
    if spec.name in _WITHOUT_KERAS:
        return _tf_scopes(spec, dialect, "mnas_", "batch_normalization")
    return _tf_keras(spec, dialect)


def _tf_scopes(spec, dialect, prefix, bn):
    """Every scope counts its own layers from none: conv2d, conv2d_1."""
    t, root = Table(dialect), spec.name
    for ours, scope in (("stem", "stem"), ("head", "head")):
        at = f"{root}/{prefix}{scope}"
        t.conv_bn(ours, f"{at}/conv2d", f"{at}/{bn}", ("kernel", "bias"), TF_BN, "/")
    for number, b in enumerate(plan.blocks(spec, dialect)):
        at = f"{root}/{prefix}blocks_{number}"
        convs = (["expand"] if b.expands else []) + ["project"]
        parts = (["expand"] if b.expands else []) + ["depthwise", "project"]
        for k, part in enumerate(parts):
            conv = "depthwise_conv2d" if part == "depthwise" else numbered("conv2d", convs.index(part))
            weight = "depthwise_kernel" if part == "depthwise" else "kernel"
            t.conv_bn(f"{b.prefix}.{part}", f"{at}/{conv}", f"{at}/{numbered(bn, k)}", (weight, "bias"), TF_BN, "/")
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
    t, root, bn, number = Table(dialect), spec.name, "batch_normalization", 0
    inside = f"{root}/mnas_net_model"
    for index, b in enumerate(plan.blocks(spec, dialect)):
        at, bn_at = f"{inside}/mnas_blocks_{index}", f"{root}/mnas_blocks_{index}"
        parts = (["expand"] if b.expands else []) + ["depthwise", "project"]
        for k, part in enumerate(parts):
            if part == "project" and b.squeeze:  # SE's two convolutions are made before the projection
                for name in ("reduce", "expand"):
                    conv = numbered("conv2d", number)
                    t.weight_bias(f"{b.prefix}.se.{name}", f"{at}/se/{conv}", ("kernel", "bias"), "/")
                    number += 1
            if part == "depthwise":
                conv, weight = numbered("depthwise_conv2d", index), "depthwise_kernel"
            else:
                conv, weight = numbered("conv2d", number), "kernel"
                number += 1
            t.conv_bn(f"{b.prefix}.{part}", f"{at}/{conv}", f"{bn_at}/{numbered(bn, k)}", (weight, "bias"), TF_BN, "/")
    for count, scope in enumerate(("stem", "head")):
        conv, bn_at = f"{inside}/mnas_{scope}/conv2d_{number + count}", f"{root}/mnas_{scope}/{bn}"
        t.conv_bn(scope, conv, bn_at, ("kernel", "bias"), TF_BN, "/")
    t.weight_bias("head.dense", f"{inside}/mnas_head/dense", ("kernel", "bias"), "/")
    return t


def slim(spec, dialect):
    """MobilenetV1/..., MobilenetV2/..., MobilenetV3/..."""
    if spec.name == "mobilenet-v1":
        return _slim_v1(spec, dialect)
    version = spec.name.removeprefix("mobilenet-v")[:1]
    if version not in ("2", "3"):
        raise SpecError(f"names: slim has no {spec.name} here; it has mobilenet-v1, -v2 and -v3-...")
    t, root = Table(dialect), f"MobilenetV{version}"
    t.conv_bn("stem", f"{root}/Conv", f"{root}/Conv/BatchNorm", _WEIGHTS, TF_BN, "/")
    for number, b in enumerate(plan.blocks(spec, dialect)):
        block = f"{root}/{numbered('expanded_conv', number)}"
        for part in (["expand"] if b.expands else []) + ["depthwise", "project"]:
            at, names = f"{block}/{part}", _DEPTHWISE if part == "depthwise" else _WEIGHTS
            t.conv_bn(f"{b.prefix}.{part}", at, f"{at}/BatchNorm", names, TF_BN, "/")
        if b.squeeze:
            t.weight_bias(f"{b.prefix}.se.reduce", f"{block}/squeeze_excite/Conv", _WEIGHTS, "/")
            t.weight_bias(f"{b.prefix}.se.expand", f"{block}/squeeze_excite/Conv_1", _WEIGHTS, "/")
    t.conv_bn("head", f"{root}/Conv_1", f"{root}/Conv_1/BatchNorm", _WEIGHTS, TF_BN, "/")
    if spec.head.hidden:
        t.weight_bias("head.hidden", f"{root}/Conv_2", _WEIGHTS, "/")
    t.weight_bias("head.dense", f"{root}/Logits/Conv2d_1c_1x1", _WEIGHTS, "/")
    return t


def _slim_v1(spec, dialect):
    """Convolutions numbered through, the stem's with 0."""
    t, root = Table(dialect), "MobilenetV1"
    t.conv_bn("stem", f"{root}/Conv2d_0", f"{root}/Conv2d_0/BatchNorm", _WEIGHTS, TF_BN, "/")
    for number, b in enumerate(plan.blocks(spec, dialect), 1):
        for part, theirs, names in (("depthwise", "depthwise", _DEPTHWISE), ("project", "pointwise", _WEIGHTS)):
            at = f"{root}/Conv2d_{number}_{theirs}"
            t.conv_bn(f"{b.prefix}.{part}", at, f"{at}/BatchNorm", names, TF_BN, "/")
    t.weight_bias("head.dense", f"{root}/Logits/Conv2d_1c_1x1", _WEIGHTS, "/")
    return t
