"""Against torchvision and timm in float64: every row of benchmarks/parity.py within its bar."""

import importlib.util
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra parity")
pytest.importorskip("timm", reason="needs the extra parity")
pytestmark = pytest.mark.parity

PATH = Path(__file__).resolve().parents[2] / "benchmarks" / "parity.py"
SPEC = importlib.util.spec_from_file_location("parity_benchmark", PATH)
parity = sys.modules["parity_benchmark"] = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(parity)


@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("size", parity.SIZES)
@pytest.mark.parametrize("peer", parity.PEERS, ids=lambda peer: peer.name)
def test_logits_gradients_and_statistics_agree(peer, size, mode):
    row = parity.compare(peer, size, mode)
    assert row.largest <= parity.BAR, row


@pytest.mark.parametrize("peer", parity.PEERS, ids=lambda peer: peer.name)
def test_the_state_comes_back_as_it_was(peer):
    state = parity.state_of(parity.torch_network(peer))
    back = parity.our_network(peer, state).state(peer.source)
    assert back.keys() == state.keys()
    assert all((back[name] == state[name]).all() for name in state)
