"""Functions cut from the installed sources: Python by inspect, C by its top-level comments."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from . import equations


@dataclass(frozen=True)
class Piece:
    """One function (or one file of C) as it stands in the sources."""

    where: str  # refmnas/ops/depthwise.py:74
    name: str
    code: str
    numbers: tuple[int, ...]  # the equations that it says it computes


def load_ops():
    """The names of all ops, each module touched, so that backend.TABLE is full."""
    from .. import ops

    names = [m.name for m in iter_modules(ops.__path__) if not m.name.startswith("_")]
    for name in names:
        import_module(f"{ops.__name__}.{name}")
    return names


def functions(module) -> dict[str, Piece]:
    """name -> the functions that a module defines, in its order, decorators left out."""
    found = {}
    for name, value in vars(module).items():
        body = inspect.unwrap(value) if callable(value) else None
        if inspect.isfunction(body) and body.__module__ == module.__name__:
            found[name] = _piece(module, name, body)
    return found


def _piece(module, name, function):
    lines, first = inspect.getsourcelines(function)
    start = next(k for k, line in enumerate(lines) if line.lstrip().startswith("def "))
    code = "".join(lines[start:]).rstrip()
    where = f"{module.__name__.replace('.', '/')}.py:{first + start}"
    return Piece(where, name, code, equations.referred(inspect.getdoc(function)))


def shortened(code):
    """Python code with each docstring cut to its first line: the contract is told elsewhere."""
    return re.sub(r'("""[^\n"]+)\n(?:(?!""").*\n)*?\s*"""', r'\1"""', code)


def helpers(piece, found) -> list[Piece]:
    """The private functions that a function calls, directly or through others, checks left out."""
    wanted: list[Piece] = []
    queue = [piece]
    while queue:
        code = queue.pop(0).code
        for name, other in found.items():
            is_called = re.search(rf"(?<![\w.]){re.escape(name)}\(", code)
            if is_called and name.startswith("_") and not name.startswith("_check") and other not in wanted:
                wanted.append(other)
                queue.append(other)
    return wanted


def templates(op) -> list[Piece]:
    """The C template of an op, in pieces: its functions with numbers, then the files it includes."""
    from .. import kernels
    from ..errors import RefmnasError

    name = f"f32_{op}.inc.h"
    try:
        text = kernels.source(name)
    except (RefmnasError, OSError):
        return []
    pieces = c_functions(name, text, ())
    for included in re.findall(rf'#include "(f32_{op}\w*\.inc\.h)"', text):
        inner = kernels.source(included)
        numbers = equations.referred(inner.partition("*/")[0])
        pieces += c_functions(included, inner, numbers)
        pieces.append(Piece(f"csrc/{included}:1", included, inner.rstrip(), numbers))
    return pieces


_C_FUNCTION = re.compile(
    r"(?P<comment>/\*(?:(?!\*/).)*?\*/\n)?^(?:static|RM_INLINE)[^;{}#]*?RM_NAME\((?P<name>f32_\w+)\)\([^;{}]*\)\s*\{.*?^\}",
    re.S | re.M,
)


def c_functions(name, text, numbers) -> list[Piece]:
    """The f32_* functions of a C file with the comment above them, which names their equations.

    One whose comment names none has those of its file, `numbers`.
    """
    found = []
    for match in _C_FUNCTION.finditer(text):
        own = equations.referred(match["comment"]) or numbers
        line = text.count("\n", 0, match.start()) + 1
        if own:
            found.append(Piece(f"csrc/{name}:{line}", match["name"], match.group(), own))
    return found


def c_head(op):
    """The first comment of an op's C template: layout, order, bound; empty without C sources."""
    from .. import kernels
    from ..errors import RefmnasError

    try:
        text = kernels.source(f"f32_{op}.inc.h")
    except (RefmnasError, OSError):
        return ""
    lines = text.partition("*/")[0].removeprefix("/*").splitlines()
    return "\n".join(re.sub(r"^ \* ?", "", line).rstrip() for line in lines).strip()


def package_root() -> Path:
    """The folder that paths like refmnas/ops/depthwise.py start from."""
    import refmnas

    return Path(refmnas.__file__).parent.parent
