"""Against torchvision and timm: every row of benchmarks/parity.py and benchmarks/photographs.py within its bar."""

import importlib.util
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra parity: torch is not installed")
pytest.importorskip("torchvision", reason="needs the extra parity: torchvision is not installed")
pytest.importorskip("timm", reason="needs the extra parity: timm is not installed")
pytestmark = pytest.mark.parity


def script(name):
    """benchmarks/NAME.py as a module: what a person runs and what is tested is one text."""
    path = Path(__file__).resolve().parents[2] / "benchmarks" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", path)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


parity, photographs = script("parity"), script("photographs")


# The peer varies slowest: both networks are built once for its four rows.
@pytest.mark.parametrize(
    ("peer", "size", "mode"),
    [
        pytest.param(peer, size, mode, id=f"{peer.source}-{peer.name}-{size}-{mode}")
        for peer in parity.PEERS
        for size in parity.SIZES
        for mode in ("eval", "train")
    ],
)
def test_logits_every_gradient_and_statistics_agree(peer, size, mode):
    row = parity.compare(peer, size, mode)
    network, _ = parity.both(peer)
    assert row.count_gradients == len(list(network.parameters()))
    assert row.largest <= parity.BAR, row


@pytest.mark.parametrize("peer", parity.PEERS, ids=lambda peer: f"{peer.source}-{peer.name}")
def test_the_state_comes_back_as_it_was_and_torch_takes_it(peer):
    network = parity.torch_network(peer)
    state = parity.state_of(network)
    net = parity.our_network(peer, state)
    back = net.state(peer.source)
    assert back.keys() == state.keys()
    assert all(np.array_equal(back[name], state[name]) and back[name].dtype == state[name].dtype for name in state)
    other = parity.torch_network(peer, seed=1)
    other.load_state_dict(parity.torch_state(net, peer), strict=True)
    assert all(np.array_equal(a, state[name]) for name, a in parity.state_of(other).items())


def test_a_version_1_file_loads_as_torchvision_loads_it():
    """Stem and first block unscaled: torchvision rebuilds its layers, and so do we, told by the shapes alone."""
    peer = parity.PEERS[0]
    network = parity.torch_network(peer)
    net = parity.our_network(peer, parity.state_of(network))
    shapes = parity.naming.inventory.of(parity.naming.version_1(net.spec), net.dialect)
    rng = np.random.default_rng(3)
    old = {k: np.zeros(a.shape) for k, a in shapes.items()}
    old = parity.naming.write(old, parity.naming.version_1(net.spec), net.dialect, "torchvision")
    # torchvision makes its new layers in float32, so the weights are numbers that float32 holds
    old = {k: parity.drawn(k, a.shape, rng).astype(np.float32) for k, a in old.items()}
    mapping = OrderedDict((k, torch.from_numpy(a)) for k, a in old.items())
    mapping._metadata = {"": {"version": 1}}
    with pytest.warns(UserWarning, match="A new version"):
        network.load_state_dict(mapping, strict=False)  # there are no counters
    net.load(old)
    x, dy = rng.standard_normal((2, 33, 34, 3)), rng.standard_normal((2, 1000))
    want = parity.torch_step(network.double(), x, dy, train=False)
    assert parity.relative(net.forward(x), want[0]) <= parity.BAR
    assert parity.relative(net.backward(dy), want[1]) <= parity.BAR
    assert max(parity.relative_gradients(net.gradients("torchvision"), want[2]).values()) <= parity.BAR
    assert parity.naming.metadata(net.spec, "torchvision") == {"": {"version": 1}}


def test_the_bar_fails_a_wrong_epsilon():
    """What the comparison is worth: one convention of the ten, off as tf has it, is seen in every figure."""
    peer = parity.Peer("timm", "mnasnet_small", "mnasnet-small", dialect="timm-tf")
    row = parity.compare(peer, 32, "eval")
    assert min(row.logits, row.gradients, row.input_gradient) > 1e6 * parity.BAR


@pytest.mark.parametrize("weights", photographs.WEIGHTS, ids=lambda weights: f"{weights.ours}-{weights.dialect}")
def test_real_weights_see_in_photographs_what_pytorch_sees(weights):
    for module in ("PIL", "skimage", weights.module):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed: needs the extra demo, and {weights.module}")
    rows = list(photographs.compare(weights))
    assert len(rows) == len(weights.rules) * len(photographs.PHOTOGRAPHS)
    for row in rows:
        assert row.holds, row
        assert row.float64 <= parity.BAR, row
    whole = [row for row in rows if row.rule == "whole"]
    for row, probability in zip(whole, weights.probability, strict=False):
        assert round(row.probability, 2) == probability, row
