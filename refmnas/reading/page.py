"""A page: everything that the sources hold about one op, in rows matched by equation number."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from pkgutil import iter_modules

from ..errors import SpecError
from . import equations, sources
from .built import Built, built
from .sources import Piece
from .worked import Worked, worked

ROOMS = ("ops", "layers", "blocks")


@dataclass(frozen=True)
class Row:
    """One public function: its equations, and the pieces of each text that compute them."""

    function: str  # forward
    equations: dict[int, str]
    contract: str  # the public docstring
    oracle: list[Piece]
    reference: list[Piece]
    c: list[Piece]
    worked: Worked | None


@dataclass(frozen=True)
class Page:
    """One subject of the reader's path."""

    name: str
    room: str  # ops: three texts; layers, blocks: one, built from ops
    title: str
    prose: str
    rows: list[Row] = field(default_factory=list)
    c_head: str = ""
    uses: tuple[str, ...] = ()  # what a layer or block is built from
    built: Built | None = None  # its example


def subjects() -> dict[str, str]:
    """name -> room of everything that can be read: the ops, then what is built from them."""
    found: dict[str, str] = {}
    for room in ROOMS:
        package = import_module(f"refmnas.{room}")
        for module in iter_modules(package.__path__):
            if not module.name.startswith("_") and _has_equations(room, module.name):
                found.setdefault(module.name, room)
    return found


def open(name) -> Page:
    """The page of an op, layer or block; SpecError with the nearest name for another one."""
    known, wanted = subjects(), name.strip().lower().replace("-", "_")
    if wanted not in known:
        near = get_close_matches(wanted, known, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise SpecError(f"nothing to read under {name!r}{hint} (refmnas read lists all)")
    return _op_page(wanted) if known[wanted] == "ops" else _built_page(wanted, known)


def _has_equations(room, name):
    return room == "ops" or bool(equations.defined(import_module(f"refmnas.{room}.{name}").__doc__))


def _op_page(name):
    module, oracle = import_module(f"refmnas.ops.{name}"), import_module(f"refmnas.oracle.{name}")
    ours, definition, c = sources.functions(module), sources.functions(oracle), sources.templates(name)
    told = equations.defined(module.__doc__)
    public = [piece for key, piece in ours.items() if not key.startswith("_") and key in definition]
    claimed = {number for piece in public for number in piece.numbers}
    rows = []
    for position, piece in enumerate(public):
        numbers = set(piece.numbers) | (told.keys() - claimed if position == 0 else set())
        rows.append(
            Row(
                piece.name,
                {n: told[n] for n in sorted(numbers) if n in told},
                inspect.getdoc(getattr(module, piece.name)) or "",
                [definition[piece.name], *sources.helpers(definition[piece.name], definition)],
                [piece, *sources.helpers(piece, ours)],
                [p for p in c if numbers & set(p.numbers)],
                worked(name, piece.name),
            )
        )
    doc = module.__doc__
    return Page(name, "ops", equations.title(doc), equations.prose(doc), rows, sources.c_head(name))


def _built_page(name, known):
    """A layer or block: its head as it stands, its one text, and the subjects it is built from."""
    module = import_module(f"refmnas.{known[name]}.{name}")
    row = Row(name, {0: equations.body(module.__doc__)}, "", [], _classes(module), [], None)
    words = _imported(inspect.getsource(module))
    uses = tuple(other for other in known if other != name and other in words)
    return Page(name, known[name], equations.title(module.__doc__), "", [row], uses=uses, built=built(name))


def _classes(module):
    """Its functions and classes, and the classes of the same room that these extend."""
    room = module.__name__.rpartition(".")[0]
    pieces = list(sources.functions(module).values())
    own = [value for value in vars(module).values() if inspect.isclass(value) and value.__module__ == module.__name__]
    bases = [b for value in own for b in value.__mro__[1:] if b.__module__.startswith(f"{room}.") and b not in own]
    pieces += [_class_piece(value) for value in own]
    pieces.sort(key=lambda piece: int(piece.where.rpartition(":")[2]))
    return pieces + [_class_piece(b) for b in dict.fromkeys(bases) if not b.__module__.endswith(".base")]


def _class_piece(value):
    lines, first = inspect.getsourcelines(value)
    where = f"{value.__module__.replace('.', '/')}.py:{first}"
    return Piece(where, value.__name__, "".join(lines).rstrip(), equations.referred(value.__doc__))


def _imported(code):
    """The words of a module's import lines."""
    return {word for line in re.findall(r"^(?:from|import) .*$", code, re.M) for word in re.findall(r"\w+", line)}
