"""Single ops against PyTorch: every counterpart is the same function, on the cases of selftest."""

import pytest

from refmnas.bench import ops
from refmnas.errors import PeerError, SpecError


def test_ops_are_chosen_by_a_pattern():
    assert ops.names("^conv$") == ["conv"]
    assert set(ops.names("")) == set(ops.FORWARD) == set(ops._PEERS)
    with pytest.raises(SpecError, match="no op matches 'softmax'"):
        ops.names("softmax")
    with pytest.raises(SpecError, match="no regular expression"):
        ops.names("(")


@pytest.mark.parity
@pytest.mark.parametrize("op", ops.FORWARD)
def test_the_counterpart_of_an_op_is_the_same_function(op, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr(ops, "PAIRS", 6)
    monkeypatch.setattr(ops, "SPAN_S", 1e-5)
    found = list(ops.compared(f"^{op}$", 6))
    assert len(found) == 6
    for record in found:
        assert not record["is_wrong"], record["case"]
        assert not record["peer_is_wrong"], record["case"]
        assert record["us"] > 0


def test_without_pytorch_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(PeerError, match=r"pip install 'refmnas\[peers\]'"):
        next(ops.compared("conv", 1))
