"""NASNet-A against pretrainedmodels 0.7.4 and timm: logits, every gradient, running statistics, in float64."""

from dataclasses import replace

import numpy as np
import pytest
from pretrained import prepared, theirs

torch = pytest.importorskip("torch", reason="needs the extra parity: torch is not installed")

from refmnas.layout import to_nhwc  # noqa: E402
from refmnas.models import build, cost  # noqa: E402

pytestmark = pytest.mark.parity
BAR = 1e-10  # as of the other networks: benchmarks/parity.py


def ours(name, model, size, dialect="pretrainedmodels"):
    """Our network of any dialect with the model's arrays."""
    net = build(name, size=size, dialect=dialect, dropout=0.0, dtype=np.float64)
    state = {key: a.numpy() for key, a in model.state_dict().items()}
    return net.load(state, "pretrainedmodels" if dialect == "slim" else dialect)


def worst(ours, other):
    """The largest deviation, relative where values exceed 1."""
    return float(np.max(np.abs(ours - other)) / max(1.0, np.abs(other).max()))


def logits(model, x):
    with torch.no_grad():
        return model.eval()(torch.from_numpy(x.transpose(0, 3, 1, 2).copy())).numpy()


def image(size, count=2):
    return np.random.default_rng(0).standard_normal((count, size, size, 3))


@pytest.fixture(scope="module")
def mobile():
    return theirs("nasnet-a-mobile")


@pytest.mark.parametrize(
    ("size", "train"), [(63, True), (66, False), (66, True), pytest.param(224, True, marks=pytest.mark.slow)]
)
def test_logits_every_gradient_and_statistics_agree(mobile, size, train):
    """At 66 the stem's cell reads an even image, for which the package's padding is not TensorFlow's."""
    model = mobile.train(train)
    model.zero_grad()
    net = ours("nasnet-a-mobile", model, size)
    x = image(size)
    dy = np.random.default_rng(1).standard_normal((2, 1000))
    there = torch.tensor(x.transpose(0, 3, 1, 2).copy(), requires_grad=True)
    result = model(there)
    result.backward(torch.tensor(dy))
    deviations = {"logits": worst(net.forward(x, train), result.detach().numpy())}
    deviations["image"] = worst(net.backward(dy), there.grad.numpy().transpose(0, 2, 3, 1))
    gradients, state = net.gradients("pretrainedmodels"), net.state("pretrainedmodels")
    parameters = dict(model.named_parameters())
    assert set(gradients) == set(parameters)
    deviations |= {name: worst(g, parameters[name].grad.numpy()) for name, g in gradients.items()}
    other = {name: a.numpy() for name, a in model.state_dict().items() if name.endswith(("running_mean", "running_var"))}
    deviations |= {name: worst(state[name], a) for name, a in other.items()}
    assert len(deviations) == 2 + len(state) - sum(name.endswith("num_batches_tracked") for name in state)
    name = max(deviations, key=deviations.get)
    print(f"size {size}, train {train}: largest deviation {deviations[name]:.2e} ({name}) of {len(deviations)}")
    assert deviations[name] <= BAR, (name, deviations[name])


def test_the_padding_of_the_package_is_another_than_slims(mobile):
    """At 224 both are one; at 66 they are not, by far more than rounding."""
    want = logits(mobile, image(66))
    assert worst(ours("nasnet-a-mobile", mobile, 66, "slim").forward(image(66)), want) > 1e4 * BAR
    x = image(224, 1)
    assert worst(ours("nasnet-a-mobile", mobile, 224, "slim").forward(x), logits(mobile, x)) <= BAR


@pytest.mark.slow
@pytest.mark.parametrize("size", [43, 46])
def test_the_large_networks_logits_agree(size):
    """Maps of 21, 11, 6, 3, 2 pixels across, odd and even as at 331; 46 begins with 22."""
    model = theirs("nasnet-a-large")
    net = ours("nasnet-a-large", model, size)
    deviation = worst(net.forward(image(size)), logits(model, image(size)))
    print(f"size {size}: {deviation:.2e}")
    assert deviation <= BAR
    count = sum(p.numel() for p in model.parameters())
    assert cost.totals(net.cost()).parameters == count == 88_753_150


@pytest.mark.slow
def test_timms_large_network_agrees():
    """Its average pools of stride 2 count the zeros that it pads with: at any size, and by far more than rounding."""
    timm = pytest.importorskip("timm", reason="needs the extra parity: timm is not installed")
    model = prepared(timm.create_model("nasnetalarge"))
    net = ours("nasnet-a-large", model, 46, "timm")
    deviation = worst(net.forward(image(46)), logits(model, image(46)))
    print(f"timm: {deviation:.2e}")
    assert deviation <= BAR
    state = {key: a.numpy() for key, a in model.state_dict().items()}
    dialect = replace(net.dialect, strided_pool_counts=False)
    other = build("nasnet-a-large", size=46, dialect=dialect, dropout=0.0, dtype=np.float64).load(state, "timm")
    assert worst(other.forward(image(46)), logits(model, image(46))) > 1e4 * BAR


def test_the_state_comes_back_as_it_was_and_torch_takes_it(mobile):
    state = {key: a.numpy() for key, a in mobile.state_dict().items()}
    net = build("nasnet-a-mobile", dtype=np.float64).load(state)
    back = net.state("pretrainedmodels")
    assert back.keys() == state.keys()
    assert all(np.array_equal(back[key], a) and back[key].dtype == a.dtype for key, a in state.items())
    w = net.state()["cell_11.h2_left.depthwise1.w"]
    assert np.array_equal(w, to_nhwc("depthwise", state["cell_15.comb_iter_0_left.separable_1.depthwise_conv2d.weight"]))
