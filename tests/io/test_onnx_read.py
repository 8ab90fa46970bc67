"""ONNX files read: our own writer's computed again, bad input named, nothing taken that the file does not hold."""

import itertools
import os
import tracemalloc

import numpy as np
import pytest
from local_bound import by_step, worst
from networks import KINDS, SOURCES, every_step, image, stirred
from onnx_files import encode, load, model, node, single, tensor, value, varint

import refmnas
from refmnas.errors import DataError, DtypeError, FormatError, ShapeError, SpecError
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


def chain(*nodes, tensors=None, inputs=None, outputs=None, opset=17, **options):
    """A model of x (1, 4) to y."""
    inputs = inputs or [value("x", "f4", (1, 4))]
    return model(nodes, inputs, outputs or [value("y")], tensors, opset, **options)


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


# -- tensors in other files -----------------------------------------------------------


def outside(location, more=(), dims=4):
    entries = [[13, [[1, key], [2, text]]] for key, text in (("location", location), *more)]
    message = chain(node("Add", ["x", "w"], ["y"]))
    message[1][1].append([5, [[1, dims], [2, 1], [8, "w"], *entries, [14, 1]]])
    return message


def test_a_tensor_in_another_file_is_read(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "w.bin").write_bytes(bytes(8) + np.arange(4, dtype="<f4").tobytes())
    graph = load(tmp_path / "a.onnx", outside("sub/w.bin", [("offset", "8"), ("length", "16")]))
    assert graph.run({"x": X})["y"].tolist() == [[1, 2, 3, 4]]


def test_a_tensor_outside_the_folder_is_refused(tmp_path):
    inside = tmp_path / "model"
    inside.mkdir()
    (tmp_path / "w.bin").write_bytes(bytes(16))
    os.symlink(tmp_path / "w.bin", inside / "soft")
    os.link(tmp_path / "w.bin", inside / "hard")
    os.symlink(tmp_path, inside / "folder")
    (inside / "real").write_bytes(bytes(16))
    os.mkfifo(inside / "fifo")
    wrong = ["../w.bin", str(tmp_path / "w.bin"), "soft", "hard", "folder/w.bin", "nothing", "", ".", "fifo", "a/../real",
             "C:\\real", "a\0b", "real/x", "x" * 4000]  # fmt: skip
    for location in wrong:
        with pytest.raises(FormatError, match=r"a\.onnx: .*lies in|data_location"):
            load(inside / "a.onnx", outside(location))
    assert load(inside / "a.onnx", outside("./real")).run({"x": X})["y"].tolist() == [[1, 1, 1, 1]]
    linked = tmp_path / "linked.onnx"
    os.symlink(inside / "a.onnx", linked)  # the model's own folder is that of the file itself
    assert onnx.load(linked).run({"x": X})["y"].tolist() == [[1, 1, 1, 1]]


@pytest.mark.parametrize(
    ("more", "dims", "said"),
    [
        ([("offset", "4")], 4, "wants bytes 4 to 20, the file has 16"),
        ([("length", "12")], 4, "has 12 bytes in 'w.bin', wanted 16"),
        ([("offset", "-1")], 4, "has the offset '-1', wanted a whole number"),
        ([("offset", "9" * 19)], 4, "wants bytes 9999"),
        ([("location", "v.bin")], 4, "wanted a location"),
        ([], 2**40, "declares 4398046511104 bytes of tensors, the cap is"),
        ([], 2**20, "wants bytes 0 to 4194304, the file has 16"),
    ],
)
def test_a_tensor_that_its_file_does_not_hold_is_refused(tmp_path, more, dims, said):
    (tmp_path / "w.bin").write_bytes(bytes(16))
    with pytest.raises(FormatError, match=said):
        load(tmp_path / "a.onnx", outside("w.bin", more, dims))


# -- caps -------------------------------------------------------------------------------


def test_caps_are_named_and_raised(tmp_path):
    path = tmp_path / "a.onnx"
    message = chain(node("Add", ["x", "w"], ["y"]), tensors={"w": W, "v": W})
    for cap, amount in (("max_tensors", 1), ("max_bytes", 100), ("max_header", 100)):
        with pytest.raises(FormatError, match=f"raise {cap}="):
            load(path, message, **{cap: amount})
    load(path, message, max_tensors=2, max_bytes=128)


HOSTILE = {
    "empty nodes": [[7, [[1, []]] * 500_000], [8, [[2, 17]]]],
    "unknown fields": [[7, []], [8, [[2, 17]]], *[[30, 1]] * 600_000],
    "many names": [[7, [[1, [[1, "ab"]] * 200_000]]], [8, [[2, 17]]]],
    "many opsets": [[7, []], *[[8, [[2, 17]]]] * 300_000],
    "many dims": [[7, [[5, [[1, b"\1" * 1_000_000]]]]], [8, [[2, 17]]]],
    "a long name": [[7, [[1, [[4, "a" * 2_000_000]]]]], [8, [[2, 17]]]],
    "many values": [[7, [[13, value("ab", "f4", (1,))]] * 100_000], [8, [[2, 17]]]],
    "many attributes": [[7, [[1, [[4, "Relu"], *[[5, [[1, "a"], [20, 2]]]] * 200_000]]]], [8, [[2, 17]]]],
    "many nodes": chain(*[node("Relu", [f"t{k}" if k else "x"], [f"t{k + 1}"]) for k in range(30_000)]),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_of_many_small_things_ends_soon_and_in_little_memory(tmp_path, name):
    (tmp_path / "a.onnx").write_bytes(encode(HOSTILE[name]))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    with pytest.raises(FormatError):
        onnx.load(tmp_path / "a.onnx")
    grown = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert grown <= 16 * MIB


def test_memory_grows_by_the_tensors_alone(tmp_path):
    array = np.ones((1024, 5 * 1024), np.float32)
    path = tmp_path / "a.onnx"
    names = ["x", *(f"t{k}" for k in range(99)), "m"]
    nodes = [node("Relu", [a], [b]) for a, b in itertools.pairwise(names)]
    path.write_bytes(encode(chain(*nodes, node("Add", ["m", "w"], ["y"]), inputs=[value("x")], tensors={"w": array})))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    graph = onnx.load(path)
    grown = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert graph.constants["w"].nbytes <= grown <= array.nbytes + 2 * MIB


def test_constants_are_not_computed_to_more_than_was_declared(tmp_path):
    """A chain of sums of constants, each as large as may be, is left for the run."""
    nodes = [node("Add", ["a", "b"], ["t0"])] + [node("Add", [f"t{k}", "a"], [f"t{k + 1}"]) for k in range(600)]
    tensors = {"a": np.ones((64, 1), "f8"), "b": np.ones((1, 64), "f8")}
    message = chain(*nodes, tensors=tensors, outputs=[value("t600", "f8")])
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    graph = load(tmp_path / "a.onnx", message)
    grown = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert grown <= 8 * MIB
    assert graph.run({"x": X})["t600"][3, 5] == 602


# -- running -----------------------------------------------------------------------------


def test_inputs_that_do_not_fit_are_named(tmp_path):
    inputs = [value("x", "f4", ("N", 4)), value("z", "f4", ("N", None))]
    graph = load(tmp_path / "a.onnx", chain(node("Concat", ["x", "z"], ["y"], axis=1), inputs=inputs))
    z = np.ones((1, 2), np.float32)
    assert graph.run({"x": X, "z": z})["y"].shape == (1, 6)
    for feeds, error, said in (
        ({"x": X}, SpecError, "no 'z' among the inputs, wanted x, z"),
        ({"x": X, "z": z, "v": z}, SpecError, "an unknown 'v'"),
        ({"x": X.tolist(), "z": z}, DtypeError, "x is list, wanted an array of float32"),
        ({"x": X.astype("f8"), "z": z}, DtypeError, "x is float64, wanted an array of float32"),
        ({"x": X[:, :3], "z": z}, ShapeError, r"x has shape \(1, 3\), wanted \('N', 4\)"),
        ({"x": X, "z": np.ones((2, 2), np.float32)}, ShapeError, r"z has shape \(2, 2\), wanted \('N', None\)"),
        ({"x": X[0], "z": z}, ShapeError, r"x has shape \(4,\)"),
        ([X], DtypeError, "feeds is list"),
    ):
        with pytest.raises(error, match=f"a.onnx: run: {said}"):
            graph.run(feeds)


def test_what_only_a_run_can_see_names_the_node(tmp_path):
    path = tmp_path / "a.onnx"
    message = chain(node("Reshape", ["x", "s"], ["y"], "turn"), inputs=[value("x"), value("s", "i8", (2,))])
    graph = load(path, message)
    assert graph.run({"x": X, "s": np.array([2, -1])})["y"].shape == (2, 2)
    with pytest.raises(ShapeError, match=r"a.onnx: node 0 'turn' \(Reshape\): x has shape \(1, 4\), which no shape"):
        graph.run({"x": X, "s": np.array([3, -1])})
    message = chain(node("Gather", ["x", "i"], ["y"], axis=1), inputs=[value("x"), value("i", "i8")])
    with pytest.raises(DataError, match="indices are 0 to 4, the axis has 4 elements"):
        load(path, message).run({"x": X, "i": np.array([0, 4])})
    kinds = [value("x", "i4"), value("z", "i4")]
    graph = load(path, chain(node("Div", ["x", "z"], ["y"]), inputs=kinds, outputs=[value("y", "i4")]))
    with pytest.raises(DataError, match="a divisor of whole numbers is 0"):
        graph.run({"x": np.ones(2, "i4"), "z": np.array([1, 0], "i4")})


def test_a_result_beyond_the_cap_is_refused_before_it_is_made(tmp_path):
    nodes = [node("Resize", ["x", "", "", "s"], ["y"])]
    graph = load(tmp_path / "a.onnx", chain(*nodes, inputs=[value("x"), value("s", "i8", (2,))]))
    tracemalloc.start()
    with pytest.raises(ShapeError, match=r"results \(1048576, 1048576\) take .* the cap is 1073741824; raise max_bytes="):
        graph.run({"x": X, "s": np.array([2**20, 2**20])})
    assert tracemalloc.get_traced_memory()[1] < MIB
    tracemalloc.stop()
    for op, operands, options in (
        ("MaxPool", [np.ones((1, 1, 4), "f4")], {"kernel_shape": (2**40,), "pads": (2**40 - 1, 2**40 - 1)}),
        ("Conv", [np.ones((1, 1, 4), "f4"), np.ones((1, 1, 1), "f4")], {"pads": (2**40, 2**40)}),
        ("Pad", [np.ones(4, "f4"), np.array([2**40, 0])], {}),
    ):
        with pytest.raises(ShapeError, match="raise max_bytes="):
            single(tmp_path / "a.onnx", op, operands, **options)


def test_initializers_that_are_inputs_are_defaults_from_ir_version_4_on(tmp_path):
    inputs = [value("x", "f4", (1, 4)), value("w", "f4", (4,))]
    message = chain(node("Add", ["x", "w"], ["y"]), inputs=inputs, tensors={"w": np.full(4, 2, "f4")})
    graph = load(tmp_path / "a.onnx", message)
    assert list(graph.inputs) == ["x"]
    assert graph.run({"x": X})["y"].tolist() == [[3, 3, 3, 3]]
    assert graph.run({"x": X, "w": np.zeros(4, "f4")})["y"].tolist() == [[1, 1, 1, 1]]
    old = load(tmp_path / "a.onnx", [[1, 3], *message[1:]])
    with pytest.raises(SpecError, match="an unknown 'w'"):
        old.run({"x": X, "w": np.zeros(4, "f4")})


def test_nodes_may_stand_in_any_order(tmp_path):
    message = chain(node("Add", ["t", "x"], ["y"]), node("Relu", ["x"], ["t"]))
    assert load(tmp_path / "a.onnx", message).run({"x": X})["y"].tolist() == [[2, 2, 2, 2]]


def test_results_are_the_callers_own(tmp_path):
    graph = load(tmp_path / "a.onnx", chain(node("Identity", ["x"], ["y"]), node("Identity", ["w"], ["z"]), tensors={"w": W},
                                            outputs=[value("y"), value("z")]))  # fmt: skip
    x = X.copy()
    got = graph.run({"x": x})
    got["y"][:] = 7
    got["z"][:] = 7
    assert x.tolist() == X.tolist()
    assert graph.run({"x": x})["z"].tolist() == W.tolist()


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
