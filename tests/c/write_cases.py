"""Cases and expected bits for neon_main.c, computed by the scalar kernels of this machine.

    python tests/c/write_cases.py FILE [COUNT]

Drawn cases of refmnas.cases with all three kinds of data, and layers of real networks.
"""

import sys

import numpy as np

from refmnas import kernels
from refmnas.cases.base import DATA
from refmnas.cases.depthwise import DepthwiseCase
from refmnas.kernels import depthwise

LAYERS = [
    (32, 14, 3, 1), (24, 28, 3, 2), (72, 14, 5, 2), (40, 14, 5, 1), (120, 7, 5, 1), (17, 15, 7, 1), (9, 29, 7, 2),
    (136, 7, 3, 1),
]  # fmt: skip


def problems(count):
    """(arrays, options) of every case."""
    for seed in range(count):
        case = DepthwiseCase.draw(seed)
        if case.n:
            arrays = case.arrays(DATA[seed % len(DATA)])
            yield case, arrays["x"], arrays["w"], arrays["b"], case.options()
    for C, H, K, S in LAYERS:
        pad = K // 2
        case = DepthwiseCase(
            seed=1, n=2, h=H, w=H, c=C, kh=K, kw=K, stride=S, dilation=1, pad=(pad, pad, pad, pad), bias=True
        )
        yield case, *case.arrays("reals").values(), case.options()


def written(file, count):
    """Write all cases; their number."""
    parts = []
    for case, x, w, b, options in problems(count):
        y = depthwise.forward(x, w, b, **options)
        dy = case.gradient(y.shape, "reals")
        gradients = depthwise.backward(dy, x, w, **options)
        P, Q = y.shape[1:3]
        head = [*x.shape, *w.shape[:2], options["stride"], options["dilation"], *options["pad"], P, Q, b is not None]
        bias = np.zeros(x.shape[3], np.float32) if b is None else b
        parts.append(np.array(head, "<i8").tobytes())
        parts.extend(np.ascontiguousarray(a, "<f4").tobytes() for a in (x, w, bias, y, dy, *gradients))
    file.write(np.array([(len(parts)) // 9], "<i8").tobytes())
    for part in parts:
        file.write(part)
    return len(parts) // 9


if __name__ == "__main__":
    with kernels.select_isa("scalar"), open(sys.argv[1], "wb") as file:
        print(written(file, int(sys.argv[2]) if len(sys.argv) > 2 else 300), "cases")
