"""A library of its own from the C sources: one instruction set, -O1, a second or two.

The names of the other instruction sets' tables are defined to be the one that is
built, so that every row of the dispatch table calls it.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from cffi import FFI

CSRC = Path(__file__).resolve().parents[2] / "csrc"
TARGETS = ("avx512", "avx2", "neon", "scalar", "wide16")
FLAGS = ("-O1", "-fPIC", "-ffp-contract=off", "-w")


class BuildError(AssertionError):
    """The sources do not compile."""


def compiler():
    """The C compiler's path, or None."""
    return shutil.which("gcc") or shutil.which("cc")


def usable():
    """The instruction sets that this machine runs, the one with the most common lanes first."""
    info = Path("/proc/cpuinfo")
    words = set(info.read_text(encoding="utf-8").split()) if info.exists() else set()
    needs = {"avx2": {"avx2", "fma"}, "avx512": {"avx512f", "avx512vl", "avx512bw", "avx512dq"}, "neon": {"asimd"}}
    return (*(name for name, flags in needs.items() if flags <= words), "scalar", "wide16")


def build(folder, changed=None, isas=None):
    """The library's path; `changed` maps names of C sources to the text that replaces them.

    One instruction set stands in for all others; of several, those not built are left empty.
    """
    isas, folder = isas or usable()[:1], Path(folder)
    for path in CSRC.iterdir():
        if path.suffix in (".c", ".h"):
            text = (changed or {}).get(path.name)
            text = path.read_text(encoding="utf-8") if text is None else text
            (folder / path.name).write_text(text, encoding="utf-8")
    absent = [name for name in TARGETS if name not in isas]
    same = [f"-Drm_kernels__{name}=rm_kernels__{isas[0]}" for name in absent] if len(isas) == 1 else []
    empty = "" if same else "".join(f'const rm_kernels rm_kernels__{name} = {{"{name}"}};\n' for name in absent)
    # The engine's tables are looked at by dispatch.c alone; the properties of the ops do not need them.
    engines = "".join(f"const rm_engine rm_engine__{name} = {{0}};\n" for name in TARGETS)
    (folder / "absent.c").write_text(f'#include "isa.h"\n#include "engine.h"\n{empty}{engines}', encoding="utf-8")
    sources = [str(folder / name) for name in ("dispatch.c", "absent.c", *(f"target_{isa}.c" for isa in isas))]
    library = folder / "kernels.so"
    command = [compiler(), *FLAGS, *same, "-shared", "-o", str(library), *sources, "-lm"]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise BuildError(run.stderr[-2000:])
    return library


def opened(library):
    """(ffi, lib) of a library, by the header's own declarations."""
    text = (CSRC / "refmnas_c.h").read_text(encoding="utf-8")
    ffi = FFI()
    ffi.cdef(text.split("/* cdef: begin */")[1].split("/* cdef: end */")[0])
    return ffi, ffi.dlopen(str(library))
