"""What all peers promise, with runtimes that are absent, broken or fakes."""

import subprocess
import sys
from dataclasses import replace
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from networks import image, stirred

from refmnas import peers
from refmnas.errors import DtypeError, PeerError, ShapeError, SpecError
from refmnas.models import build, dialect, zoo
from refmnas.peers import base, ort, published

RUNTIMES = ("onnxruntime", "openvino", "torch", "torchvision", "timm", "ncnn", "ai_edge_litert")


@pytest.fixture(scope="module")
def net():
    return stirred("mnasnet-small", "timm", width=0.35, classes=5, size=33)


def test_nothing_is_imported_before_a_peer_is_built():
    code = f"import sys, refmnas.peers as p; p.available(); sys.exit(len(set(sys.modules) & {set(RUNTIMES)!r}))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_an_absent_package_gives_its_reason(net, monkeypatch):
    monkeypatch.setattr(base.util, "find_spec", lambda name: None)
    found = peers.available()
    assert list(found) == peers.names()
    for name, told in found.items():
        assert not told
        assert "is not installed: pip install 'refmnas[peers]'" in told.reason
        assert str(told).startswith("absent: ")
        with pytest.raises(PeerError, match=f"{name}: .* is not installed"):
            peers.build(name, net)


def test_a_broken_package_gives_its_reason(net, monkeypatch):
    def broken(package):
        raise OSError("libgomp.so.1: cannot open shared object file")

    monkeypatch.setattr(base.util, "find_spec", lambda name: object())
    monkeypatch.setattr(base.metadata, "version", lambda name: "9.9")
    monkeypatch.setattr(base, "import_module", broken)
    assert all(told.version == "9.9" for told in peers.available().values())
    for name in peers.names():
        with pytest.raises(PeerError, match=rf"{name}: [\w.]+ cannot be imported: libgomp"):
            peers.build(name, net)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("caffe", {}, "no 'caffe', wanted one of ort, openvino"),
        ("ort", {"batch": 0}, "batch is 0, wanted 1 to"),
        ("ort", {"threads": 0}, "threads is 0, wanted 1 to 1024"),
        ("ort", {"threads": 100_000}, "threads is 100000"),
        ("ort", {"threads": True}, "threads is True"),
        ("ort", {"size": 0}, "size is 0, wanted at least 1 pixel"),
    ],
)
def test_options_that_cannot_be_are_refused(net, name, options, said):
    with pytest.raises(SpecError, match=said):
        peers.build(name, net, **options)


def installed(monkeypatch, name, **contents):
    """A module `name` that is there, with a version."""
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    vars(module).update(contents)
    monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(base.metadata, "version", lambda package: f"0.0+{package}")
    return module


class Session:
    """A fake onnxruntime.InferenceSession that answers with the mean of the image."""

    def __init__(self, model, settings, providers):
        self.settings, self.providers = settings, providers
        assert isinstance(model, bytes)

    def run(self, names, feeds):
        assert names == ["logits"]
        x = feeds["input"]
        assert x.flags.c_contiguous
        assert x.shape[1] == 3
        return [np.repeat(x.mean((1, 2, 3))[:, None], 5, 1)]


def test_onnxruntime_gets_the_threads_and_all_optimisations(net, monkeypatch):
    levels = SimpleNamespace(ORT_ENABLE_ALL="all", ORT_DISABLE_ALL="none")
    modes = SimpleNamespace(ORT_SEQUENTIAL="sequential")
    installed(monkeypatch, "onnxruntime", SessionOptions=SimpleNamespace, GraphOptimizationLevel=levels,
              ExecutionMode=modes, InferenceSession=Session)  # fmt: skip
    with peers.build("ort", net, batch=2, threads=3) as peer:
        assert (peer.name, peer.version, peer.threads, peer.precision) == ("ort", "0.0+onnxruntime", 3, "float32")
        assert "0.0+onnxruntime" in peer.description
        settings = peer._session.settings
        assert settings.graph_optimization_level == "all"
        assert (settings.intra_op_num_threads, settings.inter_op_num_threads) == (3, 1)
        assert settings.execution_mode == "sequential"
        assert peer._session.providers == ["CPUExecutionProvider"]
        x = image(33, 2)
        assert np.allclose(peer.run(x), x.mean((1, 2, 3))[:, None])
        for wrong, error, said in (
            (x.astype(np.float64), DtypeError, "x is float64, wanted a float32 array"),
            (x.tolist(), DtypeError, "x is list"),
            (x[:1], ShapeError, r"wanted \(2, 33, 33, 3\), what the peer was built for"),
            (x.transpose(0, 3, 1, 2), ShapeError, r"shape \(2, 3, 33, 33\)"),
        ):
            with pytest.raises(error, match=said):
                peer.run(wrong)


def test_openvino_gets_the_threads_and_float32(net, monkeypatch):
    asked, taken = {}, 2

    class Core:
        def read_model(self, model, weights):
            return model

        def compile_model(self, model, device, settings):
            asked.update(settings, device=device)
            return SimpleNamespace(get_property=lambda key: taken, create_infer_request=object)

    installed(monkeypatch, "openvino", Core=Core)
    peers.build("openvino", net, threads=2).close()
    assert asked == {
        "device": "CPU", "INFERENCE_NUM_THREADS": 2, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
    }  # fmt: skip
    taken = 1
    with pytest.raises(PeerError, match="openvino: took 1 threads, wanted 2"):
        peers.build("openvino", net, threads=2)


class Interpreter:
    """A fake ai_edge_litert.interpreter.Interpreter that answers with the mean of the image."""

    def __init__(self, *, model_content, num_threads, experimental_op_resolver_type):
        assert model_content[4:8] == b"TFL3"
        self.threads, self.kind = num_threads, experimental_op_resolver_type

    def allocate_tensors(self):
        self.is_ready = True

    def get_input_details(self):
        return [{"index": 0, "name": "input"}]

    def get_output_details(self):
        return [{"index": 9, "name": "logits"}]

    def set_tensor(self, index, x):
        assert (index, self.is_ready, x.flags.c_contiguous, x.shape[3]) == (0, True, True, 3)
        self.x = x

    def invoke(self):
        self.y = np.repeat(self.x.mean((1, 2, 3))[:, None], 5, 1)

    def get_tensor(self, index):
        assert index == 9
        return self.y


def test_litert_gets_the_threads_and_its_delegate(net, monkeypatch):
    module = installed(monkeypatch, "ai_edge_litert.interpreter", Interpreter=Interpreter,
                       OpResolverType=SimpleNamespace(BUILTIN="with delegates"))  # fmt: skip
    installed(monkeypatch, "ai_edge_litert", interpreter=module, __path__=[])
    with peers.build("litert", net, batch=2, threads=3) as peer:
        assert (peer.threads, peer.version) == (3, "0.0+ai_edge_litert")
        assert (peer._interpreter.threads, peer._interpreter.kind) == (3, "with delegates")
        x = image(33, 2)
        assert np.allclose(peer.run(x), x.mean((1, 2, 3))[:, None])
        assert np.allclose(peer.run(x[:, ::-1]), x.mean((1, 2, 3))[:, None])


def test_a_runtime_that_refuses_is_named(net, monkeypatch):
    def refuse():
        raise RuntimeError("Unsupported model IR version: 8")

    installed(monkeypatch, "openvino", Core=refuse)
    with pytest.raises(PeerError, match="openvino: refuses mnasnet-small: Unsupported model IR"):
        peers.build("openvino", net)


def test_what_a_peer_cannot_tell_it_says(net, monkeypatch):
    installed(monkeypatch, "onnxruntime")
    peer = type("Some", (base.Peer,), {"name": "some", "PACKAGES": ("onnxruntime",)})(net, batch=1, size=(8, 8), threads=1)
    for call in (peer.intermediates, peer.profile):
        with pytest.raises(PeerError, match=r"some: has no .*ort"):
            call(None)


def test_profiled_nodes_go_to_their_steps():
    def event(name, dur, cat="Node"):
        return {"cat": cat, "name": name, "dur": dur}

    one = [event("a_nchwc_kernel_time", 5), event("Reorder_kernel_time", 1), event("a.b_kernel_time", 7)]
    other = [event("a_fence_before", 99), event("model_run", 99, "Session"), event("c/relu_kernel_time", 2)]
    events = [dict(e, dur=e["dur"] + extra) for extra in (100, 0, 0, 9) for e in one + other]
    assert ort.attributed(events, ["a", "a.b", "b", "c"], 3) == {"a": 6, "a.b": 7, "c": 2}


@pytest.mark.parametrize(
    ("network", "options", "name"),
    [
        ("mnasnet-b1", {"dialect": "torchvision"}, ("torchvision", "mnasnet1_0")),
        ("mnasnet-b1", {"dialect": "timm", "classes": 7, "dropout": 0.1}, ("timm", "mnasnet_100")),
        ("mnasnet-b1", {"dialect": "torchvision", "width": 0.5}, ("torchvision", "mnasnet0_5")),
        ("mnasnet-b1", {"dialect": "torchvision", "width": 0.6}, None),
        ("mnasnet-b1", {"dialect": "tf"}, None),
        ("mnasnet-a1", {"dialect": "timm", "size": 96}, ("timm", "semnasnet_100")),
        ("mnasnet-small", {"dialect": "timm"}, ("timm", "mnasnet_small")),
        ("mobilenet-v2", {"dialect": "torchvision"}, ("torchvision", "mobilenet_v2")),
        ("mobilenet-v2", {"dialect": "keras"}, None),
        ("efficientnet-lite2", {"dialect": "timm"}, ("timm", "efficientnet_lite2")),
        ("efficientnet-lite0", {"dialect": "timm-tf"}, ("timm", "tf_efficientnet_lite0")),
        ("efficientnet-lite0", {"dialect": "timm", "width": 0.5}, None),
        ("mnasnet-d1", {}, None),
        ("mobilenet-v3-large", {"dialect": "torchvision"}, ("torchvision", "mobilenet_v3_large")),
        ("mobilenet-v3-large", {"dialect": "slim"}, None),
        ("mobilenet-v3-small", {"dialect": "timm", "width": 0.75}, ("timm", "mobilenetv3_small_075")),
        ("efficientnet-b0", {"dialect": "torchvision"}, ("torchvision", "efficientnet_b0")),
        ("efficientnet-b3", {"dialect": "timm-tf"}, ("timm", "tf_efficientnet_b3")),
        ("fbnet-c", {"dialect": "timm"}, ("timm", "fbnetc_100")),
        ("fbnet-c", {"dialect": "official"}, None),
        ("regnety-800mf", {"dialect": "torchvision"}, ("torchvision", "regnet_y_800mf")),
    ],
)
def test_a_published_module_is_taken_where_it_computes_the_same(network, options, name):
    assert published.name_of(build(network, **options)) == name


@pytest.mark.parametrize(("source", "options", "name"), [
    ("timm", {}, ("timm", "nasnetalarge")), ("timm", {"merge": (3,)}, None), ("timm", {"auxiliary": 0.4}, None),
    ("slim", {}, None), ("pretrainedmodels", {}, None),
])  # fmt: skip
def test_timms_large_nasnet_is_taken_in_its_own_conventions(source, options, name):
    """Of the table and the dialect alone: 88 million weights need not be drawn."""
    spec = replace(zoo.get("nasnet-a-large"), **options)
    assert published.name_of(SimpleNamespace(spec=spec, dialect=dialect.of(source, spec.name))) == name


def test_no_published_module_is_taken_for_other_conventions():
    conventions = replace(dialect.of("timm", "mnasnet-a1"), bn_eps=1e-3)
    assert published.name_of(build("mnasnet-a1", dialect=conventions)) is None
    spec = build("mnasnet-a1").spec
    assert published.name_of(build(replace(spec, activation="relu6"), dialect="timm")) is None
