"""The kernels touch their arrays and nothing else, and take arrays as they come."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from refmnas import kernels, use
from refmnas.errors import ShapeError
from refmnas.ops import depthwise

if not kernels.built():
    pytest.skip(f"no C: {kernels.why_not()}", allow_module_level=True)

OPTIONS = {"stride": 2, "pad": (1, 2, 0, 1), "dilation": 1}


def operands(C=19):
    rng = np.random.default_rng(C)
    x, w, b = (rng.standard_normal(shape, np.float32) for shape in ((2, 9, 17, C), (3, 3, C), (C,)))
    return x, w, b


def both(x, w, b):
    with use("c"):
        y = depthwise.forward(x, w, b, **OPTIONS)
        return [y, *depthwise.backward(np.ones_like(y), x, w, **OPTIONS)]


@pytest.mark.skipif(sys.platform == "win32", reason="needs mprotect")
def test_no_access_beyond_an_unreadable_page():
    """In a process of its own: a stray access would end it by a signal."""
    script = Path(__file__).with_name("guarded.py")
    run = subprocess.run([sys.executable, str(script), "60"], capture_output=True, text=True, env=_environment())
    assert run.returncode == 0, f"status {run.returncode}\n{run.stderr[-2000:]}"
    assert int(run.stdout) > 100 * len(kernels.isas())


@pytest.mark.skipif(sys.platform == "win32", reason="needs mprotect")
@pytest.mark.parametrize("where", ["after", "before"])
def test_the_guard_pages_guard(where):
    """The test above can fail: reading one float outside does end the process."""
    index = "g.array.size" if where == "after" else "-1"
    code = (
        "import sys, ctypes, numpy as np; sys.path.insert(0, sys.argv[1]); from guarded import Guarded;"
        f"g = Guarded(np.ones(1024, np.float32), {where == 'after'});"
        "p = ctypes.cast(g.array.ctypes.data, ctypes.POINTER(ctypes.c_float)); print(p[0]);"
        f"print(p[{index}])"
    )
    folder = str(Path(__file__).parent)
    run = subprocess.run([sys.executable, "-P", "-c", code, folder], capture_output=True, text=True, env=_environment())
    assert run.stdout.strip() == "1.0"
    assert run.returncode < 0


def _environment():
    """The subprocess imports the same refmnas, wherever this one came from."""
    import refmnas

    root = str(Path(refmnas.__file__).resolve().parents[1])
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))}


@pytest.mark.parametrize("isa", kernels.isas())
def test_nothing_around_an_output_is_written(isa):
    x, w, b = operands()
    with kernels.select_isa(isa), use("c"):
        want = depthwise.forward(x, w, b, **OPTIONS)
        memory = np.full(want.size + 128, 1234.5, np.float32)
        out = memory[64 : 64 + want.size].reshape(want.shape)
        assert depthwise.forward(x, w, b, **OPTIONS, out=out) is out
    assert np.array_equal(out, want)
    assert (memory[:64] == 1234.5).all()
    assert (memory[-64:] == 1234.5).all()


def test_every_element_of_every_result_is_written():
    """Results begin as whatever memory held; here with every value that they could keep."""
    x, w, b = operands()
    want = both(x, w, b)
    for _ in range(3):
        trash = [np.full(a.shape, np.nan, np.float32) for a in want]
        del trash  # most likely the memory of the next results
        assert all(np.array_equal(g, a) for g, a in zip(both(x, w, b), want, strict=True))
    out = np.full(want[0].shape, np.nan, np.float32)
    with use("c"):
        assert np.array_equal(depthwise.forward(x, w, b, **OPTIONS, out=out), want[0])


def unaligned(a):
    memory = np.empty(a.nbytes + 1, np.uint8)
    moved = memory[1:].view(np.float32).reshape(a.shape)
    moved[...] = a
    assert not moved.flags.aligned
    return moved


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


FORMS = {
    "read-only": read_only,
    "fortran": np.asfortranarray,
    "every second": lambda a: np.repeat(a, 2, axis=0)[::2],
    "negative stride": lambda a: a[::-1].copy()[::-1],
    "mirrored channels": lambda a: a[..., ::-1].copy()[..., ::-1],
    "unaligned": unaligned,
    "broadcast": lambda a: np.broadcast_to(a[:1], a.shape),
}


@pytest.mark.parametrize("form", FORMS)
def test_inputs_may_lie_in_any_form(form):
    x, w, b = operands()
    given = [FORMS[form](a) for a in (x, w, b)]
    before = [a.copy() for a in given]
    want = both(*before)
    assert all(np.array_equal(g, a) for g, a in zip(both(*given), want, strict=True))
    assert all(np.array_equal(g, a) for g, a in zip(given, before, strict=True))


@pytest.mark.parametrize("spoil", [read_only, np.asfortranarray, lambda a: np.repeat(a, 2, 0)[::2]])
def test_outputs_that_cannot_be_written_are_refused(spoil):
    x, w, b = operands()
    with use("c"):
        out = spoil(depthwise.forward(x, w, b, **OPTIONS))
        with pytest.raises(ShapeError, match="writable and C-contiguous"):
            depthwise.forward(x, w, b, **OPTIONS, out=out)


def test_an_empty_batch_gives_empty_results():
    x, w, b = operands()
    y, dx, dw, db = both(x[:0], w, b)
    assert y.shape == (0, 5, 8, 19)
    assert dx.shape == (0, 9, 17, 19)
    assert not dw.any()
    assert not db.any()
