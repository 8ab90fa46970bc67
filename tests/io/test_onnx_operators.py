"""Single operators against loops over scalars: exact on integers, within the rounding of the last step on reals.

Every operand is an initializer or a run's input, by a coin; `single` also holds what is known before the
run to what the run gave.
"""

import itertools
import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from onnx_files import TYPES, load, model, node, single, value

from refmnas.errors import FormatError, ShapeError, SpecError

FLOATS = ("f2", "f4", "f8")
KINDS = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("onnx") / "one.onnx"


def integers(rng, shape, kind="f4", most=8):
    low = 0 if kind[0] == "u" else -most
    return rng.integers(low, most + 1, shape).astype(kind)


def some(draw, count):
    """Which operands are initializers."""
    return [k for k in range(count) if draw(st.booleans())]


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div"])
@given(data=st.data())
def test_arithmetic(path, op, data):
    kind = data.draw(st.sampled_from(KINDS))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    shape = data.draw(st.lists(st.integers(1, 3), max_size=3))
    other = [data.draw(st.sampled_from((1, n))) for n in shape[data.draw(st.integers(0, len(shape))) :]]
    x, y = integers(rng, shape, kind, 100), integers(rng, other, kind, 100)
    if op == "Div":
        y[y == 0] = 1
    _, (got,) = single(path, op, [x, y], data.draw(st.sampled_from((14, 25))), some(data.draw, 2))
    assert got.dtype == x.dtype
    for at in np.ndindex(*got.shape):
        a = x[at].item()
        b = y[tuple(k if n > 1 else 0 for k, n in zip(at[len(at) - y.ndim :], y.shape, strict=True))].item()
        want = {"Add": a + b, "Sub": a - b, "Mul": a * b}.get(op)
        if want is None:
            want = a / b if kind[0] == "f" else int(a / b)
        if kind[0] != "f":
            bits = 8 * x.dtype.itemsize
            want = want % 2**bits - (2**bits if kind[0] == "i" and want % 2**bits >= 2 ** (bits - 1) else 0)
        assert got[at] == np.array(want, x.dtype), (kind, a, b)


@given(data=st.data())
def test_activations(path, data):
    kind = data.draw(st.sampled_from(FLOATS))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    x = np.asarray(rng.standard_normal(data.draw(st.lists(st.integers(0, 4), max_size=3))) * 10 ** rng.uniform(-2, 3), kind)
    alpha, beta = float(np.float32(rng.uniform(0, 1))), float(np.float32(rng.uniform(0, 1)))
    for op, opset, attributes, function in (
        ("Relu", 7, {}, lambda v: max(v, 0)),
        ("Ceil", 7, {}, math.ceil),
        ("Sigmoid", 7, {}, lambda v: 1 / (1 + math.exp(-v)) if v > -700 else 0),
        ("HardSigmoid", 22, {"alpha": alpha, "beta": beta}, lambda v: min(1, max(0, alpha * v + beta))),
        ("HardSwish", 14, {}, lambda v: v * min(1, max(0, v / 6 + 0.5))),
        ("Clip", 7, {"min": -1.0, "max": 2.5}, lambda v: min(2.5, max(-1, v))),
    ):
        _, (y,) = single(path, op, [x], opset, **attributes)
        want = np.array([function(float(v)) for v in x.reshape(-1)]).reshape(x.shape)
        # alpha * v + beta rounds twice relative to |alpha v| + beta; HardSwish multiplies that by |v| and rounds again
        size = 4 * np.finfo(kind).eps * (1 + np.abs(x.astype("f8")) + (x.astype("f8") ** 2 if op == "HardSwish" else 0))
        assert np.all(np.abs(y - want) <= size), op


@given(data=st.data())
def test_clip_by_operands(path, data):
    kind, opset = data.draw(st.sampled_from(KINDS)), data.draw(st.sampled_from((12, 13, 25)))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    x = integers(rng, (3, 4), kind)
    low, high = (integers(rng, (), kind) if data.draw(st.booleans()) else None for _ in range(2))
    _, (y,) = single(path, "Clip", [x, low, high], opset, some(data.draw, 3))
    for v, got in zip(x.reshape(-1), y.reshape(-1), strict=True):
        v = v if low is None else max(v, low)
        assert got == (v if high is None else min(v, high))


@given(data=st.data())
def test_gemm_and_matmul(path, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    kind = data.draw(st.sampled_from(("f2", "f4", "f8", "i4", "u8")))
    M, K, N, turn_a, turn_b = (data.draw(st.integers(*span)) for span in ((0, 3), (0, 4), (0, 3), (0, 1), (0, 1)))
    a, b = integers(rng, (M, K), kind, 5), integers(rng, (K, N), kind, 5)
    want = [[sum(int(a[m, k]) * int(b[k, n]) for k in range(K)) for n in range(N)] for m in range(M)]
    want = np.array(want).reshape(M, N)
    c = data.draw(st.sampled_from((None, (), (1,), (N,), (M, 1), (M, N))))
    c = c if c is None else integers(rng, c, kind)
    operands = [a.T.copy() if turn_a else a, b.T.copy() if turn_b else b, *([] if c is None else [c])]
    alpha = 2.0 if kind[0] == "f" else 1.0
    _, (y,) = single(path, "Gemm", operands, 13, some(data.draw, len(operands)), alpha=alpha, transA=turn_a, transB=turn_b)
    assert np.array_equal(y, alpha * want + (0 if c is None else c.astype("f8")))
    _, (y,) = single(path, "MatMul", [a, b], 9, some(data.draw, 2))
    assert np.array_equal(y, want)
    stack = integers(rng, (2, 1, M, K), kind, 5)
    _, (y,) = single(path, "MatMul", [stack, np.stack([b, b, b])], 13, some(data.draw, 2))
    assert y.shape == (2, 3, M, N)
    for i, j in np.ndindex(2, 3):
        assert np.array_equal(y[i, j], stack[i, 0].astype("i8") @ b.astype("i8"))
    for one, other in ((stack[0, 0, 0], b), (a, b[:, 0]), (a[0], b[:, 0])) if M and N else ():
        _, (y,) = single(path, "MatMul", [np.ascontiguousarray(one), np.ascontiguousarray(other)], 13)
        assert np.array_equal(y, one.astype("i8") @ other.astype("i8"))


@pytest.mark.parametrize("opset", [7, 9, 14, 15])
@given(data=st.data())
def test_batch_normalisation(path, opset, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    C, kind = data.draw(st.integers(1, 3)), data.draw(st.sampled_from(("f4", "f8")))
    x = rng.standard_normal((2, C, *data.draw(st.lists(st.integers(1, 3), max_size=2)))).astype(kind)
    scale, bias, mean = (rng.standard_normal(C).astype(kind) for _ in range(3))
    var, epsilon = rng.uniform(0.1, 2, C).astype(kind), float(np.float32(rng.uniform(1e-5, 1e-2)))
    _, (y,) = single(path, "BatchNormalization", [x, scale, bias, mean, var], opset, some(data.draw, 5), epsilon=epsilon)
    for at in np.ndindex(*x.shape):
        c = at[1]
        factor = float(scale[c]) / math.sqrt(float(var[c]) + epsilon)
        want = (float(x[at]) - float(mean[c])) * factor + float(bias[c])
        size = (abs(float(x[at])) + abs(float(mean[c]))) * abs(factor) + abs(float(bias[c]))
        assert abs(float(y[at]) - want) <= 6 * np.finfo(kind).eps * size  # six roundings, each at most of the sizes' sum


@given(data=st.data())
def test_softmax_and_means(path, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    shape = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    x, at = integers(rng, shape, "f8"), data.draw(st.integers(-len(shape), len(shape) - 1))
    for opset in (11, 13):
        _, (y,) = single(path, "Softmax", [x], opset, axis=at)
        first = at % len(shape)
        rows = np.moveaxis(x, first, -1).reshape(-1, shape[first]) if opset == 13 else x.reshape(math.prod(shape[:first]), -1)
        got = np.moveaxis(y, first, -1).reshape(rows.shape) if opset == 13 else y.reshape(rows.shape)
        for row, result in zip(rows, got, strict=True):
            total = math.fsum(math.exp(v) for v in row)
            assert np.allclose(result, [math.exp(v) / total for v in row], rtol=(len(row) + 10) * 2.0**-52, atol=0)
    over = sorted(data.draw(st.sets(st.integers(0, len(shape) - 1))))
    keep = data.draw(st.integers(0, 1))
    given_axes = [k - len(shape) if data.draw(st.booleans()) else k for k in over]
    _, (old,) = single(path, "ReduceMean", [x], 11, keepdims=keep, **({"axes": given_axes} if over else {}))
    operands = [x, np.array(given_axes, "i8")] if over else [x]
    _, (new,) = single(path, "ReduceMean", operands, 18, some(data.draw, len(operands)), keepdims=keep)
    gone = over or range(len(shape))
    want = np.zeros([1 if k in gone else n for k, n in enumerate(shape)])
    for place in np.ndindex(*shape):
        want[tuple(0 if k in gone else p for k, p in enumerate(place))] += x[place]
    want /= math.prod(shape[k] for k in gone)
    want = want if keep else want.reshape([n for k, n in enumerate(shape) if k not in gone])
    assert np.array_equal(old, want)
    assert np.array_equal(new, want)


@given(data=st.data())
def test_slice(path, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    shape = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=3))
    x = integers(rng, shape, data.draw(st.sampled_from(KINDS)))
    chosen = sorted(data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1)))
    starts, ends, steps = ([data.draw(st.integers(*span)) for _ in chosen] for span in ((-7, 7), (-7, 7), (1, 3)))
    opset, want = data.draw(st.sampled_from((7, 10, 13))), x
    steps = [s * data.draw(st.sampled_from((1, -1))) if opset >= 10 else 1 for s in steps]
    for k, start, end, step in zip(chosen, starts, ends, steps, strict=True):
        n = x.shape[k]
        start, end = (v + n if v < 0 else v for v in (start, end))
        low, high = (0, n) if step > 0 else (-1, n - 1)
        start, end = min(max(start, 0 if step > 0 else low), high), min(max(end, low), high)
        want = np.take(want, [i for i in range(start, end, step) if 0 <= i < n], axis=k)
    if opset < 10:
        _, (y,) = single(path, "Slice", [x], opset, starts=starts, ends=ends, axes=chosen)
    else:
        kind = data.draw(st.sampled_from(("i4", "i8")))
        operands = [x, *(np.array(v, kind) for v in (starts, ends, chosen, steps))]
        _, (y,) = single(path, "Slice", operands, opset, some(data.draw, 5))
    assert np.array_equal(y, want)


@given(data=st.data())
def test_pad(path, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    shape = data.draw(st.lists(st.integers(2, 4), min_size=1, max_size=3))
    kind, mode = data.draw(st.sampled_from(KINDS)), data.draw(st.sampled_from(("constant", "edge", "reflect", "wrap")))
    least = -1 if mode == "constant" else 0
    x, pads = integers(rng, shape, kind), [data.draw(st.integers(least, 5)) for _ in range(2 * len(shape))]
    filler = integers(rng, (), kind)
    before = pads[: len(shape)]
    want = np.empty([n + b + a for n, b, a in zip(shape, before, pads[len(shape) :], strict=True)], kind)
    for at in np.ndindex(*want.shape):
        place = [p - b for p, b in zip(at, before, strict=True)]
        if mode == "constant":
            is_inside = all(0 <= p < n for p, n in zip(place, shape, strict=True))
            want[at] = x[tuple(place)] if is_inside else filler
            continue
        for k, n in enumerate(shape):
            if mode == "edge":
                place[k] = min(max(place[k], 0), n - 1)
            elif mode == "wrap":
                place[k] %= n
            else:
                place[k] %= 2 * n - 2
                place[k] = place[k] if place[k] < n else 2 * n - 2 - place[k]
        want[at] = x[tuple(place)]
    operands = [x, np.array(pads, "i8"), filler]
    _, (y,) = single(path, "Pad", operands, 19, some(data.draw, 3), mode=mode)
    assert np.array_equal(y, want)


COORDINATES = {
    "half_pixel": lambda k, s, n, m: (k + 0.5) / s - 0.5,
    "pytorch_half_pixel": lambda k, s, n, m: (k + 0.5) / s - 0.5 if m > 1 else 0,
    "asymmetric": lambda k, s, n, m: k / s,
    "align_corners": lambda k, s, n, m: k * (n - 1) / (m - 1) if m > 1 else 0,
}
ROUNDED = {
    "round_prefer_floor": lambda c: math.ceil(c - 0.5),
    "round_prefer_ceil": lambda c: math.floor(c + 0.5),
    "floor": math.floor,
    "ceil": math.ceil,
}


@given(data=st.data())
def test_resize_by_sizes(path, data):
    """Two axes, nearest and linear, as four neighbours weighted by their distances."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    H, W, P, Q = (data.draw(st.integers(1, 6)) for _ in range(4))
    x = integers(rng, (1, 2, H, W), "f8")
    mode, way = data.draw(st.sampled_from(("nearest", "linear"))), data.draw(st.sampled_from(sorted(COORDINATES)))
    rounding = data.draw(st.sampled_from(sorted(ROUNDED)))
    operands = [x, None, None, np.array((1, 2, P, Q), "i8")]
    attributes = {"mode": mode, "coordinate_transformation_mode": way, "nearest_mode": rounding}
    _, (y,) = single(path, "Resize", operands, data.draw(st.sampled_from((13, 18, 19))), some(data.draw, 4), **attributes)
    assert y.shape == (1, 2, P, Q)
    for c, p, q in np.ndindex(2, P, Q):
        places = [COORDINATES[way](k, m / n, n, m) for k, n, m in ((p, H, P), (q, W, Q))]
        if mode == "nearest":
            i, j = (min(max(ROUNDED[rounding](v), 0), n - 1) for v, n in zip(places, (H, W), strict=True))
            assert y[0, c, p, q] == x[0, c, i, j]
            continue
        total = 0.0
        for i, j in itertools.product(*((math.floor(v), math.floor(v) + 1) for v in places)):
            weight = (1 - abs(i - places[0])) * (1 - abs(j - places[1]))
            total += weight * x[0, c, min(max(i, 0), H - 1), min(max(j, 0), W - 1)]
        assert abs(y[0, c, p, q] - total) <= 8 * 16 * 2.0**-52


@given(data=st.data())
def test_what_only_moves_elements(path, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    shape = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    kind = data.draw(st.sampled_from(KINDS))
    x = integers(rng, shape, kind)
    order = data.draw(st.permutations(range(len(shape))))
    _, (y,) = single(path, "Transpose", [x], 13, perm=list(order))
    for at in np.ndindex(*x.shape):
        assert y[tuple(at[k] for k in order)] == x[at]
    at = data.draw(st.integers(-len(shape), len(shape) - 1))
    _, (y,) = single(path, "Concat", [x, x[:0] if at % len(shape) == 0 else x, x], 13, some(data.draw, 3), axis=at)
    parts = [x, *([] if at % len(shape) == 0 else [x]), x]
    assert np.array_equal(y, np.stack([v for part in parts for v in np.moveaxis(part, at, 0)], axis=at % len(shape)))
    indices = rng.integers(-x.shape[at], x.shape[at], data.draw(st.lists(st.integers(1, 3), max_size=2)))
    _, (y,) = single(path, "Gather", [x, indices], 13, some(data.draw, 2), axis=at)
    first = at % len(shape)
    for place in np.ndindex(*y.shape):
        chosen = indices[place[first : first + indices.ndim]]
        assert y[place] == x[(*place[:first], chosen, *place[first + indices.ndim :])]
    flat = data.draw(st.integers(0, len(shape)))
    _, (y,) = single(path, "Flatten", [x], 25, axis=flat)
    assert y.shape == (math.prod(shape[:flat]), math.prod(shape[flat:]))
    assert list(y.reshape(-1)) == list(x.reshape(-1))
    _, (y,) = single(path, "Reshape", [x, np.array([0, -1], "i8")], 13, some(data.draw, 2))
    assert y.shape == (shape[0], math.prod(shape[1:]))
    new = sorted(data.draw(st.sets(st.integers(0, len(shape) + 1), min_size=2, max_size=2)))
    _, (wide,) = single(path, "Unsqueeze", [x, np.array(new, "i8")], 13, some(data.draw, 2))
    assert [wide.shape[k] for k in new] == [1, 1]
    _, (y,) = single(path, "Squeeze", [wide], 11, axes=list(new))
    assert np.array_equal(y, x)
    _, (y,) = single(path, "Shape", [x], 15, start=-1)
    assert y.tolist() == [shape[-1]]


def test_one_element_fills_a_shape(path):
    """The shape as a constant, whose result is known when the graph is loaded, and as an input."""
    for fixed in ((0,), ()):
        _, (y,) = single(path, "ConstantOfShape", [np.array([2, 0, 3], "i8")], 9, fixed, value=np.array([7], "i8"))
        assert (y.shape, y.dtype) == ((2, 0, 3), np.int64)
        _, (y,) = single(path, "ConstantOfShape", [np.array([2, 1], "i8")], 25, fixed, value=np.array([-3], "i8"))
        assert y.tolist() == [[-3], [-3]]
    ends = [value("y", "f4", (3,))]
    none = load(path, model([node("ConstantOfShape", ["x"], ["y"])], [value("x", "i8", (1,))], ends, opset=9))
    assert none.run({"x": np.array([3], "i8")})["y"].tolist() == [0, 0, 0]
    with pytest.raises(SpecError, match="wanted extents from 0 on"):
        single(path, "ConstantOfShape", [np.array([-1], "i8")], 9, (), value=np.array([7], "i8"))
    with pytest.raises(FormatError, match="wanted one element"):
        single(path, "ConstantOfShape", [np.array([1], "i8")], 9, (), value=np.array([7, 7], "i8"))


def test_a_shape_beyond_the_budget_is_not_filled(path):
    with pytest.raises(ShapeError, match="the cap is"):
        single(path, "ConstantOfShape", [np.array([2**40], "i8")], 9, (), value=np.array([7], "i8"))


@pytest.mark.parametrize("kind", [*KINDS, "b1"])
def test_cast_keeps_what_both_types_have(path, kind):
    x = np.array([0, 1], kind) if kind == "b1" else np.array([0, 1, 2, 100], kind)
    for to, number in TYPES.items():
        _, (y,) = single(path, "Cast", [x], 13, to=number)
        assert y.dtype == np.dtype(to)
        assert y.tolist() == [bool(v) if to == "b1" else v for v in x.tolist()]
