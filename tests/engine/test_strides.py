"""Windows with another stride for rows than for columns, and a softmax at the end: the definition's bits, within the bound."""

import numpy as np
import pytest
import strided
from propagated import follow
from small import words
from strided import STRIDED
from test_graphs import agree

import refmnas
from refmnas import kernels
from refmnas.bounds.softmax import softmax_forward
from refmnas.engine import run
from refmnas.io import onnx, tflite
from refmnas.models import fold
from refmnas.models.fold import IMAGE
from refmnas.ops import softmax

KINDS = {
    "bands": {"stem", "band"}, "bands-right": {"band"}, "slabs": {"slab"}, "slabs-right": {"slab"},
    "grouped": {"band", "groups"}, "grouped-right": {"groups"}, "alone": {"window", "shortcut", "slab"},
}  # fmt: skip


@pytest.mark.parametrize("name", STRIDED)
def test_logits_and_stored_results_are_the_definitions(name):
    agree(strided.nodes(name))
    kinds = {row.kind for row in run.Plan(strided.nodes(name), batch=1, threads=1).steps}
    assert KINDS[name] | {"softmax"} <= kinds


@pytest.mark.parametrize("name", STRIDED)
def test_threads_and_batches_change_no_bit(name):
    x = strided.images(name, 3)
    want = words(run.Plan(strided.nodes(name), batch=1, threads=1)(x[:1]))
    for k, threads in enumerate((1, 2, 3, 5)):
        with kernels.select_isa(kernels.isas()[k % len(kernels.isas())]):
            plan = run.Plan(strided.nodes(name), batch=3, threads=threads)
        assert np.array_equal(words(plan(x))[:1], want)
        assert np.array_equal(words(plan(x[::-1].copy()))[2:], want)


@pytest.mark.parametrize("name", STRIDED)
def test_every_stored_result_is_within_the_bound_of_its_steps(name):
    nodes = strided.nodes(name)
    plan, x = run.Plan(nodes, batch=2, threads=2), strided.images(name, 2, seed=4)
    seen = {IMAGE: x} | plan.outputs(list(plan.outputs([])._shapes))(x)
    assert len(seen) >= 6
    assert nodes[-1].inputs[0] in seen
    values, errors = {}, {}
    for node in nodes[:-1]:
        for key in set(node.inputs) & set(seen) - set(values):
            values[key], errors[key] = seen[key].astype(np.float64), np.zeros(seen[key].shape)
        follow([node], values, errors)
        if node.name in seen:
            assert (np.abs(seen[node.name] - values.pop(node.name)) <= errors.pop(node.name)).all(), node.name
    logits = seen[nodes[-1].inputs[0]]
    (bound,) = softmax_forward(None, np.dtype(np.float32), logits)
    assert (np.abs(plan(x) - softmax.forward(logits.astype(np.float64))) <= bound).all()


@pytest.mark.parametrize("name", ["bands", "alone"])
@pytest.mark.parametrize("form", [onnx, tflite])
def test_a_file_of_them_has_the_same_bits(tmp_path, name, form):
    nodes, x = strided.nodes(name), strided.images(name, 1)
    form.save(tmp_path / "a", nodes)
    graph = form.load(tmp_path / "a")
    assert refmnas.recognise(graph) is None
    assert np.array_equal(words(refmnas.compile(graph)(x)), words(run.Plan(nodes, batch=1, threads=1)(x)))


@pytest.mark.parametrize("name", STRIDED)
def test_the_steps_evaluated_are_the_definitions_but_for_rounding(name):
    """`fold.evaluate` takes rows and columns of the stride that both have; no chain's bound."""
    nodes, x = strided.nodes(name), strided.images(name, 1)
    y = fold.evaluate(nodes, x)[nodes[-1].name]
    assert np.abs(run.Plan(nodes, batch=1, threads=1)(x) - y).max() <= 1e4 * 2.0**-24 * y.max()


def shares(logits, isa):
    """The softmax step alone: a network whose means are these numbers."""
    c = len(logits)
    with kernels.select_isa(isa):
        stem = strided.Node("stem", "conv", (IMAGE,), (1, 1, 3), (1, 1, c), np.zeros((1, 1, 3, c), "f4"), logits)
        pool = strided.Node("pool", "pool", ("stem",), (1, 1, c), (c,))
        dense = strided.Node("dense", "linear", ("pool",), (c,), (c,), np.eye(c, dtype="f4"), np.zeros(c, "f4"))
        plan = run.Plan([stem, pool, dense, strided.Node("y", "softmax", ("dense",), (c,), (c,))], batch=1, threads=1)
    return plan, plan(np.zeros((1, 1, 1, 3), np.float32))[0]


SHARED = {
    "one class": np.float32([3]), "equal": np.zeros(17, "f4"), "far apart": np.float32([0, -1000, 80, 79.5, -8, 3e38, 3e38]),
    "many": np.random.default_rng(0).normal(0, 4, 1000).astype("f4"), "below e^-87": np.float32([0, -86.9, -87.1, -90, -104]),
}  # fmt: skip


@pytest.mark.parametrize("what", SHARED)
def test_a_softmax_is_within_its_bound_and_the_same_everywhere(what):
    logits = SHARED[what]
    found = [shares(logits, isa)[1] for isa in kernels.isas()]
    assert all(np.array_equal(words(y), words(found[0])) for y in found)
    with np.errstate(over="ignore", invalid="ignore"):
        (bound,) = softmax_forward(None, np.dtype(np.float32), logits[None])
        want = softmax.forward(logits[None].astype(np.float64))
    assert (np.abs(found[0] - want) <= np.nan_to_num(bound) + 1.7e-38).all()  # what e^-87 is for all below it


@pytest.mark.parametrize("isa", kernels.isas())
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_share_of_no_number_is_none(isa, value):
    plan, y = shares(SHARED["equal"], isa)
    assert np.isfinite(y).all()
    plan._weights[plan._weights == 1] = value  # the dense layer's: 0 * value is NaN
    assert np.isnan(plan(np.zeros((1, 1, 1, 3), np.float32))).all()
