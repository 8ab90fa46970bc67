"""Results of several machines and versions side by side: benchmarks/results/*.json."""

from __future__ import annotations

import json
from pathlib import Path

from ..errors import FormatError
from .entrants import OURS
from .run import KIND, SCHEMA

FOLDER = Path("benchmarks/results")


def read(folder):
    """{name of a file: its result}, oldest first; files of other kinds are passed over.

    Raises   FormatError where there is no folder, no result in it, or a file is no JSON.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FormatError(f"bench: no folder {folder}, wanted one of results (refmnas bench --json=FOLDER/NAME.json)")
    found = {}
    for path in sorted(folder.glob("*.json")):
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise FormatError(f"bench: {path} is no JSON: {error}") from None
        if isinstance(value, dict) and value.get("kind") == KIND and value.get("schema") == SCHEMA:
            found[path.stem] = value
    if not found:
        raise FormatError(f"bench: {folder} has no result of refmnas bench")
    return dict(sorted(found.items(), key=lambda item: item[1]["date"]))


def compared(results):
    """Rows {network, dialect, size, batch, threads, results: {file: what it measured, or None}}, of every cell there is."""
    cells: dict[tuple, dict] = {}
    for name, result in results.items():
        for cell in result["cells"]:
            key = tuple(cell[k] for k in ("network", "dialect", "width", "size", "batch", "threads"))
            cells.setdefault(key, {})[name] = _short(cell)
    keys = ("network", "dialect", "width", "size", "batch", "threads")
    return [dict(zip(keys, key, strict=True)) | {"results": {n: found.get(n) for n in results}} for key, found in cells.items()]


def _short(cell):
    """Our median, its ratio to the best peer, whether it counts."""
    ours = next((row for row in cell["competitors"] if row["name"] == OURS), {})
    return {
        "median_ms": ours.get("median_ms"),
        "ratio": ours.get("ratio"),
        "share": ours.get("share"),
        "best_peer": cell["best_peer"],
        "counts": not (cell["is_noisy"] or cell["is_partial"] or ours.get("is_wrong", True)),
    }
