"""C seen from Python: contiguity, pointers, status -> exception; no mathematics.

A module here has the name of its op and functions of the same names and
arguments as `ops/`, after `ops/` has checked them.
"""

from importlib import import_module

from ..errors import KernelError, SpecError

try:
    from .. import _cffi
except ImportError as error:
    _cffi, _why_not = None, str(error)
else:
    _why_not = ""


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
    try:
        return getattr(import_module(f"{__name__}.{module}"), function, None)
    except ModuleNotFoundError:
        return None


def isa():
    """The instruction set whose kernels run, or None without C."""
    return None
