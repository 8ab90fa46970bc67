"""A library of its own from the C sources: one instruction set, -O1, a second or two.

The names of the other instruction sets' tables are defined to be the one that is
built, so that every row of the dispatch table calls it.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from cffi import FFI
from planting import ROOT

CSRC = ROOT / "csrc"
TARGETS = ("avx512", "avx2", "neon", "scalar", "wide16")
FLAGS = ("-O1", "-fPIC", "-ffp-contract=off", "-w")


class BuildError(AssertionError):
    """The sources do not compile."""


def compiler():
    """The C compiler's path, or None."""
    return shutil.which("gcc") or shutil.which("cc")


def target():
    """The instruction set to build here: one with lanes where this machine has it."""
    flags = Path("/proc/cpuinfo")
    words = set(flags.read_text(encoding="utf-8").split()) if flags.exists() else set()
    return "avx2" if {"avx2", "fma"} <= words else "neon" if "asimd" in words else "scalar"


def build(folder, changed=None, isa=None):
    """The library's path; `changed` maps names of C sources to the text that replaces them."""
    isa, folder = isa or target(), Path(folder)
    for path in CSRC.iterdir():
        if path.suffix in (".c", ".h"):
            text = (changed or {}).get(path.name)
            (folder / path.name).write_text(
                path.read_text(encoding="utf-8") if text is None else text, encoding="utf-8"
            )
    same = [f"-Drm_kernels__{other}=rm_kernels__{isa}" for other in TARGETS if other != isa]
    sources = [str(folder / "dispatch.c"), str(folder / f"target_{isa}.c")]
    library = folder / "kernels.so"
    run = subprocess.run(
        [compiler(), *FLAGS, *same, "-shared", "-o", str(library), *sources, "-lm"], capture_output=True, text=True
    )
    if run.returncode:
        raise BuildError(run.stderr[-2000:])
    return library


def opened(library):
    """(ffi, lib) of a library, by the header's own declarations."""
    text = (CSRC / "refmnas_c.h").read_text(encoding="utf-8")
    ffi = FFI()
    ffi.cdef(text.split("/* cdef: begin */")[1].split("/* cdef: end */")[0])
    return ffi, ffi.dlopen(str(library))
