"""Graphs that run: what goes in is checked, what a run alone can see names its node."""

import tracemalloc

import numpy as np
import pytest
from onnx_files import chain, load, node, single, value

from refmnas.errors import DataError, DtypeError, ShapeError, SpecError

MIB = 1 << 20
X = np.ones((1, 4), np.float32)
W = np.ones((4, 4), np.float32)


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
