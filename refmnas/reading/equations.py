"""Equation numbers in the sources: what a docstring or a comment defines and refers to.

A module's docstring holds its equations, indented, each ending in its number:

    y[n,d]  = b[d] + sum_c x[n,c] * w[c,d]  (1)

A function's docstring, or a comment above a C function, refers to them: "Equation (1).",
"Equations (2), (3), (4)", "Equations (5) to (7)".
"""

from __future__ import annotations

import re
from textwrap import dedent

_NUMBER = re.compile(r"\((\d+)\)")
_END = re.compile(r"\((\d+)\)\s*$")
_REFERENCE = re.compile(r"[Ee]quations?\s+(\(\d+\)(?:(?:\s*,\s*|\s+and\s+|\s+to\s+)\(\d+\))*)")


def defined(docstring) -> dict[int, str]:
    """number -> the lines of that equation, without their indent."""
    found: dict[int, str] = {}
    for run in _runs(docstring):
        if not _is_equations(run):
            continue
        pending: list[str] = []
        for line in run:
            pending.append(line)
            end = _END.search(line)
            if end:
                found[int(end.group(1))] = dedent("\n".join(pending)).strip("\n")
                pending = []
    return found


def prose(docstring) -> str:
    """What the docstring says besides its title and its equations."""
    kept = [line for run in _runs(docstring) if not _is_equations(run) for line in run]
    text = "\n".join(line.rstrip() for line in kept)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


def body(docstring) -> str:
    """The docstring without its title, its indent taken off."""
    return dedent(_body(docstring)).strip("\n")


def _runs(docstring) -> list[list[str]]:
    """The body's lines in runs of indented ones and of others; blank lines stay where they are."""
    runs: list[list[str]] = [[]]
    was_indented = False
    for line in dedent(_body(docstring)).splitlines():
        is_indented = line.startswith("    ") if line.strip() else was_indented
        if is_indented != was_indented:
            runs.append([])
        runs[-1].append(line)
        was_indented = is_indented
    return runs


def _is_equations(run):
    return any(line.startswith("    ") and _END.search(line) for line in run)


def title(docstring) -> str:
    """The docstring's first sentence line."""
    return (docstring or "").strip().splitlines()[0] if (docstring or "").strip() else ""


def referred(text) -> tuple[int, ...]:
    """The equation numbers that a docstring or comment refers to, ranges filled in."""
    numbers: set[int] = set()
    for match in _REFERENCE.finditer(text or ""):
        part = match.group(1)
        listed = [int(n) for n in _NUMBER.findall(part)]
        numbers.update(listed)
        for first, last in re.findall(r"\((\d+)\)\s+to\s+\((\d+)\)", part):
            numbers.update(range(int(first), int(last) + 1))
    return tuple(sorted(numbers))


def _body(docstring):
    """The docstring without its first line, which has no indent of its own."""
    return "\n".join((docstring or "").splitlines()[1:])
