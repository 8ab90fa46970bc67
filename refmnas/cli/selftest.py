"""`refmnas selftest`: the proofs, on this machine."""

from __future__ import annotations

import math
import re
import shlex

from ..errors import KernelError, SpecError
from ._output import Output, Progress, add_json, bold, table


def add(subparsers):
    command = subparsers.add_parser(
        "selftest",
        help="prove every op exact, within its bound and adjoint, here",
        description="Walks the cases of every op on every text that is built here: exact on whole numbers, within "
        "the derived bound on real ones, backward the transpose and the derivative of forward.  Exit 1 where one "
        "fails; its line reproduces it with --case.",
        epilog="Example: refmnas selftest --op depthwise --backend c --isa avx2",
    )
    command.add_argument("--op", default="", metavar="REGEX", help="ops whose name matches (all)")
    command.add_argument("--backend", choices=("c", "numpy"), help="this text alone (all)")
    command.add_argument("--isa", metavar="NAME", help="this instruction set alone (all usable)")
    command.add_argument("--cases", type=int, default=60, metavar="N", help="cases of each op (60)")
    command.add_argument("--seed", type=int, default=0, metavar="S", help="the first case's seed (0)")
    command.add_argument("--case", metavar="LINE", help="one case, as a failure prints it")
    add_json(command)
    command.set_defaults(run=run)


def run(args):
    from .. import cases, kernels

    if args.isa and args.isa not in kernels.isas():
        raise KernelError(f"selftest: isa {args.isa!r}, usable here: {', '.join(kernels.isas()) or 'none'}")
    if args.backend == "c" and not kernels.built():
        raise KernelError(f"selftest: the C extension is not built ({kernels.why_not()})")
    if args.cases < 1:
        raise SpecError(f"selftest: --cases is {args.cases}, wanted at least 1")
    if args.case:
        case = cases.parse(args.case)
        chosen = {case.OP: [case]}
    else:
        ops = [op for op in cases.OPS if _matches(args.op, op)]
        if not ops:
            raise SpecError(f"selftest: no op matches {args.op!r}; there are {', '.join(cases.OPS)}")
        chosen = {op: [cases.draw(op, args.seed + k) for k in range(args.cases)] for op in ops}
    return _report(args, chosen)


def _matches(pattern, op):
    try:
        return re.search(pattern, op) is not None
    except re.error as error:
        raise SpecError(f"selftest: --op {pattern!r} is no regular expression: {error}") from None


def _report(args, chosen):
    progress = Progress(sum(map(len, chosen.values())), "cases")
    reports = []
    for op, drawn in chosen.items():
        reports.append(Report(op, len(drawn)))
        for case in drawn:
            reports[-1].add(case, _proofs(args, op, case))
            progress.step(op)
    progress.end()
    reports = [report for report in reports if report.proofs]
    if not reports:
        raise SpecError(f"selftest: no proof of {', '.join(chosen)} on the text asked for")
    out, failed = Output(args), [r for r in reports if r.failures]
    rows = [(r.op, r.cases, r.proofs, f"{r.margin:.3f}", r.texts, r.verdict) for r in reports]
    out.say(*table(("op", "cases", "proofs", "margin", "texts", "verdict"), rows))
    for report in failed:
        out.say("", bold(f"{report.op}: {len(report.failures)} proofs failed"))
        for detail, case in report.failures[:5]:
            out.say(f"  {detail}", f"  again: refmnas selftest --case {shlex.quote(case)}")
    if not failed:
        out.say("", "margin: the largest error / bound on real numbers; above 1 is a failure (refmnas explain proofs)")
    out.record({"ops": [r.record() for r in reports], "holds": not failed})
    return 1 if failed else 0


class Report:
    """What the proofs of one op came to."""

    def __init__(self, op, cases):
        self.op, self.cases = op, cases
        self.proofs, self.margin = 0, 0.0
        self.seen: dict[str, None] = {}  # the texts that ran, in order
        self.failures: list[tuple[str, str]] = []  # what failed, and the case as a line

    def add(self, case, outcomes):
        """Count the outcomes of one case."""
        for text, outcome in outcomes:
            self.proofs += 1
            self.seen[text] = None
            self.margin = max(self.margin, outcome.margin)
            if not outcome.holds:
                self.failures.append((f"{text}: {outcome.detail}", str(case)))

    @property
    def texts(self):
        """The texts that were judged."""
        return ", ".join(self.seen)

    @property
    def verdict(self):
        """Whether every proof held."""
        return "FAILED" if self.failures else "proved"

    def record(self):
        """The same as data; a margin without an upper limit is null."""
        return {
            "op": self.op,
            "cases": self.cases,
            "proofs": self.proofs,
            "margin": self.margin if math.isfinite(self.margin) else None,
            "texts": list(self.seen),
            "verdict": self.verdict,
            "failures": [{"detail": detail, "case": case} for detail, case in self.failures],
        }


def _proofs(args, op, case):
    """(text, outcome) of every proof of one case, on every text asked for."""
    from ..cases import CLAIMS, gradient, prove

    for claim in CLAIMS[op]:
        for backend, isa in prove.implementations(claim.function):
            if args.backend not in (None, backend) or (args.isa and isa not in (None, args.isa)):
                continue
            proofs = [prove.exactly, prove.within_bound, prove.adjointly]
            if backend == "numpy":  # C is float32 alone; differences need float64
                proofs.append(gradient.by_differences)
            with prove.on(isa):
                for proof in proofs:
                    outcome = proof(claim, case, backend)
                    if outcome is not prove.NOT_CLAIMED:
                        yield f"C {isa}" if isa else "NumPy", outcome
