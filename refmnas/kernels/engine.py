"""The engine's programs in C (csrc/plan.c): records, arrays, status; no mathematics."""

from __future__ import annotations

import numpy as np

from .._cffi import ffi, lib
from . import isas, refuse

_RECORD = {field for field, _ in ffi.typeof("rm_step").fields}


def shape(isa):
    """(place of an instruction set in C's table, channels of a block, most blocks of a stem's and of a wide panel)."""
    index = next(k for k in range(16) if ffi.string(lib.rm_isa_name(k)).decode() == isa)
    out = ffi.new("int64_t[3]")
    if status := lib.rm_engine_shape(index, out):
        refuse(status, f"engine.shape: {isa}")
    return index, *out


class Program:
    """The C record of a program; holds the arrays that it points into.

    steps    dicts of the fields of rm_step (csrc/refmnas_c.h)
    options  the other fields of rm_program
    """

    def __init__(self, steps, weights, work, tables, options):
        self._steps = ffi.new("rm_step[]", [self._filled(s) for s in steps])
        pointers = ffi.from_buffer("float[]", weights), ffi.from_buffer("float[]", work), ffi.from_buffer("int32_t[]", tables)
        arrays = dict(zip(("weights", "work", "tables"), pointers, strict=True))
        self._arrays = weights, work, tables, pointers
        self._program = ffi.new("rm_program *", {"steps": self._steps, "step_count": len(steps)} | arrays | options)
        self._count, self._threads = len(steps), options["threads"]

    @staticmethod
    def _filled(step):
        """Offsets that a step has no buffer for are -1."""
        absent = dict.fromkeys(("res", "sums", "x", "planes", "gate"), -1)
        return absent | {k: v for k, v in step.items() if k in _RECORD}

    def run(self, x, y):
        """y (N, classes) from x (N, H, W, 3)."""
        if status := lib.rm_engine_run(self._program, ffi.from_buffer("float[]", x), ffi.from_buffer("float[]", y, True)):
            refuse(status, "engine.run")

    def profile(self, x, y):
        """Seconds of every thread in every step of one run (threads, steps)."""
        seconds = np.zeros((self._threads, self._count))
        pointers = ffi.from_buffer("float[]", x), ffi.from_buffer("float[]", y, True)
        if status := lib.rm_engine_profile(self._program, *pointers, ffi.from_buffer("double[]", seconds, True)):
            refuse(status, "engine.profile")
        return seconds


def activate(isa, act, x):
    """x <- act(x), in place; x contiguous float32, a multiple of the block."""
    if status := lib.rm_engine_activate(shape(isa)[0], act, x.size, ffi.from_buffer("float[]", x, True)):
        refuse(status, "engine.activate")


def usable(isa):
    """Whether the engine runs an instruction set here."""
    return isa in isas()
