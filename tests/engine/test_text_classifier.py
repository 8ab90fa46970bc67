"""A real file in the engine: PP-OCR's MobileNetV3 classifier of text directions, every tensor against ONNX Runtime.

The plan's stored tensors and its answer are, bit for bit, those of the contract's slow program, whose tensors are
therefore the engine's, also within fused steps.  Every one of them is then computed from the operands that ONNX
Runtime itself had: by the contract in float32, and in float64 with batch norm folded and nothing rounded.  Both, the
contract's and Runtime's, must lie within the bound of that one step:

    sums        gamma(n + 9) (B + sum |w'| |x|), w' = w r, B = |beta| + |mean| r + |b| r: n terms and the bias, the folded
                weight's own rounding, Runtime's eight of a batch norm (of which the engine needs none)
    scale, add  gamma(1) |y|;   mean gamma(H W + 1) mean |x|;   largest 0
    kinds       gamma(16) of the size: 1 for a hard sigmoid, |x| for a hard swish;   softmax refmnas.bounds.softmax
"""

from dataclasses import replace

import definition
import numpy as np
import pytest
import text_classifier
from small import words

import refmnas
from refmnas import kernels
from refmnas.bounds import gamma
from refmnas.bounds.softmax import softmax_forward
from refmnas.io.onnx import load
from refmnas.models.fold import IMAGE, computed
from refmnas.ops import activation
from refmnas.recognition.nodes import nodes, unfolded

pytestmark = pytest.mark.parity
SIZE, SMALLEST = (48, 192), 2.0**-126


@pytest.fixture(scope="module")
def file():
    """(the file's graph, images, the plan's nodes, Runtime's tensors in our layout, the contract's)."""
    path = text_classifier.path()
    graph = load(path)
    x = np.random.default_rng(0).uniform(-1, 1, (2, *SIZE, 3)).astype(np.float32)
    theirs = text_classifier.runtime(path, np.ascontiguousarray(x.transpose(0, 3, 1, 2)))
    found = nodes(graph, SIZE)
    return graph, x, found, {IMAGE: x} | {n.name: _ours(theirs[n.name], n.shape) for n in found}, definition.run(found, x)


def _ours(a, shape):
    return (a.transpose(0, 2, 3, 1) if a.ndim == 4 else a).reshape(len(a), *shape)


def _exact(graph):
    """name -> (w', b', B) in float64 of every step with weights."""
    statistics = {node.inputs[0]: (node.name, norm, eps) for node, norm, eps in unfolded(graph, SIZE) if norm is not None}
    for node, _, _ in unfolded(graph, SIZE):
        if node.w is None:
            continue
        w, b = node.w.astype(np.float64), np.zeros(node.w.shape[-1]) if node.b is None else node.b.astype(np.float64)
        name, norm, eps = statistics.get(node.name, (node.name, None, 0))
        size = np.abs(b)
        if norm is not None:
            scale, beta, mean, var = (norm[key].astype(np.float64) for key in ("gamma", "beta", "mean", "var"))
            ratio = scale / np.sqrt(var + eps)
            w, b, size = w * ratio, (b - mean) * ratio + beta, (size + np.abs(mean)) * np.abs(ratio) + np.abs(beta)
        yield name, (w, b, size)


def _judged(node, x, exact):
    """(the step in float64, its bound) from operands in float64."""
    if node.op == "softmax":
        return computed(node, x), softmax_forward(None, np.dtype(np.float32), x[0])[0]
    if node.name in exact:
        w, b, size = exact[node.name]
        terms = w.size // w.shape[-1]
        sums = replace(node, w=np.abs(w), b=size)
        return computed(replace(node, w=w, b=b), x), gamma(terms + 9) * computed(sums, [np.abs(x[0])])
    y = activation.forward(computed(node, x), kind=node.act)
    if node.op == "pool":
        return y, gamma(x[0].shape[1] * x[0].shape[2] + 1) * np.abs(x[0]).mean(axis=(1, 2))
    if node.act.startswith("hard"):
        return y, gamma(16) * (np.abs(x[0]) if node.act == "hard_swish" else np.ones_like(y))
    return y, gamma(1) * np.abs(y) if node.op in ("add", "scale") else 0 * y


def test_every_tensor_is_within_the_bound_of_its_step(file, capsys):
    graph, _, found, theirs, _ = file
    exact, margins = dict(_exact(graph)), {}
    for node in found:
        operands = [theirs[name] for name in node.inputs]
        y, bound = _judged(node, [a.astype(np.float64) for a in operands], exact)
        own = definition.activated(node.act, definition.RESULT[node.op](node, *operands))
        margins[node.name] = [float(np.max(np.abs(got - y) / (bound + SMALLEST))) for got in (own, theirs[node.name])]
    assert len(margins) > 100
    assert set(exact) <= set(margins)
    ours, runtimes = (max(pair[k] for pair in margins.values()) for k in (0, 1))
    with capsys.disabled():
        print(f"\nPP-OCR in the engine: {len(margins)} tensors, largest error / bound {ours:.2f}, "
              f"ONNX Runtime's {runtimes:.2f}")  # fmt: skip
    assert max(ours, runtimes) <= 1


def test_what_the_engine_stores_is_the_contracts(file, capsys):
    graph, x, found, theirs, want = file
    for k, isa in enumerate(kernels.isas()):
        with kernels.select_isa(isa):
            plan = refmnas.compile(graph, batch=2, size=SIZE, threads=1 + k % 3)
        stored = plan.outputs(list(plan.outputs([])._shapes))(x) | {found[-1].name: plan(x)}
        assert len(stored) > 15
        for name, got in stored.items():
            assert np.array_equal(words(got), words(want[name])), (isa, name)
    differences = {name: np.max(np.abs(want[name] - theirs[name])) / np.max(np.abs(theirs[name])) for name in stored}
    worst = max(differences, key=differences.get)
    with capsys.disabled():
        print(f"\nPP-OCR in the engine: {len(stored)} stored tensors of a whole run, largest difference from ONNX Runtime's "
              f"{differences[worst]:.1e} of the largest value, at {worst}")  # fmt: skip
