"""Run by test_memory.py in a process of its own: arrays that touch an unreadable page.

An access outside kills the process by a signal.  Prints the number of calls made.
"""

import ctypes
import mmap
import sys

import numpy as np

from refmnas import kernels, use
from refmnas.cases.depthwise import DepthwiseCase
from refmnas.kernels import depthwise as kernel
from refmnas.kernels.depthwise import ffi, lib

PAGE = mmap.PAGESIZE
_libc = ctypes.CDLL(None, use_errno=True)
_libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)

# Beyond the drawn cases: layers with more blocks than an aligned walk asks for, runs of 7 and
# 14 pixels whole and in part, strips, and channels that are no multiple of any lane count.
LAYERS = [(1, 7, 7, 72, 3, 1), (1, 14, 30, 136, 3, 2), (1, 9, 29, 67, 5, 1), (2, 6, 15, 130, 5, 2), (1, 8, 16, 65, 7, 1)]


class Guarded:
    """An array that ends (or begins) where memory ends (or begins)."""

    def __init__(self, values, at_end):
        self.size = -(-max(values.nbytes, 1) // PAGE) * PAGE
        self.map = mmap.mmap(-1, self.size + 2 * PAGE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        for page in (start, start + PAGE + self.size):
            if _libc.mprotect(page, PAGE, 0):
                raise OSError(ctypes.get_errno(), "mprotect")
        offset = PAGE + (self.size - values.nbytes if at_end else 0)
        self.array = np.frombuffer(self.map, values.dtype, values.size, offset).reshape(values.shape)
        self.array[...] = values


def run(x, w, b, options, at_end):
    """Both functions, every operand and result between unreadable pages."""
    record, shape = kernel._shape(x.shape, w.shape, options["stride"], options["pad"], options["dilation"])
    rng = np.random.default_rng(0)
    arrays = {
        "x": x, "w": w, "b": x[0, 0, 0, :] if b is None else b, "y": np.zeros(shape, np.float32),
        "dy": rng.standard_normal(shape, np.float32), "dx": np.zeros_like(x), "dw": np.zeros_like(w),
        "db": np.zeros(shape[3], np.float32),
    }  # fmt: skip
    guarded = {name: Guarded(np.ascontiguousarray(a), at_end) for name, a in arrays.items()}
    at = {name: ffi.from_buffer("float[]", g.array, True) for name, g in guarded.items()}
    bias = ffi.NULL if b is None else at["b"]
    assert lib.rm_f32_depthwise_fwd(record, at["x"], at["w"], bias, at["y"]) == lib.RM_OK
    assert lib.rm_f32_depthwise_bwd(record, *(at[k] for k in ("dy", "x", "w", "dx", "dw", "db"))) == lib.RM_OK
    with use("c"):
        want = kernel.forward(x, w, b, **options)
    assert np.array_equal(want, guarded["y"].array)


def main(count):
    calls = 0
    for isa in kernels.isas():
        with kernels.select_isa(isa):
            for at_end in (True, False):
                for seed in range(count):
                    case = DepthwiseCase.draw(seed)
                    if case.n:
                        run(*case.arrays("reals").values(), case.options(), at_end)
                        calls += 1
                for N, H, W, C, K, S in LAYERS:
                    x, w = np.ones((N, H, W, C), np.float32), np.ones((K, K, C), np.float32)
                    run(x, w, None, {"stride": S, "pad": (K // 2,) * 4, "dilation": 1}, at_end)
                    calls += 1
    print(calls)


if __name__ == "__main__":
    main(int(sys.argv[1]))
