"""A real file: PP-OCR's MobileNetV3 classifier of text directions, every node against ONNX Runtime.

Every node is computed from the operands that ONNX Runtime itself had: in float64, and in float32 by our
evaluator.  Both, Runtime's and ours, must lie within the bound of that one node:

    Conv, MatMul          gamma(n + 1) (|b| + sum |w| |x|), n the terms of a sum
    BatchNormalization    gamma(8) ((|x| + |mean|) |scale| / sqrt(var + eps) + |bias|)
    Add, Mul, Div         gamma(1) |y|, Div gamma(2) (some multiply by a reciprocal)
    GlobalAveragePool     gamma(n + 1) mean |x|
    HardSigmoid           gamma(3) (alpha |x| + beta + 1)
    Softmax               gamma(n + 14 + 2 max |x|) y
    all others            exact
"""

import numpy as np
import pytest
import text_classifier

from refmnas.bounds import gamma
from refmnas.io.onnx import load
from refmnas.io.onnx.operators import TABLE

pytestmark = pytest.mark.parity
SMALLEST = 2.0**-126


@pytest.fixture(scope="module")
def path():
    return text_classifier.path()


def allowed(step, operands, y):
    """The bound of one node."""
    size = {key: np.abs(a) for key, a in operands.items()}
    a, op = step.attributes, TABLE[step.op]
    if step.op == "Conv":
        return gamma(operands["w"][0].size + 1) * op.compute(a, **size)
    if step.op == "MatMul":
        return gamma(len(operands["w"]) + 1) * op.compute(a, **size)
    if step.op == "BatchNormalization":
        return gamma(8) * op.compute(a, **size | {"mean": -size["mean"]})
    if step.op in ("Add", "Mul", "Div"):
        return gamma(2 if step.op == "Div" else 1) * np.abs(y)
    if step.op == "GlobalAveragePool":
        return gamma(operands["x"][0, 0].size + 1) * op.compute(a, **size)
    if step.op == "HardSigmoid":
        return gamma(3) * (a["alpha"] * size["x"] + a["beta"] + 1)
    if step.op == "Softmax":
        return gamma(int(y.shape[-1] + 14 + 2 * size["x"].max())) * np.abs(y)
    return 0 * np.abs(y)


def test_every_tensor_of_the_classifier_lies_within_the_bound_of_its_node(path, capsys):
    graph = load(path)
    x = np.random.default_rng(0).uniform(-1, 1, (2, 3, 48, 192)).astype(np.float32)
    theirs = text_classifier.runtime(path, x)
    ours = graph.intermediates({"x": x})
    assert set(ours) == set(theirs)
    margins, known = {}, {"x": x} | graph.constants | theirs
    for step in graph.steps:
        name = step.results[0]
        operands = {key: [known[n] for n in v] if isinstance(v, list) else known[v] for key, v in step.operands.items()}
        plain = TABLE[step.op].compute(step.attributes, **operands)
        if step.op in ("Constant", "Shape", "Slice", "Concat", "Cast") or theirs[name].dtype != np.float32:
            assert np.array_equal(plain, theirs[name])
            assert np.array_equal(ours[name], theirs[name])
            continue
        exact = {key: v.astype("f8") if v.dtype == np.float32 else v for key, v in operands.items()}
        y = TABLE[step.op].compute(step.attributes, **exact)
        bound = allowed(step, exact, y) + SMALLEST
        margins[name] = max(np.max(np.abs(got - y) / bound) for got in (plain, theirs[name]))
    worst = max(margins, key=margins.get)
    deviation = max(np.max(np.abs(ours[name] - theirs[name])) for name in margins)
    with capsys.disabled():
        print(f"\nPP-OCR classifier: {len(theirs)} tensors, largest error / bound {margins[worst]:.2f} at {worst}, "
              f"largest difference of a whole run {deviation:.1e}")  # fmt: skip
    assert margins[worst] <= 1
