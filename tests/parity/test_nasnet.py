"""NASNet-A mobile against pretrainedmodels 0.7.4: logits, every gradient, running statistics, in float64."""

import importlib.metadata
import importlib.util
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra parity: torch is not installed")

from refmnas.layout import to_nhwc  # noqa: E402
from refmnas.models import nasnet  # noqa: E402

pytestmark = pytest.mark.parity
BAR = 1e-10  # as of the other networks: benchmarks/parity.py


def theirs():
    """The package's one file: the rest of it wants more packages than it says."""
    try:
        package = importlib.metadata.distribution("pretrainedmodels")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("pretrainedmodels is not installed: pip install --no-deps pretrainedmodels==0.7.4")
    path = package.locate_file("pretrainedmodels/models/nasnet_mobile.py")
    spec = importlib.util.spec_from_file_location("nasnet_mobile", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    torch.manual_seed(0)
    model = module.NASNetAMobile(num_classes=1000).double()
    model.dropout.p = 0.0
    for name, p in model.named_parameters():
        if "bn" in name:  # gammas of 1 and betas of 0 would hide an exchange
            torch.nn.init.uniform_(p, 0.5, 1.5) if name.endswith("weight") else torch.nn.init.uniform_(p, -0.5, 0.5)
    return model


def their_name(ours):
    """Our full name of an array in pretrainedmodels' words."""
    node, *rest = ours.split(".")
    leaf = {"gamma": "weight", "beta": "bias", "mean": "running_mean", "var": "running_var", "w": "weight", "b": "bias"}
    last, inside = leaf[rest[-1]], rest[:-1]
    if node == "head":
        return f"last_linear.{last}"
    if node == "stem":
        return f"conv0.{inside[0]}.{last}"
    kind, number = node.split("_")
    k = int(number)
    number = k + 2 * (k // 4) if kind == "cell" else k  # the reduction cells are counted along
    cell = {"stem": "cell_stem", "reduction": "reduction_cell", "cell": "cell"}[kind] + f"_{number}"
    if inside[0] in ("h0", "h1"):
        tail = inside[1]
        if inside[0] == "h1" and tail.startswith("path"):
            return f"{cell}.{tail}.conv.{last}"
        return f"{cell}.{'conv_1x1' if inside[0] == 'h0' else 'conv_prev_1x1'}.{tail}.{last}"
    h, side = inside[0].split("_")
    part, step = inside[1][:-1], inside[1][-1]
    layer = f"bn_sep_{step}" if part == "bn" else f"separable_{step}.{part}_conv2d"
    return f"{cell}.comb_iter_{int(h[1:]) - 2}_{side}.{layer}.{last}"


def filled(model):
    """Our graph with the model's arrays, and the name of each over there."""
    there = {name: a.detach().numpy() for name, a in model.state_dict().items()}
    conventions = replace(nasnet.SLIM, bn_momentum=0.1, dtype=np.float64)
    graph = nasnet.mobile(dropout=0.0, conventions=conventions)
    names = {}
    for name, p in graph.named_params():
        other = their_name(name)
        if other not in there:  # the factorised reduction's norm has a name of its own
            other = other.replace("conv_prev_1x1.bn", "final_path_bn")
        names[name] = other
        p.value[...] = to_nhwc(p.kind, there[other])
    assert len(set(names.values())) == len(names)
    assert set(names.values()) == {name for name in there if not name.endswith("num_batches_tracked")}
    return graph, names


def worst(ours, other):
    """The largest deviation, relative where values exceed 1."""
    return float(np.max(np.abs(ours - other)) / max(1.0, np.abs(other).max()))


@pytest.mark.parametrize("train", [False, True])
def test_logits_every_gradient_and_statistics_agree(train):
    model = theirs().train(train)
    graph, names = filled(model)
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 224, 224, 3)), rng.standard_normal((2, 1000))
    there = torch.tensor(x.transpose(0, 3, 1, 2).copy(), requires_grad=True)
    logits = model(there)
    logits.backward(torch.tensor(dy))
    y = graph.forward(x, train)
    dx = graph.backward(dy)
    deviations = {"logits": worst(y, logits.detach().numpy())}
    deviations["image"] = worst(dx, there.grad.numpy().transpose(0, 2, 3, 1))
    grads = {name: p.grad.numpy() for name, p in model.named_parameters()}
    state = model.state_dict()
    for name, p in graph.named_params():
        other = grads[names[name]] if p.trainable else state[names[name]].numpy()
        deviations[name] = worst(p.grad if p.trainable else p.value, to_nhwc(p.kind, other))
    name = max(deviations, key=deviations.get)
    print(f"largest deviation {deviations[name]:.2e} ({name}) of {len(deviations)}")
    assert deviations[name] <= BAR, (name, deviations[name])
