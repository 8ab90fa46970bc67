"""TFLite files as graphs: what goes in and comes out, and what is refused, by its name, when a file is loaded."""

import struct
import time
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from tflite_files import encode, load, model, operator, options, tensor

import refmnas
from refmnas.errors import FormatError, ShapeError
from refmnas.io import tflite
from refmnas.io.tflite import operators, schema
from refmnas.io.tflite.build import Ints, Number, Pieces, Raw, Table, Tables, Text

MIB = 1 << 20
X = {"x": ("f4", (1, 2, 2, 3))}
Y = {"y": ("f4", (1, 2, 2, 3))}
ONE = np.arange(12, dtype="f4").reshape(1, 2, 2, 3)


def plain(**changes):
    return model([("RELU", ["x"], "y", {})], X, Y, **changes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.tflite"


def refused(path, table, said, **caps):
    with pytest.raises(FormatError) as told:
        load(path, table, **caps)
    assert str(told.value).startswith(f"{path}: ")
    assert said in str(told.value)


def test_a_graph_tells_its_ends_and_runs(path):
    nodes = [("ADD", ["x", "w"], "t", {"act": 1}), ("MUL", ["t", "t"], "y", {})]
    graph = load(path, model(nodes, X, Y, {"w": np.full(3, -4, "f4")}, shapes={"t": Y["y"]}))
    assert graph.inputs == {"x": (np.float32, (1, 2, 2, 3))}
    assert graph.outputs == {"y": (np.float32, (1, 2, 2, 3))}
    assert graph.operators == {"ADD": 1, "MUL": 1}
    assert repr(graph) == f"<Graph {path} TFLite, 2 operators>"
    between = np.maximum(ONE - 4, 0)
    assert np.array_equal(graph.run({"x": ONE})["y"], between**2)
    found = graph.intermediates({"x": ONE})
    assert list(found) == ["t", "y"]  # the sum before its fused activation is no tensor of the file
    assert np.array_equal(found["t"], between)
    with pytest.raises(ShapeError, match="x has shape"):
        graph.run({"x": ONE[0]})


def test_it_is_reached_after_import_refmnas():
    assert refmnas.io.tflite.load is tflite.load
    assert refmnas.io.tflite.recognise is refmnas.recognise


def test_an_open_extent_is_any(path):
    more = {name: {"signature": Ints((-1, 2, 2, 3))} for name in ("x", "y")}
    graph = load(path, plain(more=more))
    assert graph.inputs["x"][1] == (None, 2, 2, 3)
    assert graph.run({"x": np.repeat(ONE, 3, 0)})["y"].shape == (3, 2, 2, 3)


def test_tensors_of_one_name_and_without_any_are_told_apart(path):
    nodes = [("RELU", ["x"], "t", {}), ("RELU", ["t"], "y", {})]
    table = model(nodes, X, Y, shapes={"t": Y["y"]})
    entries = table.fields[2].entries[0].fields[0].entries
    for k, name in enumerate(("same", "same", "")):
        entries[k] = Table(entries[k].fields | {3: Text(name)})
    graph = load(path, table)
    assert list(graph.inputs) == ["same"]
    assert set(graph.tensors) == {"same", "same:1", "tensor 2"}
    assert graph.run({"same": ONE})[next(iter(graph.outputs))].shape == (1, 2, 2, 3)


def test_an_output_may_be_a_constant_or_an_input(path):
    table = model([("RELU", ["x"], "y", {})], X, Y, {"w": np.ones(2, "f4")})
    subgraph = table.fields[2].entries[0]
    subgraph.fields[2] = Ints((0, 1, 2))
    got = load(path, table).run({"x": ONE})
    assert np.array_equal(got["x"], ONE)
    assert np.array_equal(got["w"], np.ones(2))


NAMED = {
    "the operator LSTM is not read, wanted one of ADD": [("LSTM", ["x"], "y", {})],
    "the operator QUANTIZE is not read": [("QUANTIZE", ["x"], "y", {})],
    "the operator WHILE is not read": [("WHILE", ["x"], "y", {})],
    "the operator number 999 is not read": [(999, ["x"], "y", {})],
    "operator 0 (ADD): the operand y is missing": [("ADD", ["x"], "y", {})],
    "operator 0 (ADD): the operand x is missing": [("ADD", [None, "x"], "y", {})],
    "which nothing gives": [("ADD", ["x", "t"], "y", {})],
    "which is made twice": [("RELU", ["x"], "y", {}), ("RELU", ["x"], "y", {})],
    "the graph has a cycle": [("ADD", ["x", "t"], "u", {}), ("RELU", ["u"], "t", {}), ("RELU", ["u"], "y", {})],
    "is no operator's result": [("RELU", ["x"], "t", {})],
    "wanted a float16 constant": [("DEQUANTIZE", ["x"], "y", {})],
    "which is no constant: wanted weights": [("CONV_2D", ["x", "t"], "y", {})],
    "wanted a constant of at most": [("MEAN", ["x", "x"], "y", {})],
    "wanted equal extents or 1": [("ADD", ["x", "bad"], "y", {})],
    "'y' has shape (1, 2, 2, 3), the file declares": [("RELU", ["x"], "odd", {}), ("RELU", ["x"], "y", {})],
}  # fmt: skip


@pytest.mark.parametrize("said", NAMED)
def test_what_cannot_be_computed_is_refused_by_name(path, said):
    shapes = {"t": Y["y"], "u": Y["y"], "odd": ("f4", (1, 2, 2, 4))}
    tensors = {"bad": np.ones(2, "f4")}
    refused(path, model(NAMED[said], X, Y, tensors, shapes=shapes), said.replace("'y' has", "'odd' has"))


QUANTIZED = {"quantization": Table({2: Ints((1,)), 3: Ints((0, 0))})}
TENSORS = {
    "'x' of type INT8 is quantised, wanted a float model": ("i1", QUANTIZED),
    "'x' of type FLOAT32 is quantised": ("f4", QUANTIZED),
    "'x' has the element type UINT8, wanted one of FLOAT32": ("u1", {}),
    "'x' has the element type STRING": (5, {}),
    "'x' has the element type number 77": (77, {}),
    "'x' has is_variable, wanted a plain tensor": ("f4", {"is_variable": Number("?", True)}),
    "'x' has sparsity": ("f4", {"sparsity": Table({})}),
    "'x' has external_buffer": ("f4", {"external_buffer": Number("I", 1)}),
    "'x' has variant_tensors": ("f4", {"variant_tensors": Tables([])}),
    "wanted as many axes": ("f4", {"signature": Ints((1, 2))}),
    "wanted extents from 0 on": ("f4", {"signature": Ints((1, 2, 2, -3))}),
}


@pytest.mark.parametrize("said", TENSORS)
def test_tensors_that_are_not_read_are_refused_by_name(path, said):
    kind, more = TENSORS[said]
    refused(path, model([("RELU", ["x"], "y", {})], {"x": (kind, (1, 2, 2, 3))}, Y, more={"x": more}), said)


def test_a_range_alone_is_no_quantisation(path):
    more = {"x": {"quantization": Table({0: Ints((0,)), 1: Ints((1,))})}}
    load(path, plain(more=more))


def test_the_models_parts_are_held_to_what_is_read(path):
    refused(path, plain(version=2), "schema version 2, wanted 3")
    subgraph = plain().fields[2].entries[0]
    refused(path, plain(_2=Tables([subgraph, subgraph])), "has 2 subgraphs, wanted one: control flow is not read")
    refused(path, plain(_2=Tables([])), "has 0 subgraphs")
    custom = Table({0: Number("b", 32), 1: Text("Detect"), 3: Number("i", 32)})
    refused(path, plain(_1=Tables([custom])), "the operator CUSTOM 'Detect' is not read")
    refused(path, plain(_1=Tables([])), "has the code 0, the model has 0")
    refused(path, plain(_4=Tables([])), "has the buffer 0, the model has 0")
    beyond = Table({1: Number("Q", 4096), 2: Number("Q", 8)})
    refused(path, plain(_4=Tables([beyond])), "has its bytes beyond the tables")
    path.write_bytes(b"not a model")
    with pytest.raises(FormatError, match="wanted b'TFL3' from byte 4: no TFLite file"):
        tflite.load(path)
    path.write_bytes(b"")
    with pytest.raises(FormatError, match="starts with b''"):
        tflite.load(path)


def changed(what, value, **more):
    """The plain model with a field of its only operator replaced."""
    table = plain(**more)
    entry = table.fields[2].entries[0].fields[3].entries[0]
    entry.fields[what] = value
    return table


def test_numbers_of_tensors_are_held_to_the_subgraph(path):
    refused(path, changed(1, Ints((7,))), "inputs name the tensor 7, the subgraph has 2")
    refused(path, changed(1, Ints((-2,))), "inputs name the tensor -2")
    refused(path, changed(2, Ints((-1,))), "outputs name the tensor -1")
    refused(path, changed(2, Ints((1, 0))), "has 2 results, wanted 1")
    for slot, key in ((1, "inputs"), (2, "outputs")):
        for wrong, said in ((Ints((9,)), f"{key} name the tensor 9"), (Ints((0, 0)), "wanted each tensor once")):
            table = plain()
            table.fields[2].entries[0].fields[slot] = wrong
            refused(path, table, said)


def test_options_of_another_table_are_refused(path):
    table = model([("SOFTMAX", ["x"], "y", {"beta": 1.0})], X, Y)
    table.fields[2].entries[0].fields[3].entries[0].fields[3] = Number("B", 1)
    refused(path, table, "operator 0 (SOFTMAX) has options of the kind 1, wanted 9")


def test_a_constant_must_have_its_bytes(path):
    table = model([("ADD", ["x", "w"], "y", {})], X, Y, {"w": np.ones(3, "f4")})
    table.fields[4].entries[1] = Table({0: Raw(np.ones(4, "f4"))})
    refused(path, table, "'w' of shape (3,) and type float32 has 16 bytes, wanted 12")


def test_caps_are_named_and_raised(path):
    table = model([("ADD", ["x", "w"], "y", {})], X, Y, {"w": np.ones(3, "f4")})
    for cap, amount in (("max_tensors", 2), ("max_bytes", 11), ("max_header", 100)):
        refused(path, table, f"raise {cap}=", **{cap: amount})
    load(path, table, max_tensors=3, max_bytes=12)


def test_every_byte_may_be_lost_and_every_number_false(path):
    """Cut anywhere, or with any 32-bit word overwritten: loaded, or a FormatError that names the file."""
    options_ = {"padding": 0, "stride_h": 1, "stride_w": 1}
    table = model([("CONV_2D", ["x", "w"], "y", options_)], X, Y, {"w": np.ones((3, 1, 1, 3), "f4")})
    raw = encode(table)
    broken = [raw[:k] for k in range(0, len(raw), 7)]
    for word in (0, 0xFFFFFFFF, 0x7FFFFFFF, len(raw)):
        broken += [raw[:k] + struct.pack("<I", word) + raw[k + 4 :] for k in range(0, len(raw) - 3, 4)]
    outcomes = {_outcome(path, data) for data in broken}
    assert outcomes == {"loaded", "refused"}


def _outcome(path, data):
    path.write_bytes(data)
    try:
        tflite.load(path, max_bytes=MIB)
    except FormatError as error:
        return "refused" if str(path) in str(error) else f"no name: {error}"
    return "loaded"


HOSTILE = {  # each by the share of the cap that it is held to
    "many operators": lambda share: changed(5, Text("x" * 10), _1=Tables([Table({})] * (26_000 // share))),
    "many tensors": lambda share: _with(0, Tables([tensor("t", "f4", (1,))] * (12_000 // share))),
    "many extents": lambda share: _with(0, Tables([tensor("t", "f4", (1,) * (400_000 // share))])),
    "a long name": lambda share: _with(0, Tables([tensor("t" * 9000, "f4", (1,))])),
    "many inputs": lambda share: changed(1, Ints((0,) * (400_000 // share))),
    "many resizes": lambda share: many(
        "RESIZE_NEAREST_NEIGHBOR", {f"s{k}": np.array([60_000 + k, 65_000 - k], "i4") for k in range(60 // share)}
    ),
    "many lists": lambda share: many("PAD", dict.fromkeys([f"s{k}" for k in range(60 // share)], np.ones((16_000, 2), "i4"))),
    "many nodes": lambda share: _with(3, Tables([operator("RELU", 0, (0,), (1,))] * (8_000 // share))),
}


def many(op, lists):
    """Operators whose lists of numbers make large constants of the graph."""
    nodes = [(op, ["x", name], f"y{k}", {}) for k, name in enumerate(lists)]
    return model(nodes, X, Y, lists, shapes={f"y{k}": Y["y"] for k in range(len(lists))})


def _with(slot, value):
    table = plain()
    table.fields[2].entries[0].fields[slot] = value
    return table


@pytest.mark.parametrize("share", [16, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_of_many_small_things_ends_soon_and_in_little_memory(path, name, share):
    """A share of the cap, and of the allowance but for the pages that are held."""
    path.write_bytes(encode(HOSTILE[name](share)))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    with pytest.raises(FormatError):
        tflite.load(path, max_header=MIB // share)
    grown = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert grown <= 14 * MIB // share + 2 * MIB


def test_references_to_one_thing_are_paid_for(path):
    """A vector whose references all lead to one table: as dear as so many tables."""
    raw = bytearray(encode(plain()))
    count = 200_000
    codes = len(raw) + (-len(raw)) % 4
    raw += bytes(codes - len(raw)) + struct.pack("<I", count)
    end = codes + 4 + 4 * count
    raw += b"".join(struct.pack("<I", end + 8 - (codes + 4 + 4 * k)) for k in range(count))
    raw += struct.pack("<HHHH", 4, 4, 0, 0) + struct.pack("<i", 8)
    root = struct.unpack_from("<I", raw)[0]
    vtable = root - struct.unpack_from("<i", raw, root)[0]
    at = root + struct.unpack_from("<H", raw, vtable + 4 + 2)[0]  # operator_codes
    struct.pack_into("<I", raw, at, codes - at)
    path.write_bytes(raw)
    began = time.process_time()
    with pytest.raises(FormatError, match="raise max_header="):
        tflite.load(path)
    assert time.process_time() - began <= 5


def test_memory_grows_by_the_tensors_alone(path):
    w = np.ones((256, 8 * 1024), "f2")
    nodes = [("DEQUANTIZE", ["w"], "w32", {}), ("FULLY_CONNECTED", ["x", "w32"], "y", {})]
    table = model(nodes, {"x": ("f4", (1, 8 * 1024))}, {"y": ("f4", (1, 256))}, {"w": w}, shapes={"w32": ("f4", w.shape)})
    path.write_bytes(encode(table))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    graph = tflite.load(path)
    grown = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert grown <= w.nbytes + 2 * w.nbytes + 2 * MIB  # as it stands in the file, and as float32
    assert graph.run({"x": np.ones((1, 8 * 1024), "f4")})["y"][0, 0] == 8 * 1024
    refused(path, table, "raise max_bytes=", max_bytes=2 * w.nbytes - 1)


def test_operators_and_options_have_their_numbers():
    assert set(schema.OPTIONS) == {name for name, fields in operators.KNOWN.items() if fields}
    assert set(operators.KNOWN) <= set(schema.NUMBERS)


def test_the_builder_aligns_every_number():
    raw = Pieces(Table({0: Number("b", 1), 1: Number("Q", 2**40), 2: Raw(np.ones(3, "f4"))}), b"TFL3").encoded()
    assert raw.index(struct.pack("<Q", 2**40)) % 8 == 0
    assert raw.index(np.ones(3, "<f4").tobytes()) % 16 == 0
    assert options("SOFTMAX", beta=2.0) == Table({0: Number("f", 2.0)})
    assert replace(Table({}), fields={1: 2}).fields == {1: 2}
