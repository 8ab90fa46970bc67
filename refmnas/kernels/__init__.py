"""C seen from Python: contiguity, pointers, status -> exception; no mathematics.

A module here has the name of its op and functions of the same names and
arguments as `ops/`, after `ops/` has checked them.

    built, why_not     whether the C extension is there
    isas, isa          the usable instruction sets, best first; the one in use
    select_isa         chooses another: for tests and benchmarks, since all give the same bits
    source             the text of an installed C source
    tile               the text of a generated innermost tile

REFMNAS_ISA, read once when this package is imported, selects one from the start.
"""

import os
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from ..errors import KernelError, ShapeError, SpecError

try:
    # By its full name: `from .. import _cffi` would blame a circular import where the file is missing.
    _cffi = import_module("refmnas._cffi")
except ImportError as error:
    _cffi = None  # type: ignore[assignment]
    _why_not = (
        f"{error}; to build it, install a C compiler, then"
        " pip install --no-cache-dir --force-reinstall --no-binary refmnas refmnas"
    )
else:
    _why_not = ""

_PACKAGE = Path(__file__).resolve().parents[1]


def built():
    """Whether the C extension is there."""
    return _cffi is not None


def why_not():
    """Why the C extension is missing; empty where it is there."""
    return _why_not


def find(module, function):
    """The C row of an op, or None: not built, or no kernel was written for it."""
    if not built():
        return None
    name = f"{__name__}.{module}"
    try:
        return getattr(import_module(name), function, None)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None


def isas():
    """The names that `select_isa` takes here, best first; empty without C."""
    if not built():
        return ()
    names, index = [], 0
    while (name := _cffi.lib.rm_isa_name(index)) != _cffi.ffi.NULL:
        if _cffi.lib.rm_isa_usable(index):
            names.append(_cffi.ffi.string(name).decode())
        index += 1
    return tuple(names)


def isa():
    """The instruction set whose kernels run, or None without C."""
    return _cffi.ffi.string(_cffi.lib.rm_isa()).decode() if built() else None


class select_isa:
    """Use the named instruction set from now on; as a context manager, until its end.

    Holds for the whole process.  Raises KernelError without C or for a set that
    this machine lacks, SpecError for a name that no build knows.
    """

    def __init__(self, name):
        self._before = isa()
        _select(name, "select_isa")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        _select(self._before, "select_isa")


KNOWN = ("avx512", "avx2", "neon", "scalar", "wide16")


def _select(name, where):
    usable = ", ".join(isas()) or "none"
    if name not in KNOWN:
        raise SpecError(f"{where}: instruction set is {name!r}; usable here: {usable}")
    if not built():
        raise KernelError(f"{where}: {name} is demanded, but the C extension is not built ({why_not()})")
    if _cffi.lib.rm_select_isa(name.encode()) != _cffi.lib.RM_OK:
        raise KernelError(f"{where}: {name} cannot run here; usable here: {usable}")


def source(name):
    """The text of a C source by its file name, from the installed package or the checkout."""
    folder = _sources()
    names = sorted(p.name for p in folder.iterdir() if p.suffix in (".c", ".h", ".py"))
    if name not in names:
        raise SpecError(f"source: no C source {name!r}; there are {', '.join(names)}")
    return (folder / name).read_text(encoding="utf-8")


def _sources():
    for folder in (_PACKAGE / "csrc", _PACKAGE.parent / "csrc"):
        if (folder / "refmnas_c.h").exists():
            return folder
    raise KernelError("source: the C sources are not installed")


def tile(name, instruction_set=None):
    """The C text of one innermost tile as csrc/tiles.py writes it at build time; needs no built extension."""
    path = _sources() / "tiles.py"
    spec = spec_from_file_location("refmnas_tiles", path)
    writer = module_from_spec(spec)
    spec.loader.exec_module(writer)
    instruction_set = instruction_set or isa() or "scalar"
    if instruction_set not in writer.SHAPE_OF:
        raise SpecError(f"tile: no tiles for {instruction_set!r}, wanted one of {', '.join(writer.SHAPE_OF)}")
    found = writer.tiles(instruction_set)
    if name not in found:
        raise SpecError(f"tile: no {name!r} for {instruction_set}; there are {', '.join(found)}")
    return "\n".join(line for line in found[name] if line) + "\n"


def refuse(status, op):
    """Raise what a kernel's status other than RM_OK says.  What `ops` checks does not come here."""
    if status == _cffi.lib.RM_TOO_LARGE:
        raise ShapeError(f"{op}: the C kernels take extents below 2**30 and arrays below 2**63 bytes")
    raise KernelError(f"{op}: the kernel refused its arguments (status {status})")


if os.environ.get("REFMNAS_ISA"):
    _select(os.environ["REFMNAS_ISA"], "REFMNAS_ISA")
