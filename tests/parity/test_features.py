"""Feature maps against timm's features_only=True, in float64: the same names of strides, channels and values."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra parity: torch is not installed")
timm = pytest.importorskip("timm", reason="needs the extra parity: timm is not installed")
pytestmark = pytest.mark.parity


def script():
    """benchmarks/parity.py, whose draws, mapping and bar these are."""
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "parity.py"
    spec = importlib.util.spec_from_file_location("benchmarks_parity_features", path)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


parity = script()
PEERS = [
    parity.Peer("timm", "semnasnet_100", "mnasnet-a1"),
    parity.Peer("timm", "mobilenetv3_large_100", "mobilenet-v3-large"),
    parity.Peer("timm", "mobilenetv3_small_100", "mobilenet-v3-small"),
    parity.Peer("timm", "tf_efficientnet_b0", "efficientnet-b0", dialect="timm-tf"),
    parity.Peer("timm", "regnetx_004", "regnetx-400mf"),
]


@pytest.mark.parametrize("size", [64, 65])
@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_maps_are_those_of_features_only(peer, size):
    whole = parity.torch_network(peer)
    net = parity.our_network(peer, parity.state_of(whole))
    theirs = timm.create_model(peer.name, features_only=True).double().eval()
    missing, _ = theirs.load_state_dict(whole.state_dict(), strict=False)
    assert missing == []
    x = np.random.default_rng(2).standard_normal((2, size, size + 1, 3))
    with torch.no_grad():
        want = theirs(torch.from_numpy(x.transpose(0, 3, 1, 2).copy()))
    _, maps = net.forward(x, features=True)
    assert list(maps) == theirs.feature_info.reduction()
    assert [m.shape[3] for m in maps.values()] == theirs.feature_info.channels()
    for ours, other in zip(maps.values(), want, strict=True):
        assert parity.relative(ours, other.numpy().transpose(0, 2, 3, 1)) <= parity.BAR
