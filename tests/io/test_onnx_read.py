"""ONNX files read: our own writer's computed again, bad input named, nothing taken that the file does not hold."""


import numpy as np
import pytest
from local_bound import by_step, worst
from networks import KINDS, SOURCES, every_step, image, stirred
from onnx_files import chain, encode, load, node, tensor, value, varint

import refmnas
from refmnas.errors import FormatError
from refmnas.io import onnx
from refmnas.models import fold

MIB = 1 << 20


def computed(path, steps, x, **options):
    """{step: result, NHWC} of the file that our writer makes of the steps, by our evaluator."""
    onnx.save(path, steps, outputs="all", batch="N", **options)
    graph = refmnas.io.onnx.load(path)
    got = graph.run({"input": np.ascontiguousarray(x.transpose(0, 3, 1, 2))})
    return {"input": x} | by_step(steps, got)


@pytest.mark.parametrize("opset", onnx.OPSETS)
def test_every_op_and_activation_is_read_back_within_the_bound_of_its_step(tmp_path, opset):
    for kind in KINDS if opset in (7, 10, 11, 13, 14, 17, 25) else ("relu6", "hard_swish"):
        steps = every_step(kind)
        x = np.random.default_rng(1).standard_normal((2, 9, 11, 3)).astype(np.float32)
        assert worst(steps, computed(tmp_path / "a.onnx", steps, x, opset=opset))[0] <= 1


@pytest.mark.parametrize(("name", "source"), SOURCES)
def test_networks_are_read_back_within_the_bound_of_every_step(tmp_path, name, source):
    steps = fold.nodes(stirred(name, source, width=0.35, classes=7), 33)
    got = computed(tmp_path / "a.onnx", steps, image(33, batch=2))
    assert worst(steps, got)[0] <= 1
    again = fold.evaluate(steps, got["input"])  # the same ops, so most likely the same bits
    logits = again[steps[-1].name]
    assert np.allclose(got[steps[-1].name], logits, rtol=1e-4, atol=1e-4 * np.abs(logits).max())


def test_a_graph_says_what_it_is(tmp_path):
    steps = fold.nodes(stirred("mnasnet-a1", width=0.35, classes=7), 40)
    onnx.save(tmp_path / "a.onnx", steps, batch="N")
    graph = onnx.load(tmp_path / "a.onnx")
    assert graph.inputs == {"input": (np.float32, ("N", 3, 40, 40))}
    assert graph.outputs == {"logits": (np.float32, (None, 7))}
    assert graph.operators["Conv"] + graph.operators["Gemm"] == sum(step.w is not None for step in steps)
    assert graph.opset == 17
    assert "a.onnx opset 17" in repr(graph)
    x = np.zeros((1, 3, 40, 40), np.float32)
    inside = graph.intermediates({"input": x})
    assert set(inside) == {name for step in graph.steps for name in step.results}
    assert np.array_equal(inside["logits"], graph.run({"input": x})["logits"])
    for name, array in inside.items():
        assert all(n in (None, m) for n, m in zip(graph.known[name].shape, array.shape, strict=True))


X = np.ones((1, 4), np.float32)
W = np.ones((4, 4), np.float32)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (chain(node("Pow", ["x", "x"], ["y"], "n")), r"node 0 'n' \(Pow\): the operator Pow is not read, wanted one of Add"),
        (chain(node("If", ["x"], ["y"])), "the operator If is not read"),
        (chain(node("HardSwish", ["x"], ["y"]), opset=13), "opset 13 has no such operator"),
        (chain(node("Relu", ["x"], ["y"]), opset=6), r"opsets \[6\] of ai.onnx, wanted one of 7 to 25"),
        (chain(node("Relu", ["x"], ["y"]), opset=26), r"opsets \[26\]"),
        (chain(node("Relu", ["x"], ["y"], alpha=1.0)), "the attribute 'alpha' is not read, wanted none"),
        (chain(node("Softmax", ["x"], ["y"], axis=1.0)), "the attribute 'axis' is of the kind float, wanted int"),
        (chain(node("Concat", ["x"], ["y"])), "no attribute 'axis', wanted one"),
        (chain(node("Conv", ["x", "x"], ["y"], auto_pad="SAME")), "'auto_pad' is 'SAME', wanted one of 'NOTSET'"),
        (chain(node("Pad", ["x", "p"], ["y"], mode="wrap"), tensors={"p": np.zeros(4, "i8")}), "'mode' is 'wrap', wanted"),
        (chain(node("Cast", ["x"], ["y"], to=16)), "element type BFLOAT16, wanted one that NumPy has"),
        (chain(node("Cast", ["x"], ["y"], to=8)), "element type STRING"),
        (chain(node("Relu", ["x"], ["y"]), inputs=[[[1, "x"], [2, [[1, [[1, 17]]]]]]]), "element type FLOAT8"),
        (chain(node("Relu", ["x"], ["y"]), inputs=[[[1, "x"], [2, [[4, [[1, 1]]]]]]]), "input 0 'x' is no tensor"),
        (chain(node("Relu", ["x"], ["y"]), inputs=[value("x", "i4", (1,))], opset=13), "x is int32, wanted one of float16"),
        (chain(node("Add", ["x", "z"], ["y"]), inputs=[value("x"), value("z", "f8")]), "y is float64 beside float32"),
        (chain([*node("Relu", ["x"], ["y"]), [7, "com.microsoft"]]), "the operator 'Relu' of 'com.microsoft', wanted"),
        (chain([*node("Relu", ["x"], ["y"]), [5, [[1, "g"], [6, []], [20, 5]]]]), "attribute 'g' is GRAPH, wanted numbers"),
        (chain([*node("Relu", ["x"], ["y"]), [5, [[1, "a"], [20, 2], [21, "b"]]]]), "attribute 'a' is of another function"),
        ([*chain(node("Relu", ["x"], ["y"])), [25, []]], "1 model-local functions"),
        (chain(node("Relu", ["t"], ["y"])), "reads 't', which nothing gives: a missing initializer"),
        (chain(node("Relu", ["b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["x"], ["y"])), "2 nodes wait .* a cycle"),
        (chain(node("Add", ["x", "y"], ["y"])), "1 nodes wait .* a cycle"),
        (chain(node("Relu", ["x"], ["z"])), "the output 'y' is no node's result"),
        (chain(node("Relu", ["x"], ["y"]), node("Relu", ["x"], ["y"])), "makes 'y', which is made twice"),
        (chain(node("Relu", ["x"], ["x"]), node("Relu", ["x"], ["y"])), "makes 'x', which is made twice"),
        (chain(node("Relu", ["x"], ["y"]), inputs=[value("x"), value("x")]), "the input 'x' stands twice"),
        (chain(node("Relu", ["x"], ["y", "z"])), "2 results, wanted 1 to 1"),
        (chain(node("Relu", ["x", "x"], ["y"])), "2 operands, wanted at most 1: x"),
        (chain(node("Add", ["x"], ["y"])), "the operand y is missing, wanted x y"),
        (chain(node("MatMul", ["x", "w"], ["y"]), tensors={"w": W[:3]}), "inner axes of A and B: 4 and 3, wanted equal"),
        (chain(node("Add", ["x", "w"], ["y"]), tensors={"w": W[0, :3]}), r"shapes \(1, 4\) and \(3,\), wanted equal"),
        (
            chain(node("Relu", ["x"], ["y"]), outputs=[value("y", "f4", (1, 5))]),
            r"'y' has shape \(1, 4\), the file declares \(1, 5\)",
        ),
        (chain(node("Relu", ["x"], ["y"]), outputs=[value("y", "f8")]), "'y' is float32, the file declares float64"),
        (
            chain(node("Relu", ["x"], ["t"]), node("Relu", ["t"], ["y"]), infos=[value("t", "f4", (2, 4))]),
            r"'t' has shape \(1, 4\), the file declares \(2, 4\)",
        ),
        (chain(node("Reshape", ["x", "s"], ["y"]), tensors={"s": np.array([3, -1])}), r"no shape \(3, -1\) holds"),
        (chain(node("Reshape", ["x", "s"], ["y"]), tensors={"s": np.array([-1, -1])}), "at most one -1"),
        (chain(node("Softmax", ["x"], ["y"], axis=2)), "axis is 2, wanted -2 to 1"),
        (chain(node("Transpose", ["x"], ["y"], perm=(0, 0))), r"perm is \(0, 0\), wanted each axis once"),
        (chain(node("Gather", ["x", "i"], ["y"], axis=1), tensors={"i": np.array([4])}), "indices are 4 to 4, the axis has 4"),
        (chain(node("Relu", ["x"], ["y"]), inputs=[value("x", "f4", (1,) * 70)], outputs=[value("y")]), "70 axes"),
    ],
)  # fmt: skip
def test_what_cannot_be_computed_is_refused_by_load_and_by_name(tmp_path, message, said):
    with pytest.raises(FormatError, match=f"a.onnx: .*{said}"):
        load(tmp_path / "a.onnx", message)


TENSORS = {
    "cut": ([[1, 3], [2, 1], [8, "w"], [9, bytes(11)]], r"'w' of shape \(3,\) and type float32 has 11 bytes, wanted 12"),
    "few numbers": ([[1, 3], [2, 1], [8, "w"], [4, bytes(8)]], "fewer numbers|2 numbers"),
    "many numbers": ([[1, 1], [2, 7], [8, "w"], [7, b"\1\2"]], "more numbers"),
    "two places": ([[1, 1], [2, 1], [8, "w"], [4, bytes(4)], [9, bytes(4)]], "has float_data, raw_data, wanted one of"),
    "wrong field": ([[1, 1], [2, 1], [8, "w"], [5, b"\1"]], "has int32_data, wanted one of"),
    "too large a number": ([[1, 1], [2, 3], [8, "w"], [5, b"\x80\x01"]], "the number 128, which no int8 is"),
    "negative extent": ([[1, -1], [2, 1], [8, "w"]], r"shape \(-1,\)"),
    "wrapping extents": ([[1, 2**32], [1, 2**32], [2, 1], [8, "w"], [9, b""]], "a shape that no array can have"),
    "declared alone": ([[1, 2**40], [2, 1], [8, "w"]], "fewer numbers than its shape wants"),
    "strings": ([[1, 1], [2, 8], [8, "w"], [6, "a"]], "element type STRING"),
    "no type": ([[1, 1], [8, "w"], [9, bytes(4)]], "element type number None"),
    "segment": ([[1, 1], [2, 1], [3, []], [8, "w"], [9, bytes(4)]], "is a segment"),
    "no name": ([[1, 1], [2, 1], [9, bytes(4)]], "is called ''"),
    "boolean 2": ([[1, 1], [2, 9], [8, "w"], [9, b"\2"]], "a boolean is 2"),
}


@pytest.mark.parametrize("name", TENSORS)
def test_a_tensor_whose_bytes_do_not_fit_its_shape_is_refused(tmp_path, name):
    wrong, said = TENSORS[name]
    message = chain(node("Relu", ["x"], ["y"]))
    message[1][1].append([5, wrong])
    with pytest.raises(FormatError, match=said):
        load(tmp_path / "a.onnx", message)


@pytest.mark.parametrize("kind", ["f4", "f8", "f2", "i1", "u1", "i2", "u2", "i4", "i8", "u4", "u8", "b1"])
@pytest.mark.parametrize("form", ["raw", "packed", "single"])
def test_every_element_type_is_read_in_every_form(tmp_path, kind, form):
    array = np.array([[0, 1, 1], [1, 0, 1]], kind) if kind == "b1" else np.array([[0, 1, 2], [3, 100, 127]], kind)
    if kind[0] == "i":
        array[0] = [np.iinfo(kind).min, -1, np.iinfo(kind).max]
    entry = tensor("w", array)
    flat = array.reshape(-1)
    field = {"f4": 4, "f8": 10, "i8": 7, "u4": 11, "u8": 11}.get(kind, 5)
    if form != "raw":
        numbers = (flat.view("u2") if kind == "f2" else flat).tolist()
        if kind in ("f4", "f8"):
            parts = [flat.tobytes()] if form == "packed" else [flat[:3].tobytes(), flat[3:].tobytes()]
        else:
            parts = [b"".join(map(varint, numbers))] if form == "packed" else [int(n) for n in numbers]
        entry[-1:] = [[field, part] for part in parts]
    message = chain(node("Identity", ["w"], ["y"]), outputs=[value("y", kind, (2, 3))])
    message[1][1].append([5, entry])
    got = load(tmp_path / "a.onnx", message).run({"x": X})["y"]
    assert got.dtype == np.dtype(kind)
    assert np.array_equal(got, array)


def test_numbers_of_many_blocks_are_read(tmp_path):
    array = np.random.default_rng(0).integers(-(2**62), 2**62, 50_000) >> np.random.default_rng(1).integers(0, 62, 50_000)
    message = chain(node("Identity", ["w"], ["y"]), outputs=[value("y", "i8")])
    message[1][1].append([5, [[1, array.size], [2, 7], [8, "w"], [7, b"".join(varint(int(n)) for n in array)]]])
    assert np.array_equal(load(tmp_path / "a.onnx", message).run({"x": X})["y"], array)


@pytest.mark.parametrize("data", [b"", b"\0", b"PK\x03\x04", b"<html>", bytes(100), b"\xff" * 100, b"\x0a\x01a" * 100])
def test_what_is_no_model_is_refused(tmp_path, data):
    (tmp_path / "a.onnx").write_bytes(data)
    with pytest.raises(FormatError, match=r"a.onnx: "):
        onnx.load(tmp_path / "a.onnx")


def test_a_cut_file_is_refused_wherever_it_is_cut(tmp_path):
    message = chain(node("Add", ["x", "w"], ["y"]), tensors={"w": W[0]})
    whole = encode(message)
    for end in range(len(whole)):
        (tmp_path / "a.onnx").write_bytes(whole[:end])
        with pytest.raises(FormatError):
            onnx.load(tmp_path / "a.onnx")


def test_there_is_no_such_file(tmp_path):
    with pytest.raises(FormatError, match="cannot be opened"):
        onnx.load(tmp_path / "none.onnx")
    with pytest.raises(FormatError, match="no regular file"):
        onnx.load(tmp_path)
