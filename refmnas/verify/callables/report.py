"""What is known of a kernel after a run: a verdict, the first failure, and what was not tried.

As data (`to_dict`, `to_json`; numbers that are not finite are texts):

    function, layout   what was judged
    verdict            "within-rounding", "fault" or "inconclusive"; reason: in a word why
    margin             the largest error / bound of what passed
    cases, judged      how many, and {kind of data: problems}; declined: by NotImplementedError
    fault              null, or the first failure: code (of CODES), words, also (further codes), cause (null, or
                       code and words), where; the smallest case that fails so: case, data, keep, inputs, result,
                       index, came, want, bound, margin, bad of size elements; first_case, as it was found;
                       again, the line that repeats it
    blind              what this run did not try, in words
    seconds            what it took
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field

CODES = {
    "RAISES": "the kernel raised", "HANGS": "no answer within the limit", "CRASHES": "the process ended",
    "WRONG-COUNT": "another number of results", "WRONG-TYPE": "no array", "WRONG-SHAPE": "an array of another shape",
    "WRONG-DTYPE": "an array of another type", "CHANGES-ARGUMENT": "an argument was written to",
    "WRITES-OUTSIDE": "memory beside an array was written to",
    "RETURNS-VIEW": "a result is a view of an argument", "REUSES-BUFFER": "results of two calls share memory",
    "UNINITIALISED": "a result has what its memory held before", "NOT-DETERMINISTIC": "two calls, two answers",
    "NOT-FINITE": "NaN or infinity where the answer is finite", "WRONG-VALUES": "beyond the bound",
}  # fmt: skip


@dataclass
class Report:
    """`verdict` is within-rounding, fault or inconclusive; `exit_code` 0, 1 or 3."""

    function: str
    layout: str
    verdict: str = "inconclusive"
    reason: str = ""
    margin: float = 0.0  # the largest error / bound of what passed
    cases: int = 0
    judged: dict[str, int] = field(default_factory=dict)  # kind of data -> problems judged
    declined: int = 0
    fault: dict | None = None
    blind: list[str] = field(default_factory=list)  # what this run did not try
    seconds: float = 0.0

    @property
    def exit_code(self):
        """Of a program: 0 within-rounding, 1 fault, 3 inconclusive."""
        return {"within-rounding": 0, "fault": 1, "inconclusive": 3}[self.verdict]

    def to_dict(self):
        """The same as data; numbers that are not finite as text."""
        return {
            "function": self.function, "layout": self.layout, "verdict": self.verdict, "reason": self.reason,
            "margin": number(self.margin), "cases": self.cases, "judged": dict(self.judged), "declined": self.declined,
            "fault": self.fault, "blind": list(self.blind), "seconds": round(self.seconds, 2),
        }  # fmt: skip

    def to_json(self):
        """`to_dict` as a text."""
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def __str__(self):
        lines = [f"{self.function} ({self.layout}): {self.verdict}" + (f", {self.reason}" if self.reason else "")]
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.judged.items())
        lines.append(f"  tried      {self.cases} cases in {self.seconds:.1f} s: {kinds or 'nothing judged'}")
        if self.fault is None:
            lines.append(f"  margin     {self.margin:.3f}: the largest error / bound")
        else:
            lines += _fault(self.fault)
        lines += [f"  {'not tried' if k == 0 else '':<10} {text}" for k, text in enumerate(self.blind)]
        return "\n".join(lines)


def _fault(fault):
    yield f"  fault      {fault['code']}: {fault['words']}"
    if fault["also"]:
        yield f"  also       {', '.join(fault['also'])}"
    if fault["cause"]:
        yield f"  cause      {fault['cause']['code']}: {fault['cause']['words']}"
    if fault["where"]:
        yield f"  where      {fault['where']}"
    yield f"  smallest   {fault['case']} ({fault['data']})"
    for text in fault["inputs"]:
        yield f"             {text}"
    yield f"  again      {fault['again']}"


def number(value):
    """A number of JSON, or its name."""
    return value if math.isfinite(value) else str(value)
