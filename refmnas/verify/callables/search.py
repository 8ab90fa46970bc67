"""The search for a first failure, and its report."""

from __future__ import annotations

import time

from ... import cases as all_cases
from ...backend import TABLE
from ...cases import CASES, prove
from ...errors import DtypeError, SpecError
from ...layout import check as check_layout
from . import choose, describe, naming
from .child import Runner
from .data import DATA
from .data import kinds as data_kinds
from .judge import VALUES, judge
from .large import Large, sampled
from .large import problems as large_problems
from .problem import Problem
from .report import Report, number
from .shrink import shrunk

_SHRINKING_S = 15.0
_LARGE_S = 300.0  # at least, for one call with arrays of gigabytes
_NEVER = (
    "strided, misaligned or overlapping arrays, several threads, reads beside the arrays that change nothing, "
    "NaN or infinity as input"
)


def op(function, fn, *, layout="NHWC", cases=120, seed=0, limit_s=10.0, seconds=60.0, out=False, deterministic=True,
       only=None, case=None, data=None, keep=None, large=False, tell=None):  # fmt: skip
    """Judge `fn` as an implementation of `function`: a Report with verdict, first failure and blind spots.

    `fn(*arrays, **options)` is called with the arrays and options of `refmnas.ops`' function of
    that name, float32, C-contiguous, in `layout`, and returns its result, or the tuple of its
    results (None for those that it does not compute).  Options that `fn` does not take stay at
    their defaults; a case that it refuses by NotImplementedError is left out and counted.  With
    out=True results go to `out=` (a tuple of arrays where there are several).  The first failure
    is made as small as it can be; `case`, `data` and `keep` bring back exactly that one.
    With large=True instead one problem of more than 2 GiB, judged at sampled outputs; tell(0, 1, note) says before it
    starts how much memory it takes, and SpecError where the machine has less.

    Shapes   those of the function's own documentation, or of its layout NCHW.
    Units    `limit_s` seconds for one problem, which is called twice; `seconds` for the search,
             after which the first failure is shrunk in at most 15.
    Dtypes   float32 in, float32 out; labels int64.
    Raises   SpecError for a function, layout, field, kind or case that is not there; DtypeError
             where `fn` cannot be called.
    Error    none of its own: a fault is one by the oracle in float64 and the derived bound, which
             holds for sums of the products themselves, not for Winograd's or Fourier's others.

    >>> from refmnas.ops import gate
    >>> op("gate.forward", lambda x, g: x * g[:, None, None, :], cases=4).verdict
    'within-rounding'
    >>> op("gate.forward", lambda x, g: x + g[:, None, None, :], cases=4).verdict
    'fault'
    """
    _check(function, fn, layout, cases, limit_s, seconds, data)
    limit_s = max(limit_s, _LARGE_S) if large else limit_s
    start = time.monotonic()
    taken = choose.options_taken(function, fn)
    runner = Runner(_with(fn, taken), limit_s)
    search = _Search(function, layout, runner, out, deterministic, start, seconds, tell)
    try:
        if case is not None:
            search.over(_given(function, layout, case, data, keep), 1)
        elif large:
            (problem,) = large_problems(function, layout, taken)
            if tell is not None:
                tell(0, 1, f"arrays and result of {problem.memory / 2**30:.1f} GiB, beside the kernel's own memory")
            runner.fn, runner.patience_s = sampled(runner.fn, problem), limit_s  # a crash is what is looked for
            search.over([problem], 1)
            search.found.blind.append("all but sampled outputs of one problem of more than 2 GiB; arrays of 2^31 elements")
        else:
            own = choose.domain(function, only, choose.fixed(function, taken))
            chosen = choose.problems(function, layout, own, only, cases, seed)
            search.over((p for p in chosen if data in (None, p.data)), cases)
            search.cut(own, taken, only)
    finally:
        runner.end()
    return search.report()


def _with(fn, taken):
    """`fn`, handed no option that it does not take: those are at their defaults."""

    def call(*arrays, **options):
        return fn(*arrays, **{name: value for name, value in options.items() if name in taken or name == "out"})

    return call


def _check(function, fn, layout, cases, limit_s, seconds, data):
    if function not in TABLE:
        raise SpecError(f"verify.op: no function {function!r}, wanted one of {', '.join(sorted(TABLE))}")
    if not callable(fn):
        raise DtypeError(f"verify.op: fn is {type(fn).__name__}, wanted something to call")
    check_layout(layout, "verify.op")
    if layout != "NHWC" and not TABLE[function].turns:
        raise SpecError(f"verify.op: {function} takes no layout; its arrays have no image axes")
    if cases < 1 or not limit_s > 0 or not seconds > 0:
        given = f"cases={cases}, limit_s={limit_s}, seconds={seconds}"
        raise SpecError(f"verify.op: {given}; wanted at least 1 case and positive times")
    if data is not None and data not in DATA:
        raise SpecError(f"verify.op: data is {data!r}, wanted one of {', '.join(DATA)}")


def _given(function, layout, line, data, keep):
    """The one problem that a failure's line describes."""
    case = all_cases.parse(line) if isinstance(line, str) else line
    if function.partition(".")[0] != case.OP:
        raise SpecError(f"verify.op: the case is one of {case.OP}, wanted one of {function}")
    kept = tuple(sorted((name, tuple(places)) for name, places in (keep or {}).items()))
    problem = Problem(function, case, data or "reals", layout, kept)
    if not problem.is_valid():
        raise SpecError(f"verify.op: {function} has no result of this case, data {data} and layout {layout}: {case}")
    whole = Problem(function, case, problem.data, layout).ours
    for name, places in kept:
        if whole.get(name) is None or not all(0 <= k < whole[name].size for k in places):
            raise SpecError(f"verify.op: keep has {name!r}: {places}, wanted flat places in arrays of {case}")
    return [problem]


class _Search:
    """One kernel's run."""

    def __init__(self, function, layout, runner, out, deterministic, start, seconds, tell):
        self.runner, self.tell = runner, tell or (lambda done, total, note: None)
        self.how = {"takes_out": out, "is_repeatable": deterministic}
        self.start, self.end = start, start + seconds
        self.found = Report(function, layout)
        self.absent, self.seen, self.kinds = set(), {}, set()

    def over(self, problems, total):
        """Judge until the first failure, or the end of the time."""
        last = None
        for problem in problems:
            if time.monotonic() > self.end:
                self.found.blind.append(f"the rest of {total} cases: the time was up after {self.found.cases}")
                break
            if problem.case is not last:
                last, self.found.cases = problem.case, self.found.cases + 1
            if not isinstance(problem, Large):
                self.kinds |= set(data_kinds(problem.claim, problem.case))
            self.tell(self.found.cases, total, f"{problem.data} {problem.case}")
            if self._one(problem):
                return

    def _one(self, problem):
        """Whether it fails."""
        judged = judge(problem, self.runner, **self.how)
        if judged.declined:
            self.found.declined += 1
            self.why = judged.declined
            return False
        if judged.failure:
            return self._failed(problem, judged.failure)
        self.found.judged[problem.data] = self.found.judged.get(problem.data, 0) + 1
        self.found.margin = max(self.found.margin, judged.margin)
        self.absent |= set(judged.absent)
        for name in getattr(problem.case, "__dict__", ()):
            self.seen.setdefault(name, set()).add(getattr(problem.case, name))
        return False

    def _failed(self, problem, failure):
        """Shrink it, prove it by the oracle, describe it."""
        is_large = isinstance(problem, Large)
        cause = naming.name(problem, failure) if failure.wrong and not is_large else ("", "")
        where = naming.where(failure) if failure.wrong and not is_large else ""
        at = f"{where} (of {problem.case}, {problem.data})" if where else ""

        def fails(candidate):
            other = judge(candidate, self.runner, **self.how).failure
            return other is not None and describe.way(other) == describe.way(failure)

        smallest = problem if is_large else shrunk(problem, fails, _SHRINKING_S, failure.code in VALUES)
        known = smallest.proved() if failure.code in VALUES else None
        shown = judge(smallest, self.runner, **self.how, want=known).failure
        if shown is None:  # it does not fail again: what was seen once stands as it was
            smallest, shown = problem, failure
        if is_large and shown.at:
            shown = problem.placed(shown)
        self.found.verdict, self.found.reason = "fault", shown.code
        self.found.fault = {
            "code": shown.code, "words": shown.words, "also": list(shown.also),
            "cause": {"code": cause[0], "words": cause[1]} if cause[0] else None, "where": at,
            "case": str(smallest.case), "data": smallest.data, "keep": {name: list(p) for name, p in smallest.keep},
            "result": shown.result, "index": list(shown.at), "came": number(shown.came), "want": number(shown.want),
            "bound": number(shown.bound), "margin": number(shown.margin), "bad": shown.bad, "size": shown.size,
            "inputs": describe.inputs(smallest), "first_case": str(problem.case),
            "again": describe.line(smallest, self.how["takes_out"]),
        }  # fmt: skip
        return True

    def cut(self, own, taken, only):
        """The blind spots of a search that ran to its end."""
        blind = self.found.blind
        options = prove.takes_options(self.found.function)
        for name in options:
            if name not in taken and name in own:
                blind.append(f"{name}: the kernel does not take it; only {own[name][0]} was tried")
        for name in only or {}:
            blind.append(f"{name} other than {', '.join(map(str, own[name]))}")
        if self.found.fault is None:
            full = CASES[self.found.function.partition(".")[0]].DOMAIN
            for name in [name for name in own if name not in (only or {}) and (name in taken or name not in options)]:
                missed = [v for v in full[name] if v not in self.seen.get(name, ())]
                if missed and len(own[name]) > 1:
                    blind.append(f"{name} = {', '.join(map(str, missed))}")

    def report(self):
        """The verdict, and what no run of this kind tries."""
        found = self.found
        found.blind += self.runner.notes
        if found.declined:
            found.blind.append(f"{found.declined} problems that the kernel declined, the last: {self.why[:100]}")
        if self.absent:
            found.blind.append(f"{', '.join(sorted(self.absent))}: the kernel does not compute it")
        kinds = [kind for kind in DATA if kind not in found.judged and kind in (*self.kinds, "denormals", "extremes")]
        if kinds:
            found.blind.append(f"data: {', '.join(kinds)}")
        found.blind.append(_NEVER)
        found.seconds = time.monotonic() - self.start
        if found.fault is None:
            enough = found.judged.get("reals", 0) + found.judged.get("hard", 0) + found.judged.get("integers", 0)
            found.verdict = "within-rounding" if enough else "inconclusive"
            found.reason = "" if enough else "no problem was judged"
        return found
