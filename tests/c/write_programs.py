"""Programs of small networks and the logits they must give, for engine_main.c, by this machine's scalar engine.

    PYTHONPATH=tests:tests/engine python tests/c/write_programs.py FILE

For blocks of 8 channels (scalar, avx2, neon) and of 16 (wide16, avx512), each with scratch
for five threads: engine_main runs them with 1 to 5.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import strided
from networks import stirred
from small import NETS, images, net, size

import refmnas
from refmnas import kernels
from refmnas.kernels import engine

BATCH, THREADS = 2, 5
FIELDS = ("batch", "threads", "scratch", "scratch_size", "image_h", "image_w", "classes")


def problems():
    """(network or graph, size of the image)."""
    for name in NETS:
        yield net(name), size(name)
    with tempfile.TemporaryDirectory() as folder:
        for name, row in strided.STRIDED.items():
            yield strided.graph(name, Path(folder)), row[2]
    for name, edge in (("mnasnet-a1", 33), ("mnasnet-small", 67), ("mobilenet-v2", 35)):
        yield stirred(name, width=0.35, classes=21), (edge, edge)


def program(network, shape):
    """The bytes of one program: sizes, steps, weights, tables, image, logits."""
    given = []
    made = engine.Program
    engine.Program = lambda *arguments: given.append(arguments) or made(*arguments)
    try:
        plan = refmnas.compile(network, batch=BATCH, size=shape, threads=THREADS)
    finally:
        engine.Program = made
    ((_, weights, work, tables, options),) = given
    steps = bytes(engine.ffi.buffer(plan._program._steps))
    x = images(shape, BATCH)
    head = [plan._built.block, len(plan.steps), len(steps), weights.size, tables.size, work.size]
    head += [options[field] for field in FIELDS]
    arrays = weights.astype("<f4"), tables.astype("<i4"), x.astype("<f4"), plan(x).astype("<f4")
    return b"".join([np.array(head, "<i8").tobytes(), steps, *(np.ascontiguousarray(a).tobytes() for a in arrays)])


def main(path):
    parts = []
    for isa in ("scalar", "wide16"):
        with kernels.select_isa(isa):
            parts += [program(*problem) for problem in problems()]
    Path(path).write_bytes(np.array([len(parts)], "<i8").tobytes() + b"".join(parts))
    print(len(parts), "programs")


if __name__ == "__main__":
    main(sys.argv[1])
