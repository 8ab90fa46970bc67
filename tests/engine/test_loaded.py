"""A graph of a file compiles as it is: the same bits as the network that it was written from."""

import definition
import numpy as np
import pytest
from networks import cells, every_step, stirred
from onnx_files import encode, model, node, value
from small import images, words

import refmnas
from refmnas.errors import SpecError
from refmnas.io import onnx, tflite
from refmnas.models import fold
from refmnas.recognition.nodes import nodes

CHAINS = (("mnasnet-a1", 48), ("mobilenet-v3-small", 35), ("regnety-200mf", 33))


def written(path, steps, form=onnx, **options):
    form.save(path, steps, **options)
    return form.load(path)


def compared(network, size, graph):
    x = images((size, size), 2)
    ours, theirs = (refmnas.compile(n, batch=2, size=size, threads=2) for n in (network, graph))
    assert np.array_equal(words(theirs(x)), words(ours(x)))
    assert [row.kind for row in theirs.steps] == [row.kind for row in ours.steps]
    return theirs, x


@pytest.mark.parametrize("name", ["nasnet-a-mobile", "enas-micro"])
@pytest.mark.parametrize("opset", [7, 17])
def test_a_network_of_cells_from_onnx_has_the_networks_bits(tmp_path, name, opset):
    network = cells(name, 32)
    compared(network, 32, written(tmp_path / "a.onnx", fold.nodes(network, 32), opset=opset))


@pytest.mark.parametrize(("name", "size"), CHAINS)
@pytest.mark.parametrize("form", [onnx, tflite])
def test_a_chain_from_a_file_has_the_networks_bits(tmp_path, name, size, form):
    network = stirred(name, width=0.35, classes=7)
    compared(network, size, written(tmp_path / "a", fold.nodes(network, size), form))


def test_what_the_file_computes_is_what_the_plan_computes(tmp_path):
    """Against the file's own evaluation, not our network's."""
    network = cells("nasnet-a-cifar", 32)
    graph = written(tmp_path / "a.onnx", fold.nodes(network, 32))
    x = images((32, 32))
    ((name, _),) = graph.inputs.items()
    (want,) = graph.run({name: np.ascontiguousarray(x.transpose(0, 3, 1, 2))}).values()
    got = refmnas.compile(graph)(x)
    assert np.abs(got - want).max() <= 1e4 * 2.0**-24 * np.abs(want).max()  # no chain's bound


@pytest.mark.parametrize("kind", ["relu", "relu6", "swish", "hard_swish", "sigmoid", "hard_sigmoid"])
def test_a_network_that_is_none_of_ours_is_taken(tmp_path, kind):
    steps = every_step(kind)
    graph = written(tmp_path / "a.onnx", steps)
    assert refmnas.recognise(graph) is None
    x = images((9, 11))
    assert np.array_equal(words(refmnas.compile(graph)(x)), words(definition.run(steps, x)["dense"]))


RNG = np.random.default_rng(0)
ARRAYS = {
    "w": RNG.standard_normal((4, 3, 3, 3)).astype("f4"), "d": RNG.standard_normal((4, 5)).astype("f4"),
    "u": RNG.standard_normal((4, 3, 3, 1)).astype("f4"),
    **{key: RNG.uniform(0.5, 1.5, 4).astype("f4") for key in ("gamma", "beta", "mean", "var")},
}  # fmt: skip
CONV = node("Conv", ["x", "w"], ["a"], pads=(1, 1, 1, 1))
END = (node("GlobalAveragePool", ["b"], ["p"]), node("Flatten", ["p"], ["f"]), node("MatMul", ["f", "d"], ["y"]))


def loaded(path, *steps, shape=(1, 3, 8, 8), out=("y", (1, 5))):
    message = model(steps, [value("x", "f4", shape)], [value(out[0], "f4", out[1])], ARRAYS)
    path.write_bytes(encode(message))
    return onnx.load(path)


def test_batch_norm_that_was_not_folded_is(tmp_path):
    norm = node("BatchNormalization", ["a", "gamma", "beta", "mean", "var"], ["b"], epsilon=1e-3)
    graph = loaded(tmp_path / "a.onnx", CONV, norm, *END)
    x, (conv, *others) = images((8, 8)), nodes(graph)
    gamma, beta, mean, var = (ARRAYS[key].astype(np.float64) for key in ("gamma", "beta", "mean", "var"))
    ratio = gamma / np.sqrt(var + np.float32(1e-3))  # the file's float32
    assert np.array_equal(conv.w, (ARRAYS["w"].transpose(2, 3, 1, 0) * ratio).astype("f4"))
    assert np.array_equal(conv.b, (beta - mean * ratio).astype("f4"))
    assert np.array_equal(words(refmnas.compile(graph)(x)), words(definition.run([conv, *others], x)["y"]))
    assert [row.kind for row in refmnas.compile(graph).steps] == ["stem", "average", "dense"]


def test_the_size_is_the_files_or_the_callers(tmp_path):
    graph = loaded(tmp_path / "a.onnx", CONV, node("Relu", ["a"], ["b"]), *END, shape=("N", 3, "H", "W"))
    assert refmnas.compile(graph, size=(5, 7)).size == (5, 7)
    with pytest.raises(SpecError, match="wanted size="):
        refmnas.compile(graph)
    fixed = loaded(tmp_path / "b.onnx", CONV, node("Relu", ["a"], ["b"]), *END)
    assert refmnas.compile(fixed).size == (8, 8)
    with pytest.raises(SpecError, match="wanted the same rows and columns"):
        refmnas.compile(fixed, size=9)


REFUSED = {
    "an operator that is no step": ([CONV, node("Softmax", ["a"], ["b"], axis=1), *END], "takes Softmax at b"),
    "a dilated convolution": ([node("Conv", ["x", "w"], ["b"], dilations=(2, 2)), *END], "takes Conv at b"),
    "a pool with rounding up": (
        [CONV, node("MaxPool", ["a"], ["b"], kernel_shape=(3, 3), strides=(2, 2), ceil_mode=1), *END], "takes MaxPool at b",
    ),
    "a pool that is not square": (
        [CONV, node("AveragePool", ["a"], ["b"], kernel_shape=(3, 1)), *END], "takes AveragePool at b",
    ),
    "rows behind one another": ([CONV, node("Concat", ["a", "a"], ["b"], axis=2), *END], "takes Concat at b"),
    "a softmax over the images": (
        [CONV, node("Relu", ["a"], ["b"]), *END, node("Softmax", ["y"], ["z"], axis=0)], "takes Softmax at z",
    ),
    "a softmax before the last layer": (
        [CONV, node("GlobalAveragePool", ["a"], ["b"]), node("Flatten", ["b"], ["f"]), node("Softmax", ["f"], ["s"]),
         node("MatMul", ["s", "d"], ["y"])], "takes softmax at s",
    ),
    "a convolution that is not square": ([node("Conv", ["x", "u"], ["b"]), *END], "takes conv at b"),
    "a product of two images": ([CONV, node("Mul", ["a", "a"], ["b"]), *END], "takes scale at b"),
    "a pool of the image": (
        [node("MaxPool", ["x"], ["m"], kernel_shape=(1, 1)), node("Conv", ["m", "w"], ["b"]), *END], "takes max_pool at m",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_step_takes_is_refused_by_its_name(tmp_path, what):
    steps, match = REFUSED[what]
    out = ("z", (1, 5)) if what == "a softmax over the images" else ("y", (1, 5))
    graph = loaded(tmp_path / "a.onnx", *steps, out=out)
    with pytest.raises(SpecError, match=match):
        refmnas.compile(graph)


@pytest.mark.parametrize("shape", [(1, 8), (1, 4, 8, 8), (1, 3, 8, 8, 1)])
def test_an_input_that_is_no_image_is_refused(tmp_path, shape):
    graph = loaded(tmp_path / "a.onnx", node("Relu", ["x"], ["y"]), shape=shape, out=("y", shape))
    with pytest.raises(SpecError, match="wanted float32"):
        refmnas.compile(graph)


def test_a_file_that_ends_in_an_image_is_refused(tmp_path):
    graph = loaded(tmp_path / "a.onnx", CONV, out=("a", (1, 4, 8, 8)))
    with pytest.raises(SpecError, match="takes conv at a"):
        refmnas.compile(graph)
