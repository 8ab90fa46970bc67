"""Large arrays: the same judgement with a small threshold in place of 2 GiB, for every function that has one."""

import inspect

import numpy as np
import pytest

from refmnas.cases import prove
from refmnas.errors import SpecError
from refmnas.verify import op
from refmnas.verify.callables import large

SMALL = 1 << 15


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(large, "ELEMENTS", SMALL)


def beyond(a):
    """Offsets of too few bits: what lies beyond the threshold comes from the beginning."""
    flat = a.reshape(-1).copy()
    flat[SMALL:] = flat[: flat.size - SMALL]
    return flat.reshape(a.shape)


def kernel(function, change=lambda a: a):
    """The NumPy reference, fed its largest array changed."""

    def run(*arrays, **options):
        big = max(range(len(arrays)), key=lambda k: arrays[k].size)
        with prove.use("numpy"):
            return prove.op(function)(*(change(a) if k == big else a for k, a in enumerate(arrays)), **options)

    run.__signature__ = inspect.signature(prove.op(function))
    return run


@pytest.mark.parametrize("function", large._ROWS)
def test_a_sound_kernel_is_not_accused(function, small):
    layout = "NCHW" if function in ("conv.forward", "gate.forward") else "NHWC"
    made = kernel(function)
    given = (lambda *a, **o: prove.op(function)(*a, layout="NCHW", **o)) if layout == "NCHW" else made
    report = op(function, given, layout=layout, large=True)
    assert report.verdict == "within-rounding", report


@pytest.mark.parametrize("function", [name for name in large._ROWS if name != "pool.backward"])
def test_what_wraps_around_is_found(function, small):
    report = op(function, kernel(function, beyond), large=True)
    assert report.verdict == "fault"
    assert report.fault["code"] == "WRONG-VALUES"
    assert "large=True" in report.fault["again"]


def test_a_result_that_wraps_around_is_found(small):
    def run(dy, x):
        return (beyond(prove.op("pool.backward")(dy, x).x),)

    assert op("pool.backward", run, large=True).verdict == "fault"


def test_memory_is_said_before_it_is_taken(small, monkeypatch):
    told = []
    op("gate.forward", kernel("gate.forward"), large=True, tell=lambda *words: told.append(words))
    assert told[0][:2] == (0, 1)
    assert "GiB, beside the kernel's own memory" in told[0][2]
    monkeypatch.setattr(large, "ELEMENTS", 1 << 29)
    monkeypatch.setattr(large, "available", lambda: 1 << 30)
    called = []
    with pytest.raises(SpecError, match=r"large arrays of gate.forward want 4\.\d GiB .*, 1\.0 GiB are free"):
        op("gate.forward", lambda x, g: called.append(1), large=True)
    assert called == []


@pytest.mark.parametrize("function", large._ROWS)
def test_the_real_arrays_have_2_gib_and_odd_edges(function):
    problem = large.Large(function, "", "integers")
    sizes = {name: int(np.prod(shape, dtype=np.int64)) for name, shape in problem.shapes.items()}
    assert 1 << 29 <= max(sizes.values()) < 1.01 * (1 << 29)
    assert problem.memory < 7 << 30
    assert problem.places[-1] == np.prod(problem.result, dtype=np.int64) - 1
