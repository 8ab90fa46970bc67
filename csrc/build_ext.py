"""The cffi module refmnas._cffi: reads the header, lists the sources, fixes the flags.

The text between the two marks of refmnas_c.h is the cdef, so prototypes exist
once.  Flags neither change results (-ffast-math) nor bind to the build machine
(-march=native): instruction sets are regions inside the sources.  REFMNAS_CFLAGS
is added at the end, for the compiler and the linker: sanitizers, -O1.
"""

import os
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
SOURCES = (
    "engine_avx512.c",  # the slowest to compile come first
    "target_avx512.c",
    "engine_avx2.c",
    "engine_scalar.c",
    "engine_neon.c",
    "dispatch.c",
    "plan.c",
    "threads.c",
    "peak.c",
    "target_scalar.c",
    "target_avx2.c",
    "target_neon.c",
    "engine_wide16.c",
    "target_wide16.c",
)
FLAGS = ("-O3", "-ffp-contract=off", "-fvisibility=hidden", "-g0")
BEGIN, END = "/* cdef: begin */", "/* cdef: end */"


def cdef():
    """The part of the header that cffi reads."""
    text = (HERE / "refmnas_c.h").read_text(encoding="utf-8")
    return text.split(BEGIN)[1].split(END)[0]


def depends():
    """Every file whose change asks for a new build."""
    return sorted(p.name for p in HERE.iterdir() if p.suffix in (".c", ".h", ".py"))


def _builder():
    ffi, added = FFI(), os.environ.get("REFMNAS_CFLAGS", "").split()
    ffi.cdef(cdef())
    ffi.set_source(
        "refmnas._cffi",
        '#include "refmnas_c.h"',
        sources=[f"csrc/{name}" for name in SOURCES],
        depends=[f"csrc/{name}" for name in depends()],
        include_dirs=["csrc"],
        extra_compile_args=[*FLAGS, *added],
        extra_link_args=added,
        libraries=["m", "pthread"],
    )
    return ffi


ffibuilder = _builder()
