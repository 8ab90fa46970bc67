"""A kit's files: the manifest with its hashes, and arrays as safetensors or npz."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from ... import io
from ...errors import FormatError

FORMAT = "refmnas-kit-1"
SUFFIXES = {"safetensors": ".safetensors", "npz": ".npz"}
_FIELDS = {"format": str, "layout": str, "suffix": str, "cases": list}
_CASE = {"name": str, "function": str, "case": str, "data": str, "options": dict, "inputs": list, "results": list,
         "in": dict, "want": dict}  # fmt: skip


def text(value):
    """An option as a word, or as numbers with spaces between: what a C program scans."""
    if isinstance(value, (tuple, list)):
        return " ".join(map(text, value))
    return str(int(value)) if isinstance(value, bool) else repr(value) if isinstance(value, float) else str(value)


def save(path, arrays, words):
    """Write {name: array}; `words` go into a safetensors header.  The record of the file."""
    metadata = {key: text(value) for key, value in words.items()} if path.suffix == ".safetensors" else None
    io.save(path, arrays, metadata=metadata)
    return {"file": f"{path.parent.name}/{path.name}", "sha256": sha256(path)}


def sha256(path):
    """The hash of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder, record):
    """Write manifest.json; it names every other file."""
    with io.replacing(Path(folder) / "manifest.json") as file:
        file.write((json.dumps(record, indent=1, ensure_ascii=True, allow_nan=False) + "\n").encode())


def read_manifest(folder):
    """The manifest, checked field by field; FormatError for anything that is none."""
    path = Path(folder) / "manifest.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FormatError(f"kit: {path} cannot be opened: {error.strerror}") from None
    except ValueError as error:
        raise FormatError(f"kit: {path} is no JSON: {error}") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise FormatError(f"kit: {path} is no manifest of {FORMAT}")
    _check(path, "the manifest", record, _FIELDS)
    for number, case in enumerate(record["cases"]):
        if not isinstance(case, dict):
            raise FormatError(f"kit: {path}: case {number} is {type(case).__name__}, wanted an object")
        _check(path, f"case {number}", case, _CASE)
    return record


def _check(path, what, record, wanted):
    for name, kind in wanted.items():
        if not isinstance(record.get(name), kind):
            came = type(record[name]).__name__ if name in record else "nothing"
            raise FormatError(f"kit: {path}: {what} has {came} as {name!r}, wanted {kind.__name__}")


def load(folder, record):
    """The arrays of one of the kit's files; FormatError where it is not the one that was made."""
    name = str(record.get("file"))
    path = Path(folder) / name
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise FormatError(f"kit: the manifest names {name!r}, wanted a file inside the kit")
    if not path.is_file():
        raise FormatError(f"kit: {path} is missing")
    if sha256(path) != record.get("sha256"):
        raise FormatError(f"kit: {path} is not the file that was made: its SHA-256 differs from the manifest's")
    return io.load(path)
