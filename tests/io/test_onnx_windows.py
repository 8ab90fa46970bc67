"""Conv and the pools against loops over scalars: exact on integers, in every rank, placement and type.
"""

import itertools
import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from onnx_files import single

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


@st.composite
def windows(draw, rank=None):
    """(rng, spatial extents, kernel, strides, dilations, pads, auto_pad) that fit."""
    rank = rank or draw(st.integers(1, 3))
    seed = draw(st.integers(0, 2**32))
    numbers = [[draw(st.integers(*span)) for _ in range(rank)] for span in ((1, 3), (1, 3), (1, 2), (0, 3))]
    kernel, strides, dilations, room = numbers
    pads = [draw(st.integers(0, (k - 1) * d)) for k, d in zip(kernel * 2, dilations * 2, strict=True)]
    auto = draw(st.sampled_from(("NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    size = [r + more for r, more in zip(reach, room, strict=True)]
    return np.random.default_rng(seed), size, kernel, strides, dilations, pads, auto


def placed(size, kernel, strides, dilations, pads, auto, ceil=False):
    """[(begin, end)] and extents by the text of the standard."""
    begin, end, extents = [], [], []
    count = len(size)
    for k in range(count):
        reach = (kernel[k] - 1) * dilations[k] + 1
        if auto.startswith("SAME"):
            extents.append(math.ceil(size[k] / strides[k]))
            total = max(0, (extents[-1] - 1) * strides[k] + reach - size[k])
            more, less = math.ceil(total / 2), total // 2
            begin.append(less if auto == "SAME_UPPER" else more)
            end.append(more if auto == "SAME_UPPER" else less)
            continue
        begin.append(0 if auto == "VALID" else pads[k])
        end.append(0 if auto == "VALID" else pads[count + k])
        steps = (size[k] + begin[-1] + end[-1] - reach) / strides[k]
        extents.append((math.ceil(steps) if ceil else math.floor(steps)) + 1)
        if ceil and (extents[-1] - 1) * strides[k] >= size[k] + begin[-1]:
            extents[-1] -= 1
    return begin, end, extents


def taps(at, size, kernel, strides, dilations, begin):
    """(tap, place in x, whether it is inside) of the window at an output place."""
    for tap in itertools.product(*map(range, kernel)):
        place = [p * s + t * d - b for p, s, t, d, b in zip(at, strides, tap, dilations, begin, strict=True)]
        yield tap, tuple(place), all(0 <= r < n for r, n in zip(place, size, strict=True))


@given(data=st.data())
def test_conv(path, data):
    rng, size, kernel, strides, dilations, pads, auto = data.draw(windows())
    groups, per, out = (data.draw(st.integers(1, 2)) for _ in range(3))
    kind = data.draw(st.sampled_from(FLOATS))
    x, w = integers(rng, (2, groups * per, *size), kind), integers(rng, (groups * out, per, *kernel), kind, 3)
    b = integers(rng, groups * out, kind) if data.draw(st.booleans()) else None
    begin, _, extents = placed(size, kernel, strides, dilations, pads, auto)
    want = np.zeros((2, groups * out, *extents))
    for n, d, *at in np.ndindex(want.shape):
        total = 0.0 if b is None else float(b[d])
        for tap, place, inside in taps(at, size, kernel, strides, dilations, begin):
            for c in range(per):
                total += float(x[(n, d // out * per + c, *place)]) * float(w[(d, c, *tap)]) if inside else 0.0
        want[(n, d, *at)] = total
    options = {"auto_pad": auto} if auto != "NOTSET" else {"pads": pads}
    operands = [x, w] if b is None else [x, w, b]
    options |= {"strides": strides, "dilations": dilations, "group": groups}
    _, (y,) = single(path, "Conv", operands, data.draw(st.sampled_from((7, 11, 22))), some(data.draw, 3)[: len(operands)]
                     if b is not None else [1], **options)  # fmt: skip
    assert y.dtype == x.dtype
    assert np.array_equal(y, want)


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
@given(data=st.data())
def test_pools(path, op, data):
    rng, size, kernel, strides, dilations, pads, auto = data.draw(windows())
    ceil, counts = data.draw(st.booleans()), data.draw(st.booleans())
    kind = data.draw(st.sampled_from((*FLOATS, "i1", "u1") if op == "MaxPool" else FLOATS))
    x = integers(rng, (2, 2, *size), kind)
    begin, end, extents = placed(size, kernel, strides, dilations, pads, auto, ceil)
    want, where = np.zeros((2, 2, *extents)), np.zeros((2, 2, *extents), np.int64)
    for n, c, *at in np.ndindex(want.shape):
        found, number = [], 0
        for _, place, inside in taps(at, size, kernel, strides, dilations, begin):
            found += [(float(x[(n, c, *place)]), place)] if inside else []
            number += inside or (counts and all(r < m + e for r, m, e in zip(place, size, end, strict=True)))
        if op == "AveragePool":
            want[(n, c, *at)] = sum(v for v, _ in found) / number if number else math.nan
        else:
            best = max(v for v, _ in found)
            want[(n, c, *at)] = best
            where[(n, c, *at)] = np.ravel_multi_index((n, c, *next(p for v, p in found if v == best)), x.shape)
    options = {"auto_pad": auto} if auto != "NOTSET" else {"pads": pads}
    options |= {"kernel_shape": kernel, "strides": strides, "dilations": dilations, "ceil_mode": int(ceil)}
    options |= {"count_include_pad": int(counts)} if op == "AveragePool" else {}
    _, (y, *more) = single(path, op, [x], 22, results=2 if op == "MaxPool" else 1, **options)
    if op == "MaxPool":
        assert np.array_equal(y, want)
        assert np.array_equal(more[0], where)
    else:
        assert np.array_equal(y, want.astype(kind), equal_nan=True) or np.max(np.abs(y - want)) <= 2 * np.finfo(kind).eps * 8
