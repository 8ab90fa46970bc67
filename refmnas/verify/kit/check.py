"""What an implementation answered, held to a kit's expected values and bounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ... import io
from ...errors import FormatError
from ..callables.problem import margins
from ..callables.report import number
from . import files


@dataclass
class Checked:
    """`verdict`: fault where an answer is wrong, else inconclusive where one is missing, else within-rounding."""

    margins: dict[str, list[float]] = field(default_factory=dict)  # function -> of each case that was answered
    faults: list[dict] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)  # "case/result"
    unknown: list[str] = field(default_factory=list)  # answers that no case asked for

    @property
    def verdict(self):
        """The whole kit's."""
        if self.faults:
            return "fault"
        return "inconclusive" if self.missing or not self.margins else "within-rounding"

    @property
    def exit_code(self):
        """Of a program: 0 within-rounding, 1 fault, 3 inconclusive."""
        return {"within-rounding": 0, "fault": 1, "inconclusive": 3}[self.verdict]

    def to_dict(self):
        """As data; margins without an upper limit as text."""
        rows = [{"function": function, "answered": len(found), "margin": number(max(found))}
                for function, found in self.margins.items()]  # fmt: skip
        return {"verdict": self.verdict, "functions": rows, "faults": self.faults, "missing": self.missing,
                "unknown": self.unknown}  # fmt: skip


def check(folder, answers, tell=None):
    """Judge `answers` by the kit in `folder`: a Checked.

    `answers` is a folder with one file per case, NAME.npz or NAME.safetensors, whose arrays have the
    names of the results (y, or dx, dw, db, ...); or one such file whose arrays are named NAME/y.

    Shapes   those of the expected values.
    Units    none.
    Dtypes   float32; anything else is a fault.
    Raises   FormatError for a folder that is no kit, a file that is not the one that was made (by
             its hash), and answers that cannot be read.
    Error    none of its own: |answer - expected| <= bound, element by element.
    """
    manifest = files.read_manifest(folder)
    source = _Answers(Path(answers), manifest["suffix"])
    found = Checked()
    for done, row in enumerate(manifest["cases"]):
        files.load(folder, row["in"])
        _case(found, row, files.load(folder, row["want"]), source.of(row["name"]))
        if tell:
            tell(done + 1, len(manifest["cases"]), row["name"])
    found.unknown = source.left([row["name"] for row in manifest["cases"]])
    return found


class _Answers:
    """One file of all answers, or a folder of files."""

    def __init__(self, path, suffix):
        self.path, self.is_folder, self.whole = path, path.is_dir(), {}
        self.suffixes = [suffix, *(s for s in files.SUFFIXES.values() if s != suffix)]
        if not self.is_folder:
            if not path.exists():
                raise FormatError(f"kit: {path} is missing, wanted a folder of answers or one file of them")
            for name, a in io.load(path).items():
                case, _, result = name.rpartition("/")
                self.whole.setdefault(case, {})[result] = a

    def of(self, name):
        """{result: array} of a case; empty where there is none."""
        if not self.is_folder:
            return self.whole.get(name, {})
        for suffix in self.suffixes:
            if (self.path / f"{name}{suffix}").is_file():
                return io.load(self.path / f"{name}{suffix}")
        return {}

    def left(self, names):
        """Cases that were answered and never asked for."""
        known = set(names)
        given = [f.name.removesuffix(f.suffix) for f in self.path.iterdir() if f.suffix in self.suffixes] \
            if self.is_folder else list(self.whole)  # fmt: skip
        return sorted(name for name in given if name not in known)


def _case(found, row, expected, answered):
    """Judge each result of one case."""
    worst = None
    for name in row["results"]:
        if name not in answered:
            found.missing.append(f"{row['name']}/{name}")
            continue
        code, words, margin = _result(name, answered[name], expected[name], expected[f"{name}.bound"])
        worst = margin if worst is None else max(worst, margin)
        if code:
            found.faults.append({"case": row["name"], "function": row["function"], "code": code, "words": words,
                                 "problem": row["case"], "data": row["data"], "options": row["options"]})  # fmt: skip
    if worst is not None:
        found.margins.setdefault(row["function"], []).append(worst)


def _result(name, got, want, bound):
    """(code or "", words, margin)."""
    if got.shape != want.shape:
        return "WRONG-SHAPE", f"{name} has shape {got.shape}, wanted {want.shape}", np.inf
    if got.dtype != np.float32:
        return "WRONG-DTYPE", f"{name} is {got.dtype}, wanted float32", np.inf
    if got.size == 0:
        return "", "", 0.0
    margin = margins(got, want, bound)
    at = np.unravel_index(int(np.argmax(margin)), margin.shape)
    if margin[at] <= 1:
        return "", "", float(margin[at])
    code = "WRONG-VALUES" if np.isfinite(got[at]) else "NOT-FINITE"
    bad = int(np.count_nonzero(margin > 1))
    words = (f"{name}{list(map(int, at))} is {got[at]:.9g}, wanted {want[at]:.9g} +- {bound[at]:.3g}; "
             f"{bad} of {got.size} elements wrong")  # fmt: skip
    return code, words, float(margin[at])
