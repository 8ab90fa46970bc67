"""The most that this processor does (csrc/peak.c): multiply-adds in registers, reading memory; no clock here."""

from __future__ import annotations

from .._cffi import ffi, lib
from . import refuse

CHAINS: int = lib.RM_PEAK_CHAINS  # multiply-adds of one round


def widths():
    """Floats of each vector width that has a fused multiply-add here, narrowest first; () where none has."""
    found: list[int] = []
    while lanes := lib.rm_peak_lanes(len(found)):
        found.append(lanes)
    return tuple(found)


def multiply_add(lanes, rounds):
    """rounds x CHAINS multiply-adds of `lanes` floats each; how many floating-point operations that was."""
    if status := lib.rm_peak_multiply_add(lanes, rounds):
        refuse(status, f"peak.multiply_add: {lanes} lanes")
    return 2 * lanes * CHAINS * rounds


def read(lanes, x, times):
    """Every float of x, `times` times; how many bytes that was.  x contiguous float32, a multiple of 256 floats."""
    if status := lib.rm_peak_read(lanes, ffi.from_buffer("float[]", x), x.size, times):
        refuse(status, f"peak.read: {lanes} lanes")
    return x.nbytes * times
