"""ONNX files that lead outside their folder, or hold many small things: refused, in bounded time and memory."""

import itertools
import os
import time
import tracemalloc

import numpy as np
import pytest
from onnx_files import chain, encode, load, node, value

from refmnas.errors import FormatError
from refmnas.io import onnx

MIB = 1 << 20
X = np.ones((1, 4), np.float32)
W = np.ones((4, 4), np.float32)


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


# What each file holds many of: far more than the cap takes.
HOSTILE = {
    "empty nodes": lambda share: [[7, [[1, []]] * (500_000 // share)], [8, [[2, 17]]]],
    "unknown fields": lambda share: [[7, []], [8, [[2, 17]]], *[[30, 1]] * (600_000 // share)],
    "many names": lambda share: [[7, [[1, [[1, "ab"]] * (200_000 // share)]]], [8, [[2, 17]]]],
    "many opsets": lambda share: [[7, []], *[[8, [[2, 17]]]] * (300_000 // share)],
    "many dims": lambda share: [[7, [[5, [[1, b"\1" * (1_000_000 // share)]]]]], [8, [[2, 17]]]],
    "a long name": lambda share: [[7, [[1, [[4, "a" * (2_000_000 // share)]]]]], [8, [[2, 17]]]],
    "many values": lambda share: [[7, [[13, value("ab", "f4", (1,))]] * (100_000 // share)], [8, [[2, 17]]]],
    "many attributes": lambda share: [
        [7, [[1, [[4, "Relu"], *[[5, [[1, "a"], [20, 2]]]] * (200_000 // share)]]]], [8, [[2, 17]]],
    ],
    "many short runs": lambda share: [[7, [[5, [[1, b"\1" * 6]] * (60_000 // share)]]], [8, [[2, 17]]]],
    "many nodes": lambda share: chain(
        *[node("Relu", [f"t{k}" if k else "x"], [f"t{k + 1}"]) for k in range(30_000 // share)]
    ),
}  # fmt: skip


@pytest.mark.parametrize("share", [16, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_of_many_small_things_ends_soon_and_in_little_memory(tmp_path, name, share):
    """Cap, file and allowance by a sixteenth here: tracemalloc slows the interpreter."""
    (tmp_path / "a.onnx").write_bytes(encode(HOSTILE[name](share)))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    with pytest.raises(FormatError):
        onnx.load(tmp_path / "a.onnx", max_header=MIB // share)
    grown = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert grown <= 16 * MIB // share


def test_many_short_runs_of_numbers_end_soon(tmp_path):
    """Each was an array of its own once, which took 8 s of what a file may hold."""
    (tmp_path / "a.onnx").write_bytes(encode(HOSTILE["many short runs"](1)))
    began = time.process_time()
    with pytest.raises(FormatError, match="raise max_header="):
        onnx.load(tmp_path / "a.onnx")
    assert time.process_time() - began <= 5  # what is longer is a hang


def test_an_error_shows_a_hostile_list_by_its_ends(tmp_path):
    pooled = node("AveragePool", ["x"], ["y"], kernel_shape=(1, 1), pads=(1,) * 50_000)
    message = chain(pooled, inputs=[value("x", "f4", (1, 1, 4, 4))])
    with pytest.raises(FormatError, match=r"pads is \(1, 1, .* \.\.\. .*, 1, 1\), wanted 4 whole numbers") as told:
        load(tmp_path / "a.onnx", message)
    assert len(str(told.value)) < 4096


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
