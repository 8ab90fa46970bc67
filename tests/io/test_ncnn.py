"""ncnn files: read back by a parser of the test's own, computed by ncnn."""

import os

import numpy as np
import pytest
from local_bound import worst
from networks import KINDS, SOURCES, cells, every_step, image, stirred

from refmnas.errors import DtypeError, FormatError, SpecError
from refmnas.io import ncnn
from refmnas.models import fold
from refmnas.models.fold import replace


def parsed(text):
    """[(type, name, inputs, outputs, {key: value})] of a .param; the counts must be those of the lines."""
    magic, counts, *lines = text.splitlines()
    assert magic == "7767517"
    layers = []
    for line in lines:
        kind, name, reads, writes, *words = line.split()
        reads, writes = int(reads), int(writes)
        blobs, params = words[: reads + writes], words[reads + writes :]
        values = {}
        for param in params:
            key, _, value = param.partition("=")
            if int(key) <= -23300:
                length, *rest = value.split(",")
                assert len(rest) == int(length)
                values[-23300 - int(key)] = tuple(map(float, rest))
            else:
                values[int(key)] = float(value) if set(value) & set(".e") else int(value)
            assert all(len(word) <= 15 for word in value.split(","))  # what ncnn's parser takes
        layers.append((kind, name, blobs[:reads], blobs[reads:], values))
    assert counts.split() == [str(len(layers)), str(sum(len(layer[3]) for layer in layers))]
    return layers


def unpacked(layers, data):
    """{layer: (weights, biases)} of a .bin, which must end with the last layer's."""
    found, at = {}, 0
    for kind, name, _, _, p in layers:
        size = p.get({"InnerProduct": 2}.get(kind, 6))
        if kind not in ("Convolution", "ConvolutionDepthWise", "InnerProduct"):
            continue
        assert data[at : at + 4] == bytes(4)
        w = np.frombuffer(data, "<f4", size, at + 4)
        b = np.frombuffer(data, "<f4", p[0], at + 4 + 4 * size)
        found[name], at = (w, b), at + 4 + 4 * size + 4 * p[0]
    assert at == len(data)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_every_blob_is_written_and_read_once(kind):
    layers = parsed(ncnn.encode(every_step(kind))[0])
    written, names = [b for layer in layers for b in layer[3]], [layer[1] for layer in layers]
    assert len(set(names)) == len(names)
    assert len(set(written)) == len(written)
    known, unread = set(), set()
    for _, _, read, result, _ in layers:
        assert set(read) <= known
        unread = (unread - set(read)) | set(result)
        known = (known - set(read)) | set(result)  # a second reader would not find it
    assert unread == {"logits"}
    assert {step.name for step in every_step(kind)} <= set(names)


def test_weights_come_back_in_ncnns_order():
    steps = every_step("relu6")
    text, data = ncnn.encode(steps)
    layers = parsed(text)
    weights, kinds = unpacked(layers, data), {name: (kind, params) for kind, name, _, _, params in layers}
    for step in [s for s in steps if s.w is not None]:
        w, b = weights[step.name]
        assert np.array_equal(b, step.b)
        turned = step.w.transpose(*{4: (3, 2, 0, 1), 3: (2, 0, 1), 2: (1, 0)}[step.w.ndim])
        assert np.array_equal(w, turned.ravel())
        params = kinds[step.name][1]
        assert params[9] == 3
        assert params[10] == (0.0, 6.0)
    kind, p = kinds["stem"]
    assert kind == "Convolution"
    assert [p[k] for k in (0, 1, 11, 3, 14, 16, 4, 15)] == [8, 3, 3, 2, 0, 1, 2, 1]
    assert kinds["wide"][0] == "ConvolutionDepthWise"
    assert kinds["wide"][1][7] == 8
    assert kinds["input"][1] == {0: 11, 1: 9, 2: 3}


def test_two_files_are_written_whole_and_alike(tmp_path):
    steps = fold.nodes(stirred("mnasnet-small", width=0.35, classes=5), 32)
    for name in ("a", "b"):
        assert ncnn.save(tmp_path / f"{name}.param", steps) == (tmp_path / f"{name}.param", tmp_path / f"{name}.bin")
    assert sorted(os.listdir(tmp_path)) == ["a.bin", "a.param", "b.bin", "b.param"]
    assert (tmp_path / "a.bin").read_bytes() == (tmp_path / "b.bin").read_bytes() == ncnn.encode(steps)[1]
    assert (tmp_path / "a.param").read_text() == (tmp_path / "b.param").read_text() == ncnn.encode(steps)[0]


def test_nothing_is_left_where_writing_fails(tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(FormatError, match="cannot be written: No space"):
        ncnn.save(tmp_path / "a.param", every_step("relu"))
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_written_is_refused(tmp_path):
    steps = every_step("relu")
    with pytest.raises(SpecError, match=r"the suffix is '.txt', wanted .param"):
        ncnn.save(tmp_path / "a.txt", steps)
    with pytest.raises(DtypeError, match=r"stem.w is float64"):
        ncnn.encode([replace(steps[0], w=steps[0].w.astype(float)), *steps[1:]])
    with pytest.raises(SpecError, match="is too long"):
        ncnn.encode([*steps[:-1], replace(steps[-1], name="dense" * 60)])
    with pytest.raises(SpecError, match="'a b'"):
        ncnn.encode([replace(steps[0], name="a b"), *steps[1:]])


def computed(steps, x, folder):
    """ncnn's own result of every step for each image of x, NHWC."""
    runtime = pytest.importorskip("ncnn", reason="needs the extra peers: ncnn is not installed")
    param, weights = ncnn.save(folder / "n.param", steps)
    net = runtime.Net()
    net.opt.num_threads, net.opt.use_vulkan_compute, net.opt.lightmode = 1, False, False
    for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"):
        setattr(net.opt, option, False)
    assert net.load_param(str(param)) == net.load_model(str(weights)) == 0
    found = {step.name: [] for step in steps}
    for one in x:
        extractor = net.create_extractor()
        extractor.set_light_mode(False)
        planes = np.ascontiguousarray(one.transpose(2, 0, 1))  # a Mat looks at the array and does not hold it
        extractor.input("input", runtime.Mat(planes))
        for step in steps:
            code, blob = extractor.extract("logits" if step is steps[-1] else step.name)
            assert code == 0, step.name
            found[step.name].append(np.moveaxis(np.array(blob), 0, -1).reshape(step.shape))
    return {"input": x} | {name: np.stack(a) for name, a in found.items()}


@pytest.mark.parity
@pytest.mark.parametrize("kind", KINDS)
def test_every_op_and_activation_is_computed_within_the_bound_of_its_step(kind, tmp_path):
    steps = every_step(kind)
    x = np.random.default_rng(1).standard_normal((2, 9, 11, 3)).astype(np.float32)
    margin, name = worst(steps, computed(steps, x, tmp_path))
    assert margin <= 1, name


@pytest.mark.parity
@pytest.mark.parametrize(("name", "source"), SOURCES)
def test_every_step_of_a_network_is_computed_within_its_bound(name, source, tmp_path):
    steps = fold.nodes(stirred(name, source, width=0.5, classes=11), 65)
    margin, worst_name = worst(steps, computed(steps, image(65), tmp_path))
    assert margin <= 1, worst_name


@pytest.mark.parametrize(("options", "op"), [({}, "act"), ({"head": "spp"}, "pyramid"), ({"merge": (1, 3)}, "resize")])
def test_steps_that_the_format_is_not_written_for_are_refused_by_name(options, op):
    net = stirred("mnasnet-small", "tf", width=0.35, classes=7, size=33, **options) if options else cells("enas-micro", 9)
    with pytest.raises(SpecError, match=f"is the op '{op}', wanted one of conv"):
        ncnn.encode(fold.nodes(net))
