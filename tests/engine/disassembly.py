"""What the compiler made of a tile: the instructions of its innermost loop, counted.

functions(library)      {name: lines} of every function, by objdump
hottest(lines)          the innermost loop with the most multiply-adds, or all where none holds any
Counts.of(lines)        multiply-adds, reads of memory by vector instructions, uses of the stack
"""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import NamedTuple

_HEAD = re.compile(r"^[0-9a-f]+ <(\w+?)(\.\w+(?:\.\d+)?)?>:$")
_LINE = re.compile(r"^\s*([0-9a-f]+):\t(\S+)\s*(.*)$")
_JUMP = re.compile(r"^j\w+$")


class Line(NamedTuple):
    """One instruction."""

    at: int
    name: str
    operands: str


class Counts(NamedTuple):
    """Of a stretch of instructions."""

    fma: int
    reads: int  # of memory by a vector instruction, broadcasts and operands of multiply-adds included
    spills: int  # vectors to the stack or back
    reloads: int  # addresses and counts to the stack or back

    @classmethod
    def of(cls, lines, frame=()):
        vectors = [line for line in lines if line.name.startswith("v")]
        reads = [line for line in vectors if "(" in line.operands and not line.operands.endswith(")")]
        stack = [line for line in lines if any(f"({base}" in line.operands for base in ("%rsp", *frame))]
        spills = sum(line.name.startswith("v") for line in stack)
        return cls(sum(line.name.startswith("vfmadd") for line in lines), len(reads), spills, len(stack) - spills)


def objdump():
    """The program's path, or None."""
    return shutil.which("objdump")


def functions(library):
    """{name: lines}; several parts of one function (constant propagation, cold parts) under the plain name, longest first."""
    text = subprocess.run(
        [objdump(), "-d", "--no-show-raw-insn", str(library)], capture_output=True, text=True, check=True
    ).stdout
    found: dict[str, list[Line]] = {}
    lines: list[Line] = []
    for row in text.splitlines():
        if head := _HEAD.match(row):
            lines = []
            known = found.setdefault(head[1], lines)
            if head[2] is None or not known:
                found[head[1]] = lines
        elif line := _LINE.match(row):
            lines.append(Line(int(line[1], 16), line[2], line[3].split("#")[0].strip()))
    return found


def loops(lines):
    """(first, last) addresses of every loop: from a jump's goal to the jump behind it."""
    found = set()
    for line in lines:
        goal = re.match(r"^([0-9a-f]+) ", line.operands + " ")
        if _JUMP.match(line.name) and goal and lines[0].at <= int(goal[1], 16) <= line.at:
            found.add((int(goal[1], 16), line.at))
    return found


def hottest(lines):
    """The instructions of the innermost loop with the most multiply-adds; of the whole function where no loop has any."""
    spans = loops(lines)
    inner = [s for s in spans if not any(o != s and s[0] <= o[0] and o[1] <= s[1] for o in spans)]
    bodies = [[line for line in lines if first <= line.at <= last] for first, last in inner]
    best = max(bodies, key=lambda body: Counts.of(body).fma, default=[])
    return best if Counts.of(best).fma else lines


def frame_of(lines):
    """The register that points into the stack beside %rsp, where there is one."""
    return ("%rbp",) if any(line.name == "mov" and line.operands == "%rsp,%rbp" for line in lines) else ()



def counted(lines):
    """Counts of a function's hottest loop."""
    return Counts.of(hottest(lines), frame_of(lines))
