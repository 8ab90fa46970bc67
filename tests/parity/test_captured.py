"""PyTorch's own runs, captured by hooks: every sound one is within rounding, a planted fault is not."""

import numpy as np
import pytest

from refmnas.errors import DataError
from refmnas.models import build
from refmnas.verify import capture, captured

pytestmark = pytest.mark.parity
torch = pytest.importorskip("torch")

NETWORKS = (
    ("torchvision", "mobilenet_v3_large", "mobilenet-v3-large"), ("torchvision", "mnasnet1_0", "mnasnet-b1"),
    ("torchvision", "mobilenet_v2", "mobilenet-v2"), ("torchvision", "efficientnet_b0", "efficientnet-b0"),
    ("timm", "semnasnet_100", "mnasnet-a1"), ("timm", "mobilenetv3_large_100", "mobilenet-v3-large"),
)  # fmt: skip


def filled(source, theirs):
    """Their module with statistics that are not all zeros and ones, in evaluation."""
    models = pytest.importorskip("torchvision.models" if source == "torchvision" else "timm")
    torch.manual_seed(0)
    module = getattr(models, theirs)(weights=None) if source == "torchvision" else models.create_model(theirs)
    for key, a in module.state_dict().items():
        if key.endswith("running_var") or (a.ndim == 1 and key.endswith("weight")):
            a.uniform_(0.5, 1.5)
        elif a.ndim == 1 and a.is_floating_point():
            a.normal_(0, 0.1)
    return module.eval()


def network(module, source, name):
    return build(name, dialect=source).load({key: a.numpy() for key, a in module.state_dict().items()}, source)


def images(count=2, size=48):
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(1))


def judged(module, net, x):
    report = captured(capture(module, x), net)
    assert report.verdict == "within-rounding", report.headline()
    assert 0.1 < report.largest() <= 1
    assert not [part for part in report.missing if part.arrays]
    return report


@pytest.mark.parametrize(("source", "theirs", "name"), NETWORKS)
def test_eager_runs_are_within_rounding(source, theirs, name):
    """With oneDNN and without, channels first and last, an odd size, one image."""
    module = filled(source, theirs)
    net = network(module, source, name)
    report = judged(module, net, images())
    assert (report.named.source, report.named.layout) == (source, "NCHW")
    with torch.backends.mkldnn.flags(enabled=False):
        judged(module, net, images(1, 51))
    last = module.to(memory_format=torch.channels_last)
    judged(last, net, images().to(memory_format=torch.channels_last))


def test_batch_norm_that_was_folded_is_within_rounding_too():
    """Both in one segment: the capture has the folded convolution under the batch norm's name."""
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    module = filled("torchvision", "mobilenet_v2")
    net = network(module, "torchvision", "mobilenet-v2")
    at = module.features[0]
    at[0], at[1] = fuse_conv_bn_eval(at[0], at[1]), torch.nn.Identity()
    tensors = capture(module, images())
    del tensors["features.0.0"]
    report = captured(tensors, net)
    assert report.verdict == "within-rounding", report.headline()
    assert next(layer for layer in report.layers if layer.name == "stem.bn").op == "conv + batchnorm"


def test_a_wrong_epsilon_in_one_layer_is_found_there():
    module = filled("torchvision", "mobilenet_v3_large")
    net = network(module, "torchvision", "mobilenet-v3-large")
    module.features[3].block[1][1].eps = 1e-5
    report = captured(capture(module, images()), net)
    assert [layer.theirs for layer in report.layers if layer.verdict == "fault"] == ["features.3.block.1.1"]


def test_an_activation_in_place_does_not_reach_what_was_captured_before():
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(inplace=True), torch.nn.Flatten())
    x = torch.randn(5, 3)
    found = capture(module, x)
    assert list(found) == ["input", "0", "1", "2", "output"]
    np.testing.assert_array_equal(found["input"], x.numpy())
    assert found["0"].min() < 0
    np.testing.assert_array_equal(found["1"], np.maximum(found["0"], 0))
    assert not module[0]._forward_hooks


def test_a_module_that_runs_twice_is_left_out_and_what_is_no_tensor_refused():
    act = torch.nn.ReLU()
    assert set(capture(torch.nn.Sequential(act, torch.nn.Linear(3, 3), act), torch.randn(1, 3))) == {"input", "1", "output"}
    with pytest.raises(DataError, match="x is ndarray, wanted a torch.Tensor"):
        capture(act, np.ones(3))
    assert capture(act, torch.ones(1, dtype=torch.bfloat16))["output"].dtype == np.float32


@pytest.mark.parametrize("kind", ["swish", "sigmoid", "hard_swish", "hard_sigmoid", "relu6"])
def test_activations_hold_their_bounds_over_all_magnitudes(kind):
    """Vector bodies and tails; from denormals to where exp overflows."""
    from refmnas.verify.part import IMAGE, Part
    from refmnas.verify.segment import Segment, margin

    f = {"swish": "silu", "sigmoid": "sigmoid", "hard_swish": "hardswish", "hard_sigmoid": "hardsigmoid", "relu6": "relu6"}[
        kind
    ]
    sizes = np.float32(2.0) ** np.linspace(-149, 10, 400_003, dtype=np.float32)
    x = np.concatenate([sizes, -sizes, np.linspace(-120, 120, 400_001, dtype=np.float32)])[None]
    y = getattr(torch.nn.functional, f)(torch.from_numpy(x)) if f != "sigmoid" else torch.sigmoid(torch.from_numpy(x))
    part = Part("p", "act", (IMAGE,), x.shape[1:], options={"kind": kind})
    assert margin(Segment("p", (part,), {IMAGE: x}, y.numpy())) <= 1
