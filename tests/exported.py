"""timm's nasnetalarge at half its width, as PyTorch exports it: pads computed from shapes by Ceil, walls of minus infinity."""

import pytest

CLASSES, SIZE = 11, 98  # even at some strides, odd at others: the pads differ


def nasnet(path, is_folded=True):
    """Write the ONNX file; the module, its batch norms with the statistics of images."""
    torch = pytest.importorskip("torch", reason="needs the extra parity: torch is not installed")
    pytest.importorskip("onnx", reason="needs the extra parity: onnx is not installed")
    package = pytest.importorskip("timm.models.nasnet", reason="needs the extra parity: timm is not installed")
    torch.manual_seed(0)
    net = package.NASNetALarge(num_classes=CLASSES, stem_size=48, num_features=2016, drop_rate=0.0)
    for layer in net.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0
    with torch.no_grad():
        net.train()(torch.randn(4, 3, SIZE, SIZE))
    options = {} if is_folded else {"training": torch.onnx.TrainingMode.PRESERVE}
    x = torch.zeros(1, 3, SIZE, SIZE)
    torch.onnx.export(net.eval(), x, path, dynamo=False, do_constant_folding=is_folded, opset_version=17, **options)
    return net
