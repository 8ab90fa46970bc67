"""The same answer whatever the form of the call: layout, strides, read-only inputs, `out=`, left-out options."""

import inspect
from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from support import ALL, EXAMPLES, draw, over, remember

from refmnas import use
from refmnas.backend import TABLE
from refmnas.cases import CASES, CLAIMS, prove

IMAGE, CONV, DEPTHWISE, MATRIX, PLAIN = "NHWC", "HWIO", "HWC", "IO", ""

# What NCHW frameworks hand over, written once more by hand: function -> (inputs, results).
TURNS = {
    "conv.forward": ((IMAGE, CONV, PLAIN), (IMAGE,)),
    "conv.backward": ((IMAGE, IMAGE, CONV), (IMAGE, CONV, PLAIN)),
    "pointwise.forward": ((IMAGE, MATRIX, PLAIN), (IMAGE,)),
    "pointwise.backward": ((IMAGE, IMAGE, MATRIX), (IMAGE, MATRIX, PLAIN)),
    "depthwise.forward": ((IMAGE, DEPTHWISE, PLAIN), (IMAGE,)),
    "depthwise.backward": ((IMAGE, IMAGE, DEPTHWISE), (IMAGE, DEPTHWISE, PLAIN)),
    "batchnorm.forward": ((IMAGE, PLAIN, PLAIN), (IMAGE, PLAIN, PLAIN, PLAIN)),
    "batchnorm.backward": ((IMAGE, IMAGE, PLAIN, PLAIN, PLAIN), (IMAGE, PLAIN, PLAIN)),
    "batchnorm.forward_eval": ((IMAGE, PLAIN, PLAIN, PLAIN, PLAIN), (IMAGE,)),
    "batchnorm.backward_eval": ((IMAGE, IMAGE, PLAIN, PLAIN, PLAIN), (IMAGE, PLAIN, PLAIN)),
    "pool.forward": ((IMAGE,), (PLAIN,)),
    "pool.backward": ((PLAIN, IMAGE), (IMAGE,)),
    "average_pool.forward": ((IMAGE,), (IMAGE,)),
    "average_pool.backward": ((IMAGE, IMAGE), (IMAGE,)),
    "max_pool.forward": ((IMAGE,), (IMAGE,)),
    "max_pool.backward": ((IMAGE, IMAGE), (IMAGE,)),
    "resize.forward": ((IMAGE,), (IMAGE,)),
    "resize.backward": ((IMAGE, IMAGE), (IMAGE,)),
    "concat.forward": ((IMAGE, IMAGE), (IMAGE,)),
    "concat.backward": ((IMAGE, IMAGE, IMAGE), (IMAGE, IMAGE)),
    "gate.forward": ((IMAGE, PLAIN), (IMAGE,)),
    "gate.backward": ((IMAGE, IMAGE, PLAIN), (IMAGE, PLAIN)),
}
TURNED = [claim for claim in ALL if claim.function in TURNS]
WITH_OUT = [claim for claim in ALL if "out" in inspect.signature(prove.op(claim.function)).parameters]


def turned(kind, a):
    """Our array as an NCHW framework holds it, contiguous in that order."""
    if a is None or kind == PLAIN:
        return a
    if kind == IMAGE:
        return np.ascontiguousarray(np.moveaxis(a, 3, 1))
    if kind == CONV:
        return np.ascontiguousarray(np.moveaxis(a, (3, 2), (0, 1)))
    if kind == DEPTHWISE:
        return np.ascontiguousarray(np.moveaxis(a, 2, 0)[:, np.newaxis])
    return np.ascontiguousarray(np.swapaxes(a, 0, 1)[:, :, np.newaxis, np.newaxis])


def scattered(a):
    """The same values in memory with gaps, backwards, and read-only."""
    if a is None:
        return None
    memory = np.full([2 * extent + 1 for extent in a.shape], np.nan if a.dtype.kind == "f" else 0).astype(a.dtype)
    view = memory[tuple(slice(2 * extent - 1, None, -2) if extent else slice(0, 0) for extent in a.shape)]
    view[...] = a
    view.flags.writeable = False
    return view


def known(claim, case):
    """(arrays, the oracle's answers, the bounds) on reals."""
    key = claim, case, "reals", np.dtype(np.float32), prove.oracle(claim.function)
    return *prove._defined(*key), prove._allowed(*key)


def judge(name, claim, case, got, want, bounds):
    worst = max(prove.largest_margin(g, w, b) for g, w, b in zip(got, want, bounds, strict=True))
    assert worst <= 1, (name, worst, str(case))
    remember(claim, worst)


def image(case):
    """The arrays have image axes (batch norm and concat take rows too, which have no layout)."""
    return len(next(iter(case.shapes().values()))) == 4


@over(TURNED)
@given(data=st.data())
def test_nchw_arrays_give_the_turned_answer(claim, data):
    case = draw(data, claim, image)
    arrays, want, bounds = known(claim, case)
    takes, gives = TURNS[claim.function]
    there = [turned(kind, a) for kind, a in zip(takes, arrays, strict=True)]
    for backend, isa in prove.implementations(claim.function):
        with prove.on(isa), use(backend):
            options = prove.options(claim.function, case)
            got = prove.results(prove.op(claim.function)(*there, layout="NCHW", **options))
        answers = [turned(kind, w) for kind, w in zip(gives, want, strict=True)]
        judge("NCHW", claim, case, got, answers, [turned(kind, b) for kind, b in zip(gives, bounds, strict=True)])
    EXAMPLES["layout"] += 1


@over(ALL)
@given(data=st.data())
def test_strided_and_read_only_inputs_give_the_same_answer(claim, data):
    case = draw(data, claim)
    arrays, want, bounds = known(claim, case)
    there = [scattered(a) for a in arrays]
    for backend, isa in prove.implementations(claim.function):
        with prove.on(isa):
            got = prove.call(claim.function, case, there, backend)
            if backend == "c":
                same = prove.call(claim.function, case, arrays, backend)
                assert all(np.array_equal(g, s) for g, s in zip(got, same, strict=True)), str(case)
        judge("strided", claim, case, got, want, bounds)
    for a, b in zip(there, arrays, strict=True):
        assert a is None or np.array_equal(a, b)
    EXAMPLES["strided"] += 1


@over(WITH_OUT)
@given(data=st.data())
def test_out_is_filled_and_returned(claim, data):
    case = draw(data, claim)
    arrays, want, bounds = known(claim, case)
    options = prove.options(claim.function, case)
    takes, gives = TURNS[claim.function]
    there = [turned(kind, a) for kind, a in zip(takes, arrays, strict=True)]
    for backend, isa in [*prove.implementations(claim.function), ("oracle", None)]:
        with prove.on(isa), use(backend):
            out = np.full(want[0].shape, np.nan, np.float32)
            assert prove.op(claim.function)(*arrays, out=out, **options) is out
            nchw = np.full(turned(gives[0], want[0]).shape, np.nan, np.float32)
            assert prove.op(claim.function)(*there, out=nchw, layout="NCHW", **options) is nchw
        judge("out", claim, case, [out], want, bounds)
        judge("out NCHW", claim, case, [nchw], [turned(gives[0], want[0])], [turned(gives[0], bounds[0])])
    EXAMPLES["out"] += 1


def plain(case):
    """The case with every field that a function has a default for at that default."""
    defaults = {}
    for claim in CLAIMS[case.OP]:
        for p in inspect.signature(prove.op(claim.function)).parameters.values():
            if p.kind is p.KEYWORD_ONLY and p.default is not p.empty and hasattr(case, p.name):
                defaults[p.name] = p.default
    return replace(case, **defaults)


@over(ALL)
@given(data=st.data())
def test_left_out_options_mean_the_documented_defaults(claim, data):
    case = plain(draw(data, claim, lambda case: plain(case).fits()))
    arrays, want, bounds = known(claim, case)
    parameters = inspect.signature(prove.op(claim.function)).parameters
    options = prove.options(claim.function, case)
    needed = {key: value for key, value in options.items() if parameters[key].default is inspect.Parameter.empty}
    for backend, isa in prove.implementations(claim.function):
        with prove.on(isa), use(backend):
            got = prove.results(prove.op(claim.function)(*arrays, **needed))
        judge("defaults", claim, case, got, want, bounds)
    again = prove.results(prove.oracle(claim.function)(*arrays, **needed))
    assert all(np.array_equal(a, w) for a, w in zip(again, want, strict=True)), str(case)
    EXAMPLES["defaults"] += 1


@pytest.mark.parametrize("function", sorted(TABLE))
def test_oracle_and_reference_take_the_same_arguments(function):
    text, definition = (inspect.signature(f).parameters for f in (TABLE[function].numpy, TABLE[function].oracle))
    pairs = [(p.name, p.kind, p.default) for p in text.values() if p.name != "out"]
    assert pairs == [(p.name, p.kind, p.default) for p in definition.values()]


@pytest.mark.parametrize("function", sorted(TABLE))
def test_under_the_oracle_backend_the_types_are_those_of_the_reference(function):
    claim = {claim.function: claim for claim in ALL}[function]
    case = next(case for case in map(CASES[function.partition(".")[0]].draw, range(99)) if claim.covers(case))
    for dtype in (np.float32, np.float64):
        arrays = prove.inputs(claim, case, "reals", dtype)
        with use("oracle"):
            one = prove.op(function)(*arrays, **prove.options(function, case))
        with use("numpy"):
            other = prove.op(function)(*arrays, **prove.options(function, case))
        assert type(one) is type(other)
        for a, b in zip(prove.results(one), prove.results(other), strict=True):
            assert (a.shape, a.dtype) == (b.shape, b.dtype) == (b.shape, dtype)
