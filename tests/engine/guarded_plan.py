"""Run by test_memory.py in a process of its own: plans all of whose memory touches unreadable pages.

Weights, tables, the image, the logits, every buffer between two steps and every thread's
scratch lie on pages of their own, each with an unreadable one before and behind, at the
pages' ends or, every other one, at their begins; with `both`, each at both.  An access
outside kills the process by a signal.  Prints the number of runs made.
"""

import ctypes
import sys
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import strided
from guarded import PAGE, Guarded, _libc
from networks import stirred
from small import NETS, images, net, size, words
from strided import STRIDED

import refmnas
from refmnas import kernels
from refmnas.engine import program
from refmnas.kernels import engine

FLOATS = PAGE // 4
PLANNED = engine.Program


class Pages:
    """Where arrays of floats lie in one stretch of memory, each between pages that nobody may touch."""

    short = 0  # floats that are withheld: for the test of this test

    def __init__(self, at_end):
        self.at_end, self.size, self.used = at_end, FLOATS, []

    def add(self, floats):
        """The place of so many floats."""
        room = -(-max(floats, 1) // FLOATS) * FLOATS
        at = self.size + (room - floats + self.short if self.at_end else -self.short)
        self.used.append((self.size, self.size + room))
        self.size += room + FLOATS
        return at

    def close(self, work):
        """Make all else unreadable; `work` begins at a page."""
        start = work.ctypes.data
        assert start % PAGE == 0
        protect(start, [(0, FLOATS), *((end, end + FLOATS) for _, end in self.used)], 0)


def protect(start, ranges, how):
    for first, last in ranges:
        if _libc.mprotect(start + 4 * first, 4 * (last - first), how):
            raise OSError(ctypes.get_errno(), "mprotect")


class Apart:
    """A Program whose arrays are `Guarded`, and whose threads' scratch lies apart."""

    def __init__(self, pages, records, weights, tables, options):
        threads, floats = options["threads"], options["scratch_size"]
        first = pages.add(floats)
        step = pages.add(floats) - first
        for _ in range(threads - 2):
            pages.add(floats)
        self.work = Guarded(np.full(pages.size, np.nan, np.float32), True).array
        self.kept = Guarded(weights, pages.at_end), Guarded(tables, pages.at_end)
        pages.close(self.work)
        options = options | {"scratch": first, "scratch_size": step}
        self.run = PLANNED(records, self.kept[0].array, self.work, self.kept[1].array, options).run


@contextmanager
def guarding(at_end):
    """Plans made meanwhile are guarded."""
    pages = []

    def place(buffers):
        pages.append(Pages(at_end))
        for buffer in buffers:
            buffer.at = pages[-1].add(buffer.size)
        return pages[-1].size

    def made(records, weights, work, tables, options):
        return Apart(pages[-1], records, weights, tables, options)

    before = program.place, engine.Program
    program.place, engine.Program = place, made
    try:
        yield
    finally:
        program.place, engine.Program = before


@cache
def unguarded(network, shape, batch):
    """(images, a plan's logits): of one instruction set, since all give the same bits."""
    x = images(shape, batch, seed=batch)
    return x, refmnas.compile(network, batch=batch, size=shape)(x)


def check(network, shape, batch, threads, at_end):
    """A guarded plan's logits are another plan's; whatever memory held before."""
    x, want = unguarded(network, shape, batch)
    with guarding(at_end):
        plan = refmnas.compile(network, batch=batch, size=shape, threads=threads)
    given, y = Guarded(x, at_end), Guarded(np.full(want.shape, np.nan, np.float32), at_end)
    for _ in range(2):
        plan._program.run(given.array, y.array)
        assert np.array_equal(words(y.array), words(want))
    return 2


def main(edges, both):
    calls = 0
    small = [(net(name), size(name)) for name in NETS]
    with tempfile.TemporaryDirectory() as folder:
        small += [(strided.graph(name, Path(folder)), row[2]) for name, row in STRIDED.items()]
    zoo = [(stirred(name, width=0.35, classes=13), (e, e)) for e in edges for name in ("mnasnet-a1", "mnasnet-small")]
    zoo += [(stirred("mobilenet-v2", width=1.0, classes=999), (edges[0], edges[0]))]
    for j, isa in enumerate(kernels.isas()):
        with kernels.select_isa(isa):
            for k, (network, shape) in enumerate(small + ([] if j else zoo)):
                for at_end in (True, False) if both else ((j + k // 2) % 2 == 0,):
                    calls += check(network, shape, *((1, 1) if k % 2 == at_end else (2, 3)), at_end)
    print(calls)


if __name__ == "__main__":
    main([int(a) for a in sys.argv[1:] if a != "both"], "both" in sys.argv)
