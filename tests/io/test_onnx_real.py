"""Real files: PP-OCR's MobileNetV3 classifier of text directions, and timm's NASNet-A as PyTorch exports it, every node
against ONNX Runtime.

Every node is computed from the operands that ONNX Runtime itself had: in float64, and in float32 by our
evaluator.  Both, Runtime's and ours, must lie within the bound of that one node:

    Conv, MatMul, Gemm    gamma(n + 1) (|b| + sum |w| |x|), n the terms of a sum
    BatchNormalization    gamma(8) ((|x| + |mean|) |scale| / sqrt(var + eps) + |bias|)
    Add, Mul, Div         gamma(1) |y|, Div gamma(2) (some multiply by a reciprocal)
    pools that average    gamma(n + 1) mean |x|
    HardSigmoid           gamma(3) (alpha |x| + beta + 1)
    Softmax               gamma(n + 14 + 2 max |x|) y
    all others            exact
"""

import exported
import numpy as np
import pytest
import text_classifier

from refmnas.bounds import gamma
from refmnas.io.onnx import load
from refmnas.io.onnx.operators import TABLE

pytestmark = pytest.mark.parity
SMALLEST = 2.0**-126


def classifier(folder):
    """(the file, (rows, columns), images)."""
    return text_classifier.path(), (48, 192), 2


def nasnet(folder):
    exported.nasnet(folder / "a.onnx")
    return folder / "a.onnx", (exported.SIZE,) * 2, 1


def allowed(step, operands, y):
    """The bound of one node."""
    size = {key: np.abs(a) for key, a in operands.items()}
    a, op = step.attributes, TABLE[step.op]
    if step.op == "Conv":
        return gamma(operands["w"][0].size + 1) * op.compute(a, **size)
    if step.op == "Gemm":
        return gamma(operands["w"].shape[a["transB"]] + 1) * op.compute(a, **size)
    if step.op == "AveragePool":
        return gamma(int(np.prod(a["kernel_shape"])) + 1) * op.compute(a, **size)
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


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("made", [classifier, nasnet])
def test_every_tensor_lies_within_the_bound_of_its_node(made, tmp_path, capsys):
    path, size, count = made(tmp_path)
    graph = load(path)
    (image,) = graph.inputs
    x = np.random.default_rng(0).uniform(-1, 1, (count, 3, *size)).astype(np.float32)
    theirs = text_classifier.runtime(path, x, image)
    ours = graph.intermediates({image: x})
    assert set(ours) == set(theirs)
    margins, known = {}, {image: x} | graph.constants | theirs
    for step in graph.steps:
        name = step.results[0]
        operands = {key: [known[n] for n in v] if isinstance(v, list) else known[v] for key, v in step.operands.items()}
        plain = TABLE[step.op].compute(step.attributes, **operands)
        if theirs[name].dtype != np.float32:
            assert np.array_equal(plain, theirs[name])
            assert np.array_equal(ours[name], theirs[name])
            continue
        y = TABLE[step.op].compute(step.attributes, **{key: _wide(v) for key, v in operands.items()})
        bound = allowed(step, {key: _wide(v) for key, v in operands.items()}, y) + SMALLEST
        with np.errstate(invalid="ignore"):  # infinities less themselves
            found = [np.where(got == y, 0, np.abs(got - y) / bound) for got in (plain, theirs[name])]
        margins[name] = max(float(np.max(share, initial=0)) for share in found)
    worst = max(margins, key=margins.get)
    known = [name for name in margins if np.isfinite(theirs[name]).all()]
    deviation = max(float(np.max(np.abs(ours[name] - theirs[name]), initial=0)) for name in known)
    with capsys.disabled():
        print(f"\n{made.__name__}: {len(theirs)} tensors, largest error / bound {margins[worst]:.2f} at {worst}, "
              f"largest difference of a whole run {deviation:.1e}")  # fmt: skip
    assert margins[worst] <= 1


def _wide(value):
    """float32 as float64."""
    if isinstance(value, list):
        return [_wide(a) for a in value]
    return value.astype("f8") if value.dtype == np.float32 else value
