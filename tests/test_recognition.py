"""Graphs that are networks of the zoo are recognised, with their weights; others are not."""

import exported
import numpy as np
import pytest
from networks import SOURCES, every_step, few_first, image, stirred
from onnx_files import encode, model, node, value
from pretrained import theirs as nasnet

import refmnas
from refmnas import layout
from refmnas.bounds import gamma
from refmnas.io import onnx, tflite
from refmnas.models import build, dialect, fold
from refmnas.recognition import reduce

# One of each kind of step in the fast suite, all in the slow tests.
FEW = ("mnasnet-a1", "mobilenet-v2", "mobilenet-v3-small", "fbnet-c", "regnety-200mf")
FAST = [(row, 17) for row in SOURCES if row[0] in FEW]


def written(path, steps, **options):
    onnx.save(path, steps, **options)
    return onnx.load(path)


WRITTEN = (*SOURCES, ("mnasnet-small", "timm"), ("efficientnet-lite1", "tf"))
BOTH = [pytest.param(*row, opset, marks=pytest.mark.slow) for row in WRITTEN for opset in (7, 17) if (row, opset) not in FAST]


@pytest.mark.parametrize(("name", "source", "opset"), [*((*row, opset) for row, opset in FAST), *BOTH])
def test_what_our_writer_wrote_is_recognised_with_the_same_weights(tmp_path, name, source, opset):
    net = stirred(name, source, width=0.5, classes=7, size=65)
    steps = fold.nodes(net, 65)
    found = refmnas.recognise(written(tmp_path / "a.onnx", steps, opset=opset))
    assert (found.model, found.width, found.classes, found.size) == (name, 0.5, 7, 65)
    assert source in found.dialects
    again = fold.nodes(found.network(), 65)
    for ours, theirs in zip(again, steps, strict=True):
        for key in ("name", "op", "inputs", "pad", "act"):
            assert getattr(ours, key) == getattr(theirs, key)
        if ours.w is not None:  # folding with the identity gives back the very weights
            assert np.array_equal(ours.w, theirs.w)
            assert np.array_equal(ours.b, theirs.b)


# Narrow ones of the published depth; the auxiliary head and drop-path are no part of what is written.
CELLS = [
    ("enas-micro", "official", 0.5, 16),
    pytest.param("nasnet-a-cifar", "slim", 0.35, 32, marks=pytest.mark.slow),
    pytest.param("nasnet-a-mobile", "slim", 0.35, 64, marks=pytest.mark.slow),
    pytest.param("nasnet-a-mobile", "pretrainedmodels", 0.35, 63, marks=pytest.mark.slow),
    pytest.param("nasnet-a-large", "timm", 0.1, 97, marks=pytest.mark.slow),
    # Pads that are no SAME rule's: TFLite has them as a Pad before the pool, and a factor behind averages.
    ("nasnet-a-mobile", "pretrainedmodels", 0.35, 66),
    pytest.param("nasnet-a-large", "timm", 0.1, 98, marks=pytest.mark.slow),
]


@pytest.mark.parametrize("form", [onnx, tflite])
@pytest.mark.parametrize(("name", "source", "width", "size"), CELLS)
def test_networks_of_cells_are_recognised_with_the_same_weights(tmp_path, form, name, source, width, size):
    steps = fold.nodes(stirred(name, source, width=width, classes=7, size=size), size)
    form.save(tmp_path / "a", steps)
    found = refmnas.recognise(form.load(tmp_path / "a"))
    assert (found.model, found.width, found.classes, found.size) == (name, width, 7, size)
    assert source in found.dialects
    for ours, theirs in zip(fold.nodes(found.network(), size), steps, strict=True):
        assert (ours.name, ours.op, ours.inputs, ours.pad, ours.act) == (
            theirs.name, theirs.op, theirs.inputs, theirs.pad, theirs.act,
        )  # fmt: skip
        if ours.w is not None:
            assert np.array_equal(ours.w, theirs.w), ours.name
            assert np.array_equal(ours.b, theirs.b), ours.name


def test_cells_with_one_thing_changed_are_none_of_ours(tmp_path):
    steps = fold.nodes(stirred("enas-micro", width=0.5, classes=7, size=16), 16)
    average = next(s for s in steps if s.op == "average_pool")
    concat = next(s for s in steps if s.op == "concat" and len(s.inputs) > 2)
    shift = next(s for s in steps if s.op == "shift")
    for name, changes in (
        (average.name, {"op": "max_pool"}),
        (average.name, {"count_pad": True}),
        (concat.name, {"inputs": (concat.inputs[1], concat.inputs[0], *concat.inputs[2:])}),
        (shift.name, {"op": "act", "act": "relu"}),
    ):
        assert refmnas.recognise(written(tmp_path / "a.onnx", changed(steps, name, **changes))) is None, (name, changes)


CONV = {"w": np.ones((4, 3, 3, 3), np.float32)}


def cut(path, *nodes, first=1, axes=(2, 3), **tensors):
    """(parts, whether a pool takes zeros for pixels) of nodes whose result "b" is cut to "y"."""
    tensors = CONV | tensors | {"starts": np.full(len(axes), first), "ends": np.full(len(axes), 2**62), "axes": np.array(axes)}
    message = model([*nodes, node("Slice", ["b", "starts", "ends", "axes"], ["y"])], [value("x", "f4", (1, 3, 8, 8))],
                    [value("y")], tensors)  # fmt: skip
    path.write_bytes(encode(message))
    reader = reduce.Reader(onnx.load(path))
    for step in reader.graph.steps:
        reader.take(step)
    return reader.parts, reader.is_uncut()


def test_rows_that_are_cut_off_are_zeros_less_before_the_window(tmp_path):
    """As pretrainedmodels has it: zeros before, a window of stride 2 with pads of its own, the first row and column cut off."""
    pad = node("Pad", ["x", "pads"], ["a"])
    pads = {"pads": np.array((0, 0, 1, 1, 0, 0, 0, 0))}
    options = {"pads": (1, 1, 1, 1), "strides": (2, 2)}
    conv = node("Conv", ["a", "w"], ["b"], **options)
    (part,), _ = cut(tmp_path / "a.onnx", pad, conv, **pads)
    assert part.pad == (0, 1, 0, 1)
    for op in ("MaxPool", "AveragePool"):
        (part,), is_uncut = cut(tmp_path / "a.onnx", pad, node(op, ["a"], ["b"], kernel_shape=(3, 3), **options), **pads)
        assert (part.pad, part.count_pad, is_uncut) == ((0, 1, 0, 1), False, False)
        _, is_uncut = cut(tmp_path / "a.onnx", pad, node(op, ["a"], ["b"], kernel_shape=(3, 3), **options), axes=(2,), **pads)
        assert is_uncut
    moved = {"pads": np.array((0, 0, 0, 0, 0, 0, 1, 1))}
    (part,), _ = cut(tmp_path / "a.onnx", node("Pad", ["x", "pads"], ["b"]), **moved)
    assert (part.op, part.inputs) == ("shift", ["x"])


@pytest.mark.parametrize("least", [-np.inf, np.finfo(np.float32).min])
def test_the_least_number_around_is_the_padding_of_a_largest_value_alone(tmp_path, least):
    tensors = {"pads": np.array((0, 0, 0, 1, 0, 0, 1, 1)), "least": np.float32(least)}
    pad, options = node("Pad", ["x", "pads", "least"], ["a"]), {"kernel_shape": (3, 3), "strides": (2, 2)}
    path = tmp_path / "a.onnx"

    def parts(*steps):
        path.write_bytes(encode(model(steps, [value("x", "f4", (1, 3, 8, 8))], [value("y")], CONV | tensors)))
        reader = reduce.Reader(onnx.load(path))
        for step in reader.graph.steps:
            reader.take(step)
        return reader.parts

    (part,) = parts(pad, node("MaxPool", ["a"], ["y"], **options))
    assert (part.op, part.pad, part.inputs) == ("max_pool", (0, 1, 1, 1), ["x"])
    for other in (node("AveragePool", ["a"], ["y"], **options), node("Conv", ["a", "w"], ["y"]), node("Relu", ["a"], ["y"])):
        with pytest.raises(reduce.Unknown):
            parts(pad, other)
    tensors["least"] = np.float32(-1e38)
    with pytest.raises(reduce.Unknown):
        parts(pad, node("MaxPool", ["a"], ["y"], **options))


def test_an_average_of_the_images_pixels_is_one_with_the_very_factors_alone(tmp_path):
    steps = fold.nodes(stirred("nasnet-a-mobile", "pretrainedmodels", width=0.35, classes=7, size=66), 66)
    tflite.save(tmp_path / "a", steps)
    graph = tflite.load(tmp_path / "a")
    shares = [key for key, a in graph.constants.items() if key.endswith("/share")]
    assert shares
    assert refmnas.recognise(graph).model == "nasnet-a-mobile"
    graph.constants[shares[0]] = np.nextafter(graph.constants[shares[0]], np.float32(9))
    assert refmnas.recognise(graph) is None


def test_cuts_of_another_kind_are_unknown(tmp_path):
    conv = node("Conv", ["x", "w"], ["b"], pads=(1, 1, 1, 1), strides=(2, 2))
    with pytest.raises(reduce.Unknown):  # a pixel of the image would be lost
        cut(tmp_path / "a.onnx", conv)
    with pytest.raises(reduce.Unknown):
        cut(tmp_path / "a.onnx", node("Conv", ["x", "w"], ["b"], pads=(2, 2, 2, 2)), first=2)
    with pytest.raises(reduce.Unknown):
        cut(tmp_path / "a.onnx", node("Conv", ["x", "w"], ["b"], pads=(2, 2, 2, 2)), axes=(1,))
    image_cut = [node("Identity", ["x"], ["b"]), node("Conv", ["y", "w"], ["z"])]
    with pytest.raises(reduce.Unknown):  # fewer pixels than none of a pad are no zeros
        cut_then(tmp_path / "a.onnx", *image_cut)


def cut_then(path, before, after):
    tensors = CONV | {"starts": np.ones(2, np.int64), "ends": np.full(2, 2**62), "axes": np.array((2, 3))}
    message = model([before, node("Slice", ["b", "starts", "ends", "axes"], ["y"]), after], [value("x", "f4", (1, 3, 8, 8))],
                    [value("z")], tensors)  # fmt: skip
    path.write_bytes(encode(message))
    reader = reduce.Reader(onnx.load(path))
    for step in reader.graph.steps:
        reader.take(step)


_SIXTH = {"alpha": 1 / 6, "beta": 0.5}
ACTS = {
    "relu": ("Relu", {}), "relu6": ("Clip", {"min": 0.0, "max": 6.0}), "sigmoid": ("Sigmoid", {}),
    "hard_sigmoid": ("HardSigmoid", _SIXTH), "hard_swish": ("HardSigmoid", _SIXTH),
}  # fmt: skip


def unfolded(net, size):
    """A network's ONNX file with its batch norm as it is, by the layers' own names; conv and batch norm alone differ."""
    steps, state = fold.nodes(net, size), {key: a.astype(np.float32) for key, a in net.state().items()}
    nodes, tensors = [], {}
    for step in steps:
        plain = fold.replace(step, act="identity") if step.act != "identity" else step
        inner = f"{step.name}/plain" if step.act != "identity" else step.name
        nodes += _nodes(plain, inner, state, tensors, net.dialect.bn_eps)
        if step.act != "identity":
            gate = f"{step.name}/gate" if step.act == "hard_swish" else step.name
            op, options = ACTS[step.act]
            nodes.append(node(op, [inner], [gate], **options))
            nodes += [node("Mul", [inner, gate], [step.name])] if step.act == "hard_swish" else []
    ends = [value(steps[-1].name, "f4", (None, net.spec.head.classes))]
    return model(nodes, [value("input", "f4", ("N", 3, size, size))], ends, tensors, opset=10)


def _nodes(step, result, state, tensors, eps):
    if step.op in ("pool", "scale", "add"):
        op = {"pool": "GlobalAveragePool", "scale": "Mul", "add": "Add"}[step.op]
        return [node(op, step.inputs, [result])]
    w = state[f"{step.name}.conv.w"] if f"{step.name}.conv.w" in state else state[f"{step.name}.w"]
    kind = {4: layout.CONV, 3: layout.DEPTHWISE, 2: layout.POINTWISE}[w.ndim]
    tensors[f"{step.name}/w"] = layout.from_nhwc(kind, w)
    if step.op == "linear" and step.name == "head.dense":
        tensors |= {f"{step.name}/w": w, f"{step.name}/b": state[f"{step.name}.b"]}
        flat, product = f"{step.name}/flat", f"{step.name}/product"
        return [node("Flatten", step.inputs, [flat]), node("MatMul", [flat, f"{step.name}/w"], [product]),
                node("Add", [product, f"{step.name}/b"], [result])]  # fmt: skip
    top, bottom, left, right = step.pad
    options = {"strides": (step.stride,) * 2, "group": w.shape[2] if w.ndim == 3 else step.groups}
    before, read = [], step.inputs[0]
    if any(step.pad):  # padding as a node of its own, as some exports have it
        read = f"{step.name}/pad"
        before = [node("Pad", step.inputs, [read], pads=(0, 0, top, left, 0, 0, bottom, right))]
    if f"{step.name}.conv.w" not in state:
        tensors[f"{step.name}/b"] = state[f"{step.name}.b"]
        return [*before, node("Conv", [read, f"{step.name}/w", f"{step.name}/b"], [result], **options)]
    biased = []
    if f"{step.name}.conv.b" in state:
        biased, tensors[f"{step.name}/b"] = [f"{step.name}/b"], state[f"{step.name}.conv.b"]
    names = [f"{step.name}/{key}" for key in ("gamma", "beta", "mean", "var")]
    tensors |= {key: state[f"{step.name}.bn.{key.rpartition('/')[2]}"] for key in names}
    return [*before, node("Conv", [read, f"{step.name}/w", *biased], [f"{step.name}/conv"], **options),
            node("BatchNormalization", [f"{step.name}/conv", *names], [result], epsilon=eps)]  # fmt: skip


@pytest.mark.parametrize(("name", "source"), few_first(SOURCES, ("mnasnet-b1", "mobilenet-v3-small", "regnety-200mf")))
def test_batch_norm_that_was_not_folded_comes_back_as_it_was(tmp_path, name, source):
    net = stirred(name, source, width=0.5, classes=7, size=64)
    message = unfolded(net, 64)
    (tmp_path / "a.onnx").write_bytes(encode(message))
    graph = onnx.load(tmp_path / "a.onnx")
    found = onnx.recognise(graph)
    assert (found.model, found.width, found.classes) == (name, 0.5, 7)
    assert source in found.dialects
    assert {dialect.of(s, name).bn_eps for s in found.dialects} == {net.dialect.bn_eps}
    state = net.state()
    assert found.weights.keys() == state.keys()
    for key, array in state.items():
        assert np.array_equal(found.weights[key], array.astype(np.float32)), key
    x = image(64, batch=2)
    (logits,) = graph.run({"input": np.ascontiguousarray(x.transpose(0, 3, 1, 2))}).values()
    want = found.network().forward(x)
    depth = len(fold.nodes(net, 64))
    assert np.abs(logits - want).max() <= depth * gamma(1000) * np.abs(want).max() * 10


def changed(steps, name, **changes):
    return [fold.replace(step, **changes) if step.name == name else step for step in steps]


def test_a_graph_with_one_thing_changed_is_none_of_ours(tmp_path):
    steps = fold.nodes(build("mnasnet-a1", width=0.5, classes=7), 64)
    assert refmnas.recognise(written(tmp_path / "a.onnx", steps)) is not None
    depthwise = next(step for step in steps if step.op == "depthwise")
    add = next(step for step in steps if step.op == "add")
    wider = np.zeros((5, 5, depthwise.w.shape[2]), np.float32)
    for name, changes in (
        ("stem", {"act": "relu6"}),
        (depthwise.name, {"act": "identity"}),
        (depthwise.name, {"pad": (2, 0, 1, 1)}),
        (depthwise.name, {"w": wider, "kernel": 5, "pad": (2, 2, 2, 2)}),
        (add.name, {"inputs": (add.inputs[1], add.inputs[1])}),
        (add.name, {"op": "scale"}),
    ):
        assert refmnas.recognise(written(tmp_path / "a.onnx", changed(steps, name, **changes))) is None, (name, changes)
    assert refmnas.recognise(written(tmp_path / "a.onnx", every_step("relu"))) is None


def test_graphs_of_another_kind_are_none_of_ours(tmp_path):
    path = tmp_path / "a.onnx"
    for message in (
        model([node("Relu", ["x"], ["y"])], [value("x", "f4", (1, 3, 8, 8))], [value("y")]),
        model([node("Relu", ["x"], ["y"])], [value("x")], [value("y")]),
        model([node("Concat", ["x", "x"], ["y"], axis=1)], [value("x", "f4", (1, 3, 8, 8))], [value("y")]),
        model([node("Add", ["x", "z"], ["y"])], [value("x"), value("z")], [value("y")]),
    ):
        path.write_bytes(encode(message))
        assert refmnas.recognise(onnx.load(path)) is None


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("is_folded", [True, False])
@pytest.mark.parametrize(
    ("package", "theirs", "name", "width", "source"),
    [
        ("torchvision", "mnasnet0_5", "mnasnet-b1", 0.5, "torchvision"),
        ("torchvision", "mobilenet_v2", "mobilenet-v2", 1.0, "torchvision"),
        ("timm", "mnasnet_small", "mnasnet-small", 1.0, "timm"),
        ("timm", "semnasnet_075", "mnasnet-a1", 0.75, "timm"),
        ("timm", "mobilenetv2_140", "mobilenet-v2", 1.4, "timm"),
        ("timm", "efficientnet_lite0", "efficientnet-lite0", 1.0, "timm"),
    ],
)
def test_exports_of_torchvision_and_timm_are_recognised(tmp_path, package, theirs, name, width, source, is_folded):
    torch = pytest.importorskip("torch", reason="needs the extra parity: torch is not installed")
    pytest.importorskip("onnx", reason="needs the extra parity: onnx is not installed")
    made = pytest.importorskip(package, reason=f"needs the extra parity: {package} is not installed")
    torch.manual_seed(0)
    net = (made.create_model(theirs) if package == "timm" else getattr(made.models, theirs)()).eval()
    options = {} if is_folded else {"training": torch.onnx.TrainingMode.PRESERVE}
    x = torch.zeros(1, 3, 64, 64)
    torch.onnx.export(net, x, tmp_path / "a.onnx", dynamo=False, do_constant_folding=is_folded, opset_version=17, **options)
    found = refmnas.recognise(onnx.load(tmp_path / "a.onnx"))
    assert (found.model, found.width, found.dialect, found.classes, found.size) == (name, width, source, 1000, 64)
    state = {key: value.numpy() for key, value in net.state_dict().items()}
    direct = build(name, width=width, dialect=source, size=64).load(state)
    if not is_folded:
        for key, array in direct.state().items():
            assert np.array_equal(found.weights[key], array), key
    x = image(64)
    want, got = direct.forward(x), found.network().forward(x)
    assert np.allclose(got, want, rtol=1e-3, atol=gamma(10_000) * np.abs(want).max())


@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("is_folded", [True, False])
def test_nasnet_exported_by_torch_is_recognised(tmp_path, is_folded):
    """Zeros before windows and rows cut off after them, pools of one pixel, batch norm over what is put together."""
    torch = pytest.importorskip("torch", reason="needs the extra parity: torch is not installed")
    pytest.importorskip("onnx", reason="needs the extra parity: onnx is not installed")
    net = nasnet("nasnet-a-mobile", classes=11).float().eval()
    options = {} if is_folded else {"training": torch.onnx.TrainingMode.PRESERVE}
    x = torch.zeros(1, 3, 96, 96)
    torch.onnx.export(net, x, tmp_path / "a.onnx", dynamo=False, do_constant_folding=is_folded, opset_version=17, **options)
    graph = onnx.load(tmp_path / "a.onnx")
    found = refmnas.recognise(graph)
    assert (found.model, found.width, found.classes, found.size) == ("nasnet-a-mobile", 1.0, 11, 96)
    assert "pretrainedmodels" in found.dialects
    direct = build("nasnet-a-mobile", dialect="pretrainedmodels", size=96, classes=11)
    direct = direct.load({key: value.numpy() for key, value in net.state_dict().items()}, "pretrainedmodels")
    if not is_folded:
        for key, array in direct.state().items():
            assert np.array_equal(found.weights[key], array), key
    y = image(96)
    want = direct.forward(y)
    for got in (found.network().forward(y), refmnas.compile(graph)(y)):
        assert np.allclose(got, want, rtol=1e-3, atol=gamma(10_000) * np.abs(want).max())



@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("is_folded", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_nasnet_of_timm_exported_by_torch_is_recognised_and_compiles(tmp_path, is_folded):
    """Its pads are computed from shapes, and largest values are taken of images in walls of minus infinity."""
    net = exported.nasnet(tmp_path / "a.onnx", is_folded)
    graph = onnx.load(tmp_path / "a.onnx", max_header=4 << 20)
    found = refmnas.recognise(graph)
    assert (found.model, found.width, found.dialects) == ("nasnet-a-large", 0.5, ("timm",))
    assert (found.classes, found.size) == (exported.CLASSES, exported.SIZE)
    state = {key: value.numpy() for key, value in net.state_dict().items()}
    direct = build("nasnet-a-large", width=0.5, dialect="timm", size=98, classes=11, dropout=0.0).load(state, "timm")
    if not is_folded:
        for key, array in direct.state().items():
            assert np.array_equal(found.weights[key], array), key
    x = image(98)
    want = direct.forward(x)
    for got in (found.network().forward(x), refmnas.compile(graph)(x)):
        assert np.allclose(got, want, rtol=1e-3, atol=gamma(10_000) * np.abs(want).max())


@pytest.mark.parametrize("end", [("Div", np.float32(6)), ("Mul", np.float32(1 / 6))])
def test_a_hard_swish_in_pieces_and_a_shape_that_is_computed_are_taken(tmp_path, end):
    """As Paddle's exporter writes MobileNetV3: x relu6(x + 3) / 6, and a Reshape to (Shape(x)[0], -1)."""
    op, six = end
    rng = np.random.default_rng(0)
    tensors = {"w": rng.standard_normal((4, 3, 3, 3)).astype("f4"), "d": rng.standard_normal((4, 5)).astype("f4"),
               "three": np.float32(3), "low": np.float32(0), "high": np.float32(6), "six": six,
               "starts": np.array([0]), "ends": np.array([1]), "axes": np.array([0]), "rest": np.array([-1])}  # fmt: skip
    steps = [node("Conv", ["x", "w"], ["a"]), node("Add", ["a", "three"], ["b"]), node("Clip", ["b", "low", "high"], ["c"]),
             node("Mul", ["a", "c"], ["e"]), node(op, ["e", "six"], ["f"]), node("GlobalAveragePool", ["f"], ["g"]),
             node("Shape", ["g"], ["n"]), node("Slice", ["n", "starts", "ends", "axes"], ["one"]),
             node("Concat", ["one", "rest"], ["two"], axis=0), node("Reshape", ["g", "two"], ["h"]),
             node("MatMul", ["h", "d"], ["y"])]  # fmt: skip
    message = model(steps, [value("x", "f4", ("N", 3, 8, 8))], [value("y", "f4", ("N", 5))], tensors)
    (tmp_path / "a.onnx").write_bytes(encode(message))
    graph = onnx.load(tmp_path / "a.onnx")
    assert [(part.op, part.act) for part in reduce.parts(graph).parts] == [
        ("conv", "hard_swish"), ("pool", "identity"), ("matrix", "identity"),
    ]  # fmt: skip
    x = image(8)
    want = graph.run({"x": np.ascontiguousarray(x.transpose(0, 3, 1, 2))})["y"]
    largest = np.abs(tensors["w"]).sum(axis=(1, 2, 3)).max() * np.abs(x).max()  # of |a|, whose 27 terms are rounded first
    bound = gamma(27 + 1 + 5 + 36 + 4) * 1.5 * (largest + 3) * np.abs(tensors["d"]).sum(axis=0)
    assert np.all(np.abs(refmnas.compile(graph)(x) - want) <= 2 * bound)
