"""A network's parts compute the network: unfolded, in order, in every kind of table and for a graph."""

import numpy as np
import pytest
from onnx_files import encode, model, node, value
from sound_runs import filled, tensors

from refmnas.io import onnx
from refmnas.models import fold
from refmnas.verify.part import IMAGE, WITH_PARAMETERS
from refmnas.verify.parts import of_graph, of_network
from refmnas.verify.segment import Segment, followed, margin

NETWORKS = (
    ("mnasnet-a1", 0.35, "tf"), ("mobilenet-v3-small", 0.35, "torchvision"), ("mobilenet-v1", 0.25, "slim"),
    ("efficientnet-b0", 0.35, "timm"), ("regnety-200mf", 1.0, "pycls"), ("nasnet-a-mobile", 0.25, "pretrainedmodels"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "width", "source"), NETWORKS)
def test_the_parts_are_the_network(name, width, source):
    net = filled(name, width, source, dtype=np.float64)
    size = (32, 32) if name.startswith("nasnet") else (32, 35)
    parts = of_network(net, size)
    x = np.random.default_rng(0).standard_normal((1, *size, 3))
    exact = Segment("y", tuple(parts), {IMAGE: x}, net.forward(x))
    y = followed(exact).value
    np.testing.assert_allclose(y, exact.came, rtol=0, atol=1e-9 * np.abs(y).max())
    held = {key for part in parts for key in [f"{part.name}.{k}" for k in part.arrays]}
    assert held == {key for key, _ in net._chain.named_params()}
    assert [part.shape for part in parts][-1] == y.shape[1:]


def test_every_part_of_a_sound_run_is_within_its_bound():
    net = filled("mobilenet-v3-small", 0.35, "torchvision")
    parts = of_network(net, 32)
    values = tensors(parts, np.random.default_rng(0).standard_normal((2, 32, 32, 3)).astype(np.float32))
    worst = {}
    for part in parts:
        feeds = {name: values[name] for name in part.inputs}
        worst[part.name] = margin(Segment(part.name, (part,), feeds, values[part.name]))
    assert max(worst.values()) <= 1
    assert sum(part.op in WITH_PARAMETERS for part in parts) > 50


def test_a_graph_of_folded_steps_has_its_tensors_as_parts(tmp_path):
    net = filled("mobilenet-v3-small", 0.35, "torchvision")
    onnx.save(tmp_path / "a.onnx", fold.nodes(net, 32))
    graph = onnx.load(tmp_path / "a.onnx")
    x = np.random.default_rng(0).standard_normal((1, 32, 32, 3)).astype(np.float32)
    (image,) = graph.inputs
    values, came = {IMAGE: x}, graph.intermediates({image: x.transpose(0, 3, 1, 2).copy()})
    for part in of_graph(graph):
        y = came[part.name]
        y = y.reshape(1, -1) if len(part.shape) == 1 else y.transpose(0, 2, 3, 1)
        feeds = {name: values[name] for name in part.inputs}
        assert margin(Segment(part.name, (part,), feeds, y)) <= 1, part.name
        values[part.name] = y


def test_a_graph_keeps_batch_norm_as_a_part(tmp_path):
    rng = np.random.default_rng(1)
    arrays = {"w": rng.standard_normal((4, 3, 3, 3)), **{k: rng.random(4) + 0.5 for k in ("g", "b", "m", "v")}}
    nodes = [
        node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1], strides=[2, 2]),
        node("BatchNormalization", ["c", "g", "b", "m", "v"], ["n"], epsilon=1e-3),
        node("Relu", ["n"], ["r"]),
        node("GlobalAveragePool", ["r"], ["y"]),
    ]
    inputs, outputs = [value("x", "f4", (1, 3, 8, 8))], [value("y", "f4", (1, 4, 1, 1))]
    constants = {key: np.float32(a) for key, a in arrays.items()}
    (tmp_path / "a.onnx").write_bytes(encode(model(nodes, inputs, outputs, constants)))
    parts = of_graph(onnx.load(tmp_path / "a.onnx"))
    assert [(p.name, p.op) for p in parts] == [("c", "conv"), ("n", "batchnorm"), ("r", "act"), ("y", "pool")]
    assert parts[1].options == {"eps": pytest.approx(1e-3)}
    assert parts[0].options["pad"] == (1, 1, 1, 1)
    assert set(parts[0].arrays) == {"w"}
    assert parts[1].inputs == ("c",)
