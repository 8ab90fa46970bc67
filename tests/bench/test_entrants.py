"""Who takes part: names that are refused, conventions, our plan among fakes; and a profile of its steps."""

import numpy as np
import pytest

from refmnas import kernels, peers
from refmnas.bench import contest, entrants, layers
from refmnas.bench.clock import Rules
from refmnas.bench.entrants import Absent, Entrant
from refmnas.errors import PeerError, SpecError

C = pytest.mark.skipif(not kernels.built(), reason="the C extension is not built")


@pytest.fixture(scope="module")
def net():
    return entrants.network("mnasnet-small", size=33, width=0.35)


def test_without_names_the_rows_of_five_networks():
    assert [model for model, _ in entrants.listed(None)] == [model for model, _ in entrants.ROWS]
    assert len(entrants.ROWS) == 5


def test_conventions_are_those_of_a_published_module():
    assert entrants.listed(["mobilenet-v2", "mnasnet-d1"]) == [("mobilenet-v2", "torchvision"), ("mnasnet-d1", "tf")]
    assert entrants.conventions("efficientnet-lite3") == "timm"
    assert entrants.conventions("mnasnet-b1", "tf") == "tf"


@pytest.mark.parametrize(
    ("models", "source", "said"),
    [
        (["mnasnet-b2"], None, "did you mean"),
        (["mnasnet-b1"], "caffe", "no source 'caffe'"),
        (["none.json"], None, "none.json"),
    ],
)
def test_unknown_networks_and_conventions_are_refused(models, source, said):
    with pytest.raises((SpecError, OSError, ValueError), match=said):
        entrants.listed(models, source)


def test_peers_are_chosen_by_name():
    assert entrants.chosen("all") == peers.names()
    with pytest.raises(SpecError, match="no peer 'caffe', wanted all, none or some of ort"):
        entrants.chosen("ort,caffe")


def test_a_size_without_pixels_is_refused():
    with pytest.raises(SpecError, match="size"):
        entrants.checked("mnasnet-b1", "torchvision", 0)


def test_weights_give_logits_of_an_ordinary_size(net):
    y = entrants.reference(net, entrants.images(net, 2))
    assert y.dtype == np.float64
    assert 0.01 < np.abs(y).max() < 1000
    assert np.abs(y[0] - y[1]).max() > 0


@C
def test_peers_that_are_absent_stand_in_the_list_with_their_reason(net, monkeypatch):
    def absent(name, net, **options):
        raise PeerError(f"{name}: {name} is not installed")

    monkeypatch.setattr(entrants.peers, "build", absent)
    ours, *others = entrants.enter(net, ["ort", "ncnn"], batch=1, threads=1)
    assert isinstance(ours, Entrant)
    assert others == [Absent("ort", "ort is not installed"), Absent("ncnn", "ncnn is not installed")]


@C
@pytest.mark.parametrize(("batch", "threads"), [(1, 1), (3, 2)])
def test_our_plan_meets_the_criterion_against_the_reference(net, batch, threads):
    x = entrants.images(net, batch)
    want = entrants.reference(net, x)
    ours = entrants.ours(net, batch=batch, threads=threads)
    near = want * (1 + 2e-6)
    peer = Entrant("ort", "1", "nearly exact", lambda x: x, lambda x: near)
    rules = Rules(seconds=1e-9, again=0)
    record = contest.cell([ours, peer], x, want, threads=threads, rules=rules)
    assert record["criterion"]["is_met"]
    assert record["batch"] == batch


@C
def test_a_profile_has_every_step_beside_its_bound(net, monkeypatch):
    class Fake:
        version = "9"

        def __init__(self, want):
            self.run = lambda x: want

        def __enter__(self):
            return self

        def __exit__(self, *exception):
            pass

        def profile(self, x, runs):
            return {"head": 5.0, "head.pool": 2.0}

    want = entrants.reference(net, entrants.images(net, 1))
    monkeypatch.setattr(layers.peers, "build", lambda *given, **options: Fake(want))
    record = layers.profile(net, runs=2)
    assert record["error"] < 1e-5
    assert record["peer"] == {"name": "ort", "version": "9", "error": 0.0}
    mean = next(row for row in record["steps"] if "head" in row["names"])
    assert mean["peer_us"] == pytest.approx(7.0 if "head.pool" in mean["names"] else 5.0)
    assert record["total"]["flops"] == layers.work(net).flops
    assert all(row["us"] > 0 and row["bound_us"] >= 0 for row in record["steps"])


@C
def test_a_profile_without_the_peer_says_why(net, monkeypatch):
    def absent(*given, **options):
        raise PeerError("ort: onnxruntime is not installed")

    monkeypatch.setattr(layers.peers, "build", absent)
    record = layers.profile(net, runs=2)
    assert "not installed" in record["peer"]["absent"]
    assert record["total"]["peer_us"] is None
