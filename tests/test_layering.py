"""Imports point one way along one line, and the oracle imports NumPy alone."""

import ast
import sys
from pathlib import Path

import pytest

import refmnas

ROOT = Path(refmnas.__file__).parent

# Each may import what stands left of it, and within itself.  One group of names shares a
# place: its members may not import one another.
LINE = (
    ("errors", "geometry"),
    ("layout",),
    ("oracle", "_cffi"),
    ("kernels",),
    ("backend",),
    ("ops",),
    ("bounds",),
    ("cases",),
    ("layers",),
    ("blocks",),
    ("models",),
    ("io",),
    ("recognition",),
    ("peers",),
    ("engine",),
    ("report",),
    ("verify",),
    ("bench",),
    ("predict",),
    ("compare",),
    ("reading",),
    ("explain",),
    ("cli",),
    ("__main__",),
)
PLACE = {name: place for place, names in enumerate(LINE) for name in names}
# Installed, the C sources and their build script lie inside as data (csrc); the script runs before refmnas exists.
MODULES = sorted(
    path
    for path in ROOT.rglob("*.py")
    if path != ROOT / "__init__.py" and path.relative_to(ROOT).parts[0] != "csrc"
)


def part_of(path):
    """The part of refmnas that a file belongs to: its folder, or its own name."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path):
    """(part of refmnas or foreign module, line) of every import statement, wherever it stands."""
    package = ("refmnas", *path.relative_to(ROOT).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name.split("."), node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            named = [*base, *(node.module or "").split(".")] if node.module else [*base]
            if named == ["refmnas"]:
                yield from (([*named, alias.name], node.lineno) for alias in node.names)
            else:
                yield named, node.lineno


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    here = part_of(path)
    assert here in PLACE, f"{here} has no place in the line; give it one"
    for (top, *rest), line in imports(path):
        if top != "refmnas" or not rest:
            continue
        there = rest[0]
        if there.startswith("__") or there == here:  # __version__
            continue
        assert there in PLACE, f"{path.name}:{line} imports {there}, which has no place in the line"
        assert PLACE[there] < PLACE[here], f"{path.name}:{line}: {here} imports {there}, against the line"


@pytest.mark.parametrize("path", sorted((ROOT / "oracle").glob("*.py")), ids=lambda path: path.name)
def test_the_oracle_imports_numpy_and_the_standard_math_alone(path):
    assert {".".join(name) for name, _ in imports(path)} <= {"numpy", "math"}


def test_the_runtime_needs_numpy_and_cffi_alone():
    """Anything else is an extra, and imported where it is used, not at the head of a module."""
    allowed = {"numpy", "cffi", "refmnas", *sys.stdlib_module_names}
    for path in MODULES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            for name in _heads(node):
                assert name in allowed, f"{path.relative_to(ROOT)} imports {name} at its head"


def _heads(node):
    if isinstance(node, ast.Import):
        return [alias.name.split(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [node.module.split(".")[0]]
    return []


def test_models_and_io_do_not_know_one_another():
    for path in [p for p in MODULES if part_of(p) in ("io", "models")]:
        other = "io" if part_of(path) == "models" else "models"
        assert not [line for name, line in imports(path) if name[:2] == ["refmnas", other]], path


def test_the_line_sees_every_form_of_import(tmp_path, monkeypatch):
    """The test itself: each of these, in ops, would be found."""
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "ops").mkdir()
    for text in (
        "from ..layers import base",
        "from .. import layers",
        "import refmnas.layers.base",
        "from refmnas.layers import base",
        "from refmnas import layers",
        "def f():\n    from ..layers.base import Layer",
    ):
        path = tmp_path / "ops" / "wrong.py"
        path.write_text(text)
        assert [name[:2] for name, _ in imports(path)] == [["refmnas", "layers"]], text
        with pytest.raises(AssertionError, match="against the line"):
            test_imports_point_one_way(path)
