"""Put a changed text in the place of a module's own, for a while.

The module object stays the same and only what it holds is replaced, so that every
part that imported it meets the changed text, as it would had the file been changed.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from refmnas import backend

PACKAGE = Path(backend.__file__).resolve().parent


class AnchorError(AssertionError):
    """The text that a fault wants to change is not there exactly once."""


def replaced(source, old, new, where):
    """`source` with `old`, which must occur exactly once, changed to `new`."""
    count = source.count(old)
    if count != 1:
        raise AnchorError(f"{where}: {old!r} occurs {count} times, wanted exactly once")
    if old == new:
        raise AnchorError(f"{where}: {old!r} is changed to itself")
    return source.replace(old, new)


def source_of(name):
    """The text of the module `name`."""
    return Path(import_module(name).__file__).read_text(encoding="utf-8")


@contextmanager
def holding(name, source):
    """The module `name` made from `source`; all as before at the end.

    The dispatch table is kept too, since an op enters itself there when it is made.
    """
    module = import_module(name)
    before, table = dict(vars(module)), dict(backend.TABLE)
    code = compile(source, module.__file__, "exec")
    try:
        exec(code, vars(module))
        yield module
    finally:
        vars(module).clear()
        vars(module).update(before)
        backend.TABLE.clear()
        backend.TABLE.update(table)


@contextmanager
def cffi_from(ffi, lib):
    """refmnas.kernels, and the ops that have a C row, over another build of the C side."""
    kernels = import_module("refmnas.kernels")
    package, name = sys.modules["refmnas"], "refmnas._cffi"
    fake = type(sys)(name)
    fake.ffi, fake.lib = ffi, lib
    parts = ["refmnas.kernels"] + [f"refmnas.kernels.{n}" for n in _modules("kernels")]
    ops = [f"refmnas.ops.{n}" for n in _modules("kernels") if (PACKAGE / "ops" / f"{n}.py").exists()]
    missing = object()
    before, attribute = sys.modules.get(name, missing), getattr(package, "_cffi", missing)
    sys.modules[name], package._cffi = fake, fake
    kept = {part: sys.modules.get(part) for part in parts}
    state = {m: dict(vars(m)) for m in [*kept.values(), *map(import_module, ops)] if m is not None}
    table = dict(backend.TABLE)
    try:
        for part in parts + ops:
            module = kept.get(part) or import_module(part)
            exec(compile(source_of(part), module.__file__, "exec"), vars(module))
        yield kernels
    finally:
        _restore(name, before, missing)
        if attribute is missing:
            del package._cffi
        else:
            package._cffi = attribute
        for module, held in state.items():
            vars(module).clear()
            vars(module).update(held)
        for part, module in kept.items():
            if module is None:
                sys.modules.pop(part, None)
        backend.TABLE.clear()
        backend.TABLE.update(table)


def _modules(package):
    return sorted(p.stem for p in (PACKAGE / package).glob("*.py") if p.stem != "__init__")


def _restore(name, before, missing):
    if before is missing:
        sys.modules.pop(name, None)
    else:
        sys.modules[name] = before
