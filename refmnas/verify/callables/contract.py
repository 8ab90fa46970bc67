"""One call of a kernel, watched: what it returns, what it does to its arguments, and whether it does it again.

Every problem is called twice, with fresh copies of the same arguments.  The memory that a
result is likely to be given, and `out` where the kernel takes it, is filled with NaN
before the first call and with 1e30 before the second (and what glibc hands out, with two
other bytes): who reads or leaves what was there gives two different answers.

Arguments and `out` begin at whole cache lines, with guards of bytes 0xff before and behind: what
is written there is seen, and what is read there is NaN.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import sys
import traceback
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

_FILL = (np.float32(np.nan), np.float32(1e30))
# mallopt(M_PERTURB, v) fills what is allocated with the complement of v, above a kilobyte:
# 0x7f7f7f7f and 0x6f6f6f6f as floats are 3.4e38 and 7.4e28.
_M_PERTURB, _PERTURB = -6, (0x80, 0x90)
_OURS = str(Path(__file__).resolve().parents[2])  # frames of refmnas are no place in the kernel
_GUARD = 64  # bytes: a cache line
_WEIRD = 1e25  # beyond all answers but those to `extremes`


class Seen(NamedTuple):
    """`faults`: (code, words), worst first; `results`: one array per result, None where not computed."""

    faults: list
    results: list | None
    declined: str = ""


class Raised(Exception):
    """The kernel raised; the words say what and where."""


class Form(NamedTuple):
    """What the results must be."""

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    takes_out: bool
    is_repeatable: bool


def watch(fn, arrays, options, form):
    """A Seen of one problem."""
    try:
        first, arguments = _call(fn, arrays, options, form, 0)
        faults = _changes(arrays, arguments.arrays) + arguments.overrun()
        found, wrong = _taken(first, form)
        faults += wrong
        if wrong:
            return Seen(faults, None)
        faults += _views(found, arguments.arrays, form)
        saved = [None if a is None else a.copy() for a in found]
        faults += _repeats(fn, arrays, options, form, found, saved)
    except NotImplementedError as why:
        return Seen([], None, declined=str(why) or "NotImplementedError")
    except Raised as why:
        return Seen([("RAISES", str(why))], None)
    return Seen(faults, saved)


def _call(fn, arrays, options, form, number):
    """(what the kernel gave, the arguments it was given); `number` chooses the filling."""
    arguments = _Guarded(arrays)
    _soil(form.shapes, number)
    if form.takes_out:
        out = arguments.more([np.full(shape, _FILL[number], np.float32) for shape in form.shapes], "out")
        options = options | {"out": out[0] if len(out) == 1 else tuple(out)}
    try:
        given = fn(*arguments.arrays, **options)
    except NotImplementedError:
        raise
    except BaseException as error:  # also SystemExit: a kernel that ends the program is at fault
        raise Raised(_where(error)) from None
    if form.takes_out:
        given = out[0] if len(out) == 1 else tuple(out)
    return given, arguments


class _Guarded:
    """Copies of arrays between guards."""

    def __init__(self, arrays):
        self.raw: list = []
        self.arrays = self.more(arrays, "argument")

    def more(self, arrays, what):
        """Further copies."""
        return [None if a is None else self._copy(a, f"{what} {k}") for k, a in enumerate(arrays)]

    def _copy(self, a, what):
        raw = np.full(a.nbytes + 3 * _GUARD, 0xFF, np.uint8)
        first = _GUARD + -raw.ctypes.data % _GUARD
        self.raw.append((raw, first, first + a.nbytes, what))
        copy = raw[first : first + a.nbytes].view(a.dtype).reshape(a.shape)
        copy[...] = a
        return copy

    def overrun(self):
        """A fault where a guard was written to."""
        for raw, first, end, what in self.raw:
            for words, guard in (("before", raw[:first]), ("behind", raw[end:])):
                if np.any(guard != 0xFF):
                    return [("WRITES-OUTSIDE", f"memory {words} {what} was written to")]
        return []


def _where(error):
    frames = [f for f in traceback.extract_tb(sys.exc_info()[2]) if not f.filename.startswith(_OURS)]
    place = f", line {frames[-1].lineno} of {frames[-1].name}" if frames else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}{place}"


def _soil(shapes, number):
    """Fill memory of the results' sizes and give it back: what np.empty finds next."""
    perturb = _mallopt()
    if perturb:
        perturb(_M_PERTURB, _PERTURB[number])
    held = [np.full(shape, _FILL[number], np.float32) for shape in shapes for _ in range(8)]
    del held


@lru_cache(maxsize=1)
def _mallopt():
    """glibc's function in a process that is the kernel's own; else None."""
    if multiprocessing.parent_process() is None:
        return None
    return getattr(ctypes.CDLL(None), "mallopt", None)


def _taken(given, form):
    """([array or None], faults): the results as arrays of the right number, type and shape."""
    several = isinstance(given, (tuple, list))
    items = list(given) if several else [given]
    if len(items) != len(form.names):
        return [], [("WRONG-COUNT", f"{len(items)} results came, wanted {len(form.names)}: {', '.join(form.names)}")]
    found, faults = [], []
    for name, shape, item in zip(form.names, form.shapes, items, strict=True):
        if item is None and len(items) > 1:
            found.append(None)
            continue
        try:
            a = np.asarray(item)
        except Exception:
            a = np.asarray(None)
        if a.dtype.kind not in "fiubc":
            faults.append(("WRONG-TYPE", f"{name} is {type(item).__name__}, wanted an array of float32"))
        elif a.shape != shape:
            faults.append(("WRONG-SHAPE", f"{name} has shape {a.shape}, wanted {shape}"))
        elif a.dtype != np.float32:
            faults.append(("WRONG-DTYPE", f"{name} is {a.dtype}, wanted float32"))
        found.append(a)
    if all(a is None for a in found):
        faults.append(("WRONG-COUNT", f"no result came, wanted {', '.join(form.names)}"))
    return found, faults


def _changes(arrays, arguments):
    changed = [k for k, (a, b) in enumerate(zip(arrays, arguments, strict=True))
               if a is not None and a.tobytes() != b.tobytes()]  # fmt: skip
    return [("CHANGES-ARGUMENT", f"argument {', '.join(map(str, changed))} was changed by the call")] if changed else []


def _views(found, arguments, form):
    return [
        ("RETURNS-VIEW", f"{name} shares memory with argument {k}")
        for name, a in zip(form.names, found, strict=True)
        for k, b in enumerate(arguments)
        if a is not None and b is not None and a.size and np.may_share_memory(a, b)
    ]


def _repeats(fn, arrays, options, form, found, saved):
    """What a second call with the same arguments shows."""
    given, _ = _call(fn, arrays, options, form, 1)
    again, wrong = _taken(given, form)
    if wrong:
        return [("NOT-DETERMINISTIC", f"a second call with the same arguments: {wrong[0][1]}")]
    pairs = [(name, a, b, s) for name, a, b, s in zip(form.names, found, again, saved, strict=True)
             if a is not None and b is not None and a.size]  # fmt: skip
    faults = []
    for name, a, b, s in pairs:
        if not form.takes_out and np.may_share_memory(a, b):
            faults.append(("REUSES-BUFFER", f"{name} of a second call lies in the memory of the first call's"))
        elif a.tobytes() != s.tobytes():
            faults.append(("REUSES-BUFFER", f"{name} changed while another call ran"))
    for name, _, b, s in pairs:
        faults += _differs(name, s, b, form)
    return faults


def _differs(name, first, second, form):
    other = first.view(np.uint32) != np.ascontiguousarray(second).view(np.uint32)
    other &= ~((first == 0) & (second == 0))
    if not other.any():
        return []
    one, two = first[other].astype(np.float64), second[other].astype(np.float64)
    stale = ~(np.maximum(np.abs(one), np.abs(two)) < _WEIRD) & ~(np.abs(one - two) < np.abs(two) / 2)
    count = int(np.count_nonzero(other))
    if stale.any():
        return [("UNINITIALISED", f"{count} elements of {name} follow what its memory held before the call")]
    if not form.is_repeatable:
        return []
    return [("NOT-DETERMINISTIC", f"{count} elements of {name} differ between two calls with the same arguments")]
