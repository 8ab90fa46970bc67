"""Graphs of layers: order, names, sums of gradients, and what is refused when one is made."""

import numpy as np
import pytest

from refmnas import layers
from refmnas.errors import DataError, ShapeError, SpecError
from refmnas.layers import Add, AveragePool, Concat, Graph, MaxPool, Pointwise, gradcheck

SIZE = (6, 5, 3)


def filled(layer, seed=0):
    """The layer with drawn weights."""
    rng = np.random.default_rng(seed)
    for name, p in layer.named_params():
        if p.trainable:
            p.value[...] = rng.uniform(-1, 1, p.value.shape) + 1.5 * name.endswith("gamma")
    return layer


def pointwise(c_in, c_out, dtype=np.float64):
    return Pointwise(c_in, c_out, dtype=dtype)


def cell(dtype=np.float64):
    """Nodes used once, twice and three times; a pool, a norm, a resize; defined out of order."""
    return filled(Graph({"x": SIZE}, {
        "out": (Concat(), "sum", "low", "sum"),
        "sum": (Add(), "left", "right", "left"),
        "left": (pointwise(3, 4, dtype), "x"),
        "right": (layers.Chain({"dw": layers.Depthwise(4, kernel=3, padding="same", dtype=dtype),
                                "bn": layers.BatchNorm(4, dtype=dtype), "act": layers.Activation("swish")}), "left"),
        "pooled": (MaxPool(3, stride=2, padding="same"), "x"),
        "smooth": (AveragePool(3, padding="same"), "pooled"),
        "low": (layers.Resize((6, 5)), "smooth"),
    }, output="out"))  # fmt: skip


@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_backward_is_the_derivative_of_forward(seed, train):
    x = np.random.default_rng(seed).standard_normal((2, *SIZE))
    check = gradcheck.along(cell(), x, train=train, seed=seed)
    assert check.crosses_kink or check.holds, check
    assert check.allowed <= 1e-4 * check.scale  # sharp enough to tell


def test_most_directions_meet_no_kink():
    x = np.random.default_rng(0).standard_normal((2, *SIZE))
    assert sum(not gradcheck.along(cell(), x, seed=seed).crosses_kink for seed in range(6)) >= 4


@pytest.mark.parametrize("fault", ["one use forgotten", "one use twice"])
def test_the_check_finds_a_wrong_sum(fault, monkeypatch):
    def wrong(terms):
        keys = sorted(terms)[1:] if fault.endswith("forgotten") and len(terms) > 1 else [*sorted(terms), max(terms)]
        return sum(terms[key] for key in keys)

    monkeypatch.setattr("refmnas.layers.graph._summed", wrong)
    x = np.random.default_rng(0).standard_normal((2, *SIZE))
    checks = [gradcheck.along(cell(), x, seed=seed) for seed in range(6)]
    assert not any(check.holds for check in checks)


def test_order_of_names_and_of_steps():
    graph = cell()
    names = [name for name, _ in graph.named_params()]
    assert names == ["left.w", "right.dw.w", "right.bn.gamma", "right.bn.beta", "right.bn.mean", "right.bn.var"]
    steps = list(graph.steps(SIZE, "stages.0."))
    order = ["left", "right.dw", "right.bn", "right.act", "sum", "pooled", "smooth", "low", "out"]
    assert [s.name for s in steps] == [f"stages.0.{name}" for name in order]
    assert steps[-1].shape == (6, 5, 11) == graph.shape(SIZE) == graph.forward(np.zeros((1, *SIZE))).shape[1:]
    assert steps[-1].shape_in == ((6, 5, 4), (6, 5, 3), (6, 5, 4))
    assert graph.order == ("left", "right", "sum", "pooled", "smooth", "low", "out")


def test_gradients_are_summed_in_the_order_of_definition():
    """1 + 2^60 - 2^60 is 0 or 1 by the order alone: users as they were defined, whatever is computed first."""
    big = 2.0**60
    for weights, want in (((1.0, big, -big), 0.0), ((big, -big, 1.0), 1.0)):
        nodes = {"y": (Add(), "a", "b", "c")}
        nodes |= {name: (pointwise(1, 1), "x") for name in "abc"}
        graph = Graph({"x": (1, 1, 1)}, nodes, output="y")
        for name, w in zip("abc", weights, strict=True):
            graph.children[name].params["w"].value[...] = w
        graph.forward(np.ones((1, 1, 1, 1)))
        assert graph.backward(np.ones((1, 1, 1, 1))).item() == want


def test_a_graph_in_a_chain_and_in_a_graph():
    chain = layers.Chain({"stem": pointwise(2, 3), "cell": cell(), "end": pointwise(11, 2)})
    filled(chain)
    x = np.random.default_rng(1).standard_normal((2, 6, 5, 2))
    assert chain.shape((6, 5, 2)) == chain.forward(x).shape[1:]
    assert gradcheck.along(chain, x, seed=3).holds or gradcheck.along(chain, x, seed=4).holds
    assert [s.name for s in chain.steps((6, 5, 2))][1] == "cell.left"
    outer = Graph({"x": (6, 5, 2)}, {"a": (chain, "x"), "b": (pointwise(2, 2), "x"), "y": (Add(), "a", "b")})
    assert next(name for name, _ in outer.named_params()) == "a.stem.w"
    filled(outer)
    assert gradcheck.along(outer, x, seed=3).holds or gradcheck.along(outer, x, seed=4).holds
    outer.forget()
    assert chain.children["cell"]._memory is None


def two(dtype=np.float64):
    """A cell of two inputs, and a third that nothing uses."""
    nodes = {"a": (pointwise(3, 2, dtype), "now"), "b": (pointwise(4, 2, dtype), "before"), "y": (Concat(), "a", "b")}
    return filled(Graph({"now": SIZE, "before": (6, 5, 4), "unused": SIZE}, nodes))


def test_several_inputs_come_and_go_as_a_tuple():
    graph, rng = two(), np.random.default_rng(0)
    now, before = rng.standard_normal((2, *SIZE)), rng.standard_normal((2, 6, 5, 4))
    y = graph.forward((now, before, now))
    assert np.array_equal(y[..., :2], graph.children["a"].forward(now))
    dnow, dbefore, dunused = graph.backward(y)
    assert dnow.shape == now.shape
    assert np.array_equal(dbefore, graph.children["b"].backward(np.ascontiguousarray(y[..., 2:])))
    assert not dunused.any()
    for wrong in (now, (now, before), [now, before, now]):
        with pytest.raises(ShapeError, match=r"wanted a tuple of now, before, unused"):
            graph.forward(wrong)
    outer = Graph({"x": SIZE}, {"wide": (pointwise(3, 4), "x"), "cell": (two(), "x", "wide", "x")})
    filled(outer)
    assert gradcheck.along(outer, now, seed=1).holds


def test_arrays_that_do_not_fit_are_named_at_forward():
    with pytest.raises(ShapeError, match=r"channels|w has"):
        cell().forward(np.zeros((1, 6, 5, 4)))
    with pytest.raises(ShapeError, match="Graph: out of"):
        cell().shape((7, 5, 3))  # the resized part stays 6 x 5


REFUSED = [
    ({"x": SIZE}, {}, {}, SpecError, "1 inputs and 0 nodes"),
    ({}, {"a": (MaxPool(3), "x")}, {}, SpecError, "0 inputs and 1 nodes"),
    ({"x": SIZE}, {"a.b": (MaxPool(3), "x")}, {}, SpecError, "'a.b', wanted a word without dots"),
    ({"x": SIZE}, {3: (MaxPool(3), "x")}, {}, SpecError, "named 3"),
    ({"x": SIZE}, {"x": (MaxPool(3), "x")}, {}, SpecError, "'x' is an input and a node"),
    ({"x": SIZE}, {"a": MaxPool(3)}, {}, SpecError, "wanted .layer, name of an input"),
    ({"x": SIZE}, {"a": (MaxPool(3),)}, {}, SpecError, "wanted .layer, name of an input"),
    ({"x": SIZE}, {"a": ("relu", "x")}, {}, SpecError, "wanted .layer, name of an input"),
    ({"x": SIZE}, {"left": (MaxPool(3), "x"), "y": (MaxPool(3), "lefft")}, {}, SpecError, "y wants 'lefft'.*mean 'left'"),
    ({"x": SIZE}, {"a": (MaxPool(3), "image")}, {}, SpecError, "a wants 'image', which does not exist; there are x, a"),
    ({"x": SIZE}, {"a": (MaxPool(3), "x")}, {"output": "b"}, SpecError, "the output wants 'b'"),
    ({"x": SIZE}, {"a": (MaxPool(3), "x")}, {"output": "x"}, SpecError, "wanted a node, not an input"),
    ({"x": SIZE}, {"a": (MaxPool(3), "x", "x")}, {}, SpecError, "a has 2 inputs, wanted 1 of a max pool"),
    ({"x": SIZE}, {"a": (two(), "x", "x")}, {}, SpecError, "a has 2 inputs, wanted 3 of a graph"),
    ({"x": SIZE}, {"a": (MaxPool(3), "x"), "b": (MaxPool(3), "x")}, {}, SpecError, "nothing uses a"),
    ({"x": SIZE}, {"a": (Add(), "x", "c"), "b": (MaxPool(3), "a"), "c": (MaxPool(3), "b"), "y": (MaxPool(3), "c")}, {},
     SpecError, "a cycle, a -> b -> c -> a"),
    ({"x": SIZE}, {"a": (Add(), "x", "a")}, {}, SpecError, "a cycle, a -> a"),
    ({"x": SIZE}, {"a": (pointwise(4, 2), "x")}, {}, ShapeError, r"a of x \(6, 5, 3\): pointwise: 3 channels came, wanted 4"),
    ({"x": SIZE}, {"a": (layers.Depthwise(4, kernel=3), "x")}, {}, ShapeError, "depthwise: 3 channels came, wanted 4"),
    ({"x": SIZE}, {"a": (layers.Conv(4, 2, kernel=3), "x")}, {}, ShapeError, "conv: 3 channels came, wanted 4"),
    ({"x": SIZE}, {"a": (layers.BatchNorm(4), "x")}, {}, ShapeError, "batch norm: 3 channels came, wanted 4"),
    ({"x": SIZE}, {"a": (layers.Chain({"p": pointwise(3, 2), "bn": layers.BatchNorm(3)}), "x")}, {},
     ShapeError, "batch norm: 2 channels came, wanted 3"),
    ({"x": SIZE}, {"a": (pointwise(3, 2), "x"), "y": (Add(), "x", "a")}, {}, ShapeError, "y of x .* wanted one size"),
    ({"x": SIZE}, {"a": (MaxPool(3, stride=2), "x"), "y": (Concat(), "x", "a")}, {}, ShapeError, "wanted one rows and columns"),
    ({"x": SIZE}, {"a": (MaxPool(7, padding=(0, 0, 0, 0)), "x")}, {}, ShapeError, "no pixel is left"),
]  # fmt: skip


@pytest.mark.parametrize(("inputs", "nodes", "more", "error", "words"), REFUSED, ids=[case[-1] for case in REFUSED])
def test_graphs_that_cannot_be_are_refused_when_made(inputs, nodes, more, error, words):
    with pytest.raises(error, match=f"Graph: .*{words}"):
        Graph(inputs, nodes, **more)


def test_a_layer_at_two_nodes_is_refused():
    one = pointwise(3, 3)
    with pytest.raises(SpecError, match="b and a share one layer"):
        Graph({"x": SIZE}, {"a": (one, "x"), "b": (one, "a")})


def test_a_resize_wants_one_of_size_and_factor():
    for options in ({}, {"size": (2, 2), "factor": 2}):
        with pytest.raises(SpecError, match="wanted one of the two"):
            layers.Resize(**options)
    assert layers.Resize(factor=2).forward(np.zeros((1, 3, 2, 1))).shape == (1, 6, 4, 1)


def test_the_gradient_check_sees_a_largest_value_change_its_place():
    x = np.zeros((1, 1, 2, 1))  # equal: any step makes one the larger
    assert gradcheck.along(MaxPool(2, padding=(0, 0, 0, 0), ceil=True), np.concatenate([x, x], 1), seed=0).crosses_kink


def two_results():
    nodes = {"a": (Pointwise(3, 4, dtype=np.float64), "x"), "b": (Pointwise(4, 2, dtype=np.float64), "a")}
    return Graph({"x": (2, 2, 3)}, nodes, ("b", "a"))


def test_a_graph_of_several_outputs_gives_and_takes_a_tuple():
    """The middle result is used by the last one and given as well: its gradient has both terms."""
    graph, rng = two_results(), np.random.default_rng(0)
    for _, p in graph.named_params():
        p.value[...] = rng.standard_normal(p.value.shape)
    x = rng.standard_normal((2, 2, 2, 3))
    b, a = graph.forward(x)
    assert (graph.shape((2, 2, 3)), b.shape, a.shape) == (((2, 2, 2), (2, 2, 4)), (2, 2, 2, 2), (2, 2, 2, 4))
    db, da = rng.standard_normal(b.shape), rng.standard_normal(a.shape)
    wa, wb = graph.children["a"].params["w"].value, graph.children["b"].params["w"].value
    np.testing.assert_allclose(graph.backward((db, da)), (db @ wb.T + da) @ wa.T, rtol=1e-12)


@pytest.mark.parametrize("dy", ["one", "three", "misshapen"])
def test_gradients_that_do_not_fit_several_outputs_are_refused(dy):
    graph = two_results()
    b, a = graph.forward(np.zeros((2, 2, 2, 3)))
    given = {"one": b, "three": (b, a, a), "misshapen": (b, b)}[dy]
    with pytest.raises((ShapeError, DataError), match="Graph.backward"):
        graph.backward(given)


def test_an_output_stands_once():
    with pytest.raises(SpecError, match="each once"):
        Graph({"x": (2, 2, 3)}, {"a": (Pointwise(3, 4), "x")}, ("a", "a"))
