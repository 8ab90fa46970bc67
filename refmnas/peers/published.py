"""The published PyTorch module of a network, filled with its weights; None where there is none.

A module is taken only where the network has its source's conventions unchanged, so that
both compute the same.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from ..errors import SpecError
from ..models import dialect as dialects
from ..models import naming, zoo

_TORCHVISION = {
    ("mnasnet-b1", 0.5): "mnasnet0_5", ("mnasnet-b1", 0.75): "mnasnet0_75", ("mnasnet-b1", 1.0): "mnasnet1_0",
    ("mnasnet-b1", 1.3): "mnasnet1_3", ("mobilenet-v2", 1.0): "mobilenet_v2",
    ("mobilenet-v3-large", 1.0): "mobilenet_v3_large", ("mobilenet-v3-small", 1.0): "mobilenet_v3_small",
    ("regnetx-400mf", 1.0): "regnet_x_400mf", ("regnety-400mf", 1.0): "regnet_y_400mf",
    ("regnety-800mf", 1.0): "regnet_y_800mf", ("regnety-1.6gf", 1.0): "regnet_y_1_6gf",
    **{(f"efficientnet-b{n}", 1.0): f"efficientnet_b{n}" for n in range(8)},
}  # fmt: skip
_TIMM = {
    ("mnasnet-b1", 0.5): "mnasnet_050", ("mnasnet-b1", 0.75): "mnasnet_075", ("mnasnet-b1", 1.0): "mnasnet_100",
    ("mnasnet-b1", 1.4): "mnasnet_140", ("mnasnet-a1", 0.5): "semnasnet_050", ("mnasnet-a1", 0.75): "semnasnet_075",
    ("mnasnet-a1", 1.0): "semnasnet_100", ("mnasnet-a1", 1.4): "semnasnet_140", ("mnasnet-small", 1.0): "mnasnet_small",
    ("mobilenet-v2", 0.5): "mobilenetv2_050", ("mobilenet-v2", 1.0): "mobilenetv2_100",
    ("mobilenet-v2", 1.4): "mobilenetv2_140", ("mobilenet-v1", 1.0): "mobilenetv1_100", ("fbnet-c", 1.0): "fbnetc_100",
    ("mobilenet-v3-large", 0.75): "mobilenetv3_large_075", ("mobilenet-v3-large", 1.0): "mobilenetv3_large_100",
    ("mobilenet-v3-small", 0.75): "mobilenetv3_small_075", ("mobilenet-v3-small", 1.0): "mobilenetv3_small_100",
    ("regnetx-400mf", 1.0): "regnetx_004", ("regnety-800mf", 1.0): "regnety_008",
    ("nasnet-a-large", 1.0): "nasnetalarge",
}  # fmt: skip
_EFFICIENT = "efficientnet-"


def name_of(net):
    """(source, the published name) of the module that computes what `net` does, or None.

    >>> from refmnas.models import build
    >>> name_of(build("mnasnet-a1", dialect="timm")), name_of(build("mnasnet-a1", dialect="tf"))
    (('timm', 'semnasnet_100'), None)
    """
    spec, source = net.spec, net.dialect.source
    if spec.name not in zoo.SPECS or net.dialect != dialects.of(source, spec.name):
        return None
    table = zoo.get(spec.name)
    width = spec.width / table.width
    free = {"size": spec.size, "drop_path": spec.drop_path, "head": replace(table.head, **_free(spec.head))}
    try:
        if spec != replace(zoo.get(spec.name, width), **free):
            return None
    except SpecError:
        return None
    if spec.name.startswith(_EFFICIENT) and source != "torchvision":
        prefix = {"timm": "", "timm-tf": "tf_"}.get(source) if width == 1 else None
        return None if prefix is None else ("timm", prefix + spec.name.replace("-", "_"))
    name = {"torchvision": _TORCHVISION, "timm": _TIMM}.get(source, {}).get((spec.name, round(width, 9)))
    return (source, name) if name else None


def _free(head):
    return {"classes": head.classes, "dropout": head.dropout}


def module(net):
    """(the module in evaluation, "torchvision mnasnet1_0"), or None where none is published or it is not installed."""
    found = name_of(net)
    if found is None:
        return None
    source, name = found
    try:
        import torch

        if source == "torchvision":
            import torchvision

            network = getattr(torchvision.models, name)(num_classes=net.spec.head.classes)
        else:
            import timm

            network = timm.create_model(name, num_classes=net.spec.head.classes)
    except ImportError:
        return None
    state = OrderedDict((key, torch.from_numpy(a)) for key, a in net.state(names=source).items())
    state._metadata = naming.metadata(net.spec, source) or {}  # type: ignore[attr-defined]
    missing, unknown = network.load_state_dict(state, strict=False)
    if unknown or any(not key.endswith(".num_batches_tracked") for key in missing):
        return None
    return network.float().eval(), f"{source} {name}"
