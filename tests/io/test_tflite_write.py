"""TFLite files: read back, and computed by our reader and by LiteRT, every step within its own bound."""

import os

import numpy as np
import pytest
from local_bound import worst
from networks import KINDS, SOURCES, cells, every_step, image, stirred

import refmnas
from refmnas.errors import DtypeError, FormatError, ShapeError, SpecError
from refmnas.geometry import same_pad
from refmnas.io import tflite
from refmnas.io.tflite import build as builder
from refmnas.models import fold
from refmnas.models.fold import replace

NETWORKS = (*SOURCES, ("mobilenet-v3-large", "torchvision"), ("mobilenet-v3-large", "slim"))


def written(path, steps, **options):
    tflite.save(path, steps, **options)
    return tflite.load(path)


def by_step(steps, x, tensors):
    """{step: its result} of tensors by name, where the last is called logits."""
    names = {step.name: tflite.LOGITS if step is steps[-1] else step.name for step in steps}
    return {fold.IMAGE: x} | {step.name: tensors[names[step.name]].reshape(len(x), *step.shape) for step in steps}


def test_every_step_is_a_tensor_of_its_name(tmp_path):
    steps = fold.nodes(stirred("mnasnet-a1", width=0.35, classes=7), 40)
    graph = written(tmp_path / "a.tflite", steps)
    assert graph.inputs == {"input": (np.float32, (1, 40, 40, 3))}
    assert graph.outputs == {"logits": (np.float32, (1, 7))}
    assert {step.name for step in steps[:-1]} < set(graph.tensors)
    ends = written(tmp_path / "a.tflite", steps, batch=3, outputs=["stem"]).outputs
    assert ends == {"logits": (np.float32, (3, 7)), "stem": (np.float32, (3, 20, 20, *steps[0].shape[2:]))}


def test_pads_of_the_rule_are_same_and_others_are_explicit(tmp_path):
    """timm-tf pads by TensorFlow's rule, timm on both sides: at stride 2 and an even size that is no SAME."""
    steps = fold.nodes(stirred("efficientnet-lite0", "timm-tf", width=0.5), 64)
    assert "PAD" not in written(tmp_path / "a.tflite", steps).operators
    steps = fold.nodes(stirred("efficientnet-lite0", "timm", width=0.5), 64)
    rules = [same_pad(step.shape_in[0], step.kernel, step.stride) * 2 for step in steps]
    explicit = [step for step, rule in zip(steps, rules, strict=True) if any(step.pad) and step.pad != rule]
    assert written(tmp_path / "a.tflite", steps).operators["PAD"] == len(explicit) > 0


def test_the_same_steps_give_the_same_bytes(tmp_path):
    steps = every_step("swish")
    tflite.save(tmp_path / "a.tflite", steps)
    assert (tmp_path / "a.tflite").read_bytes() == tflite.encode([replace(step) for step in steps])
    assert os.listdir(tmp_path) == ["a.tflite"]


def test_weights_stand_at_multiples_of_sixteen():
    steps = fold.nodes(stirred("mnasnet-small", width=0.35, classes=7), 33)
    raw = tflite.encode(steps)
    for step in steps:
        if step.op == "depthwise":
            assert raw.index(step.w.tobytes()) % 16 == 0


def test_a_file_is_as_it_was_where_writing_fails(tmp_path, monkeypatch):
    target = tmp_path / "a.tflite"
    target.write_text("before")

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(FormatError, match=r"a.tflite: cannot be written: No space"):
        tflite.save(target, every_step("relu"))
    assert target.read_text() == "before"
    assert os.listdir(tmp_path) == ["a.tflite"]


def test_more_than_offsets_reach_is_refused(monkeypatch):
    size = len(tflite.encode(every_step("relu")))
    monkeypatch.setattr(builder, "LONGEST", size - 1)
    with pytest.raises(FormatError, match=f"has {size} bytes, wanted at most {size - 1}"):
        tflite.encode(every_step("relu"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"batch": 0}, "batch is 0, wanted a number from 1 on"),
        ({"batch": "N"}, "batch is 'N'"),
        ({"batch": True}, "batch is True"),
        ({"outputs": ["nothing"]}, "no step 'nothing' for outputs"),
    ],
)
def test_options_that_cannot_be_are_refused(options, said):
    with pytest.raises(SpecError, match=said):
        tflite.encode(every_step("relu"), **options)


def test_steps_that_cannot_be_are_refused_by_name():
    first, *rest = every_step("relu")
    with pytest.raises(SpecError, match="'logits' names two things"):
        tflite.encode([replace(first, name="logits"), *rest])
    with pytest.raises(DtypeError, match="stem.b is float64"):
        tflite.encode([replace(first, b=np.zeros(8)), *rest])
    with pytest.raises(ShapeError, match="the last step, gives"):
        tflite.encode([first])


@pytest.mark.parametrize("kind", KINDS)
def test_every_op_and_activation_is_computed_by_our_reader_within_the_bound_of_its_step(kind, tmp_path):
    steps = every_step(kind)
    x = np.random.default_rng(1).standard_normal((2, 9, 11, 3)).astype(np.float32)
    got = written(tmp_path / "a.tflite", steps, batch=2).intermediates({"input": x})
    margin, name = worst(steps, by_step(steps, x, got))
    assert margin <= 1, name


@pytest.mark.parametrize(("name", "source"), [("mnasnet-a1", "tf"), ("mobilenet-v3-large", "torchvision")])
def test_a_network_is_computed_and_recognised_by_our_reader(name, source, tmp_path):
    net = stirred(name, source, width=0.5, classes=7, size=33)
    steps, x = fold.nodes(net, 33), image(33)
    graph = written(tmp_path / "a.tflite", steps)
    margin, worst_name = worst(steps, by_step(steps, x, graph.intermediates({"input": x})))
    assert margin <= 1, worst_name
    found = refmnas.recognise(graph)
    assert (found.model, found.width, found.classes, found.size) == (name, 0.5, 7, 33)
    assert source in found.dialects
    for ours, theirs in zip(fold.nodes(found.network(), 33), steps, strict=True):
        assert (ours.name, ours.op, ours.pad, ours.act) == (theirs.name, theirs.op, theirs.pad, theirs.act)
        if ours.w is not None:  # folding with the identity gives back the very weights
            assert np.array_equal(ours.w, theirs.w)
            assert np.array_equal(ours.b, theirs.b)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "source"), NETWORKS)
def test_every_network_is_recognised(name, source, tmp_path):
    steps = fold.nodes(stirred(name, source, width=0.5, classes=7), 65)
    found = refmnas.recognise(written(tmp_path / "a.tflite", steps))
    assert (found.model, found.width) == (name, 0.5)
    assert source in found.dialects


def computed(steps, x, xnnpack):
    """LiteRT's own result of every step."""
    package = pytest.importorskip("ai_edge_litert.interpreter", reason="needs the extra peers: ai-edge-litert is not installed")
    kinds = package.OpResolverType
    kind = kinds.BUILTIN if xnnpack else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    content = tflite.encode(steps, batch=len(x), outputs="all")
    runtime = package.Interpreter(model_content=content, num_threads=1, experimental_op_resolver_type=kind)
    runtime.allocate_tensors()
    runtime.set_tensor(runtime.get_input_details()[0]["index"], x)
    runtime.invoke()
    return {end["name"]: runtime.get_tensor(end["index"]) for end in runtime.get_output_details()}


@pytest.mark.parity
@pytest.mark.parametrize("xnnpack", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_every_op_and_activation_is_computed_by_litert_within_the_bound_of_its_step(kind, xnnpack):
    steps = every_step(kind)
    x = np.random.default_rng(1).standard_normal((2, 9, 11, 3)).astype(np.float32)
    margin, name = worst(steps, by_step(steps, x, computed(steps, x, xnnpack)))
    assert margin <= 1, name


@pytest.mark.parity
@pytest.mark.parametrize("xnnpack", [False, True])
@pytest.mark.parametrize(("name", "source"), NETWORKS)
@pytest.mark.parametrize("size", [65, 96])
def test_every_step_of_a_network_is_computed_by_litert_and_by_us_within_its_bound(name, source, size, xnnpack, tmp_path):
    steps, x = fold.nodes(stirred(name, source, width=0.5, classes=11), size), image(size, 2)
    margin, worst_name = worst(steps, by_step(steps, x, computed(steps, x, xnnpack)))
    assert margin <= 1, worst_name
    if xnnpack:
        return
    ours = written(tmp_path / "a.tflite", steps, batch=2).intermediates({"input": x})
    margin, worst_name = worst(steps, by_step(steps, x, ours))
    assert margin <= 1, worst_name


# Sizes at which pads are the SAME rule's, and others: of 67 the stem leaves an odd number of pixels, of 65 an even one.
CELLS = (
    ("nasnet-a-mobile", "slim", 67), ("nasnet-a-mobile", "pretrainedmodels", 65), ("nasnet-a-large", "timm", 65),
    ("nasnet-a-cifar", "slim", 21), ("enas-micro", "official", 16),
)  # fmt: skip
STRANGERS = ({"head": "spp"}, {"merge": (1, 3)}, {"head": "spp", "merge": (0, 2)})


@pytest.mark.parametrize(("name", "source", "size"), CELLS)
def test_networks_of_cells_are_computed_by_our_reader_within_the_bound_of_each_step(name, source, size, tmp_path):
    steps, x = fold.nodes(cells(name, size, dialect=source), size), image(size)
    graph = written(tmp_path / "a.tflite", steps)
    margin, worst_name = worst(steps, by_step(steps, x, graph.intermediates({"input": x})))
    assert margin <= 1, worst_name


def test_pads_of_pools_that_are_not_the_rules_are_explicit(tmp_path):
    """The symmetric ones of an even image: zeros that do not count are weighed out, and no maximum sees them."""
    for size, least, shares in ((65, 2, 1), (63, 0, 0)):
        steps = fold.nodes(cells("nasnet-a-mobile", size, dialect="pretrainedmodels"), size)
        own = [s for s in steps if s.name.startswith("stem_0") and s.op in ("average_pool", "max_pool") and s.stride == 2]
        assert {s.pad for s in own} == {(1, 1, 1, 1)}
        operators = written(tmp_path / "a.tflite", steps).operators
        assert operators.get("PADV2", 0) == least
        assert operators.get("MUL", 0) == shares


def test_an_activation_of_nothing_is_a_copy(tmp_path):
    steps = every_step("relu")
    at = next(k for k, step in enumerate(steps) if step.op == "add")
    steps.insert(at + 1, fold.Node("copy", "act", ("sum",), (4, 6, 8), (4, 6, 8)))
    graph = written(tmp_path / "a.tflite", steps)
    assert graph.operators["RESHAPE"] == 1
    got = graph.intermediates({"input": np.ones((1, 9, 11, 3), np.float32)})
    assert np.array_equal(got["copy"], got["sum"])


@pytest.mark.parametrize("options", STRANGERS)
def test_what_no_paper_has_is_computed_by_our_reader(options, tmp_path):
    steps, x = fold.nodes(stirred("mnasnet-small", "tf", width=0.35, classes=7, **options), 45), image(45)
    graph = written(tmp_path / "a.tflite", steps)
    margin, worst_name = worst(steps, by_step(steps, x, graph.intermediates({"input": x})))
    assert margin <= 1, worst_name


@pytest.mark.parity
@pytest.mark.parametrize("xnnpack", [False, True])
@pytest.mark.parametrize(("name", "source", "size"), CELLS)
def test_networks_of_cells_are_computed_by_litert_within_the_bound_of_each_step(name, source, size, xnnpack):
    steps, x = fold.nodes(cells(name, size, dialect=source), size), image(size, 2)
    margin, worst_name = worst(steps, by_step(steps, x, computed(steps, x, xnnpack)))
    assert margin <= 1, worst_name


@pytest.mark.parity
@pytest.mark.parametrize("xnnpack", [False, True])
@pytest.mark.parametrize("options", STRANGERS)
def test_what_no_paper_has_is_computed_by_litert_within_the_bound_of_each_step(options, xnnpack):
    steps, x = fold.nodes(stirred("mnasnet-small", "tf", width=0.35, classes=7, **options), 45), image(45, 2)
    margin, worst_name = worst(steps, by_step(steps, x, computed(steps, x, xnnpack)))
    assert margin <= 1, worst_name
