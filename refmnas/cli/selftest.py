"""`refmnas selftest`: the proofs, on this machine."""

from __future__ import annotations

import re

from ..errors import KernelError, SpecError
from ._output import Output, Progress, add_json, table


def add(subparsers):
    command = subparsers.add_parser(
        "selftest",
        help="prove every op exact, within its bound and adjoint, here",
        description="Walks the cases of every op on every text that is built here.  Exit 1 where one fails; "
        "its line reproduces it with --case.",
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
    rows, failures = [], []
    for op, drawn in chosen.items():
        proofs, margin = 0, 0.0
        for case in drawn:
            for outcome in _proofs(args, op, case):
                proofs, margin = proofs + 1, max(margin, outcome.margin)
                if not outcome.holds:
                    failures.append(outcome.detail)
            progress.step(op)
        bad = sum(text.startswith(op + ".") or f"of {op}." in text for text in failures)
        rows.append((op, len(drawn), proofs, f"{margin:.3f}", "FAILED" if bad else "proved"))
    progress.end()
    out = Output(args)
    out.say(*table(("op", "cases", "proofs", "margin", "verdict"), rows), *failures[:20])
    if failures:
        out.say(f"{len(failures)} proofs failed")
    keys = ("op", "cases", "proofs", "margin", "verdict")
    out.record({"ops": [dict(zip(keys, row, strict=True)) for row in rows], "failures": failures})
    return 1 if failures else 0


def _proofs(args, op, case):
    """Every proof of one case, on every text asked for."""
    from ..cases import CLAIMS, prove

    for claim in CLAIMS[op]:
        for backend, isa in prove.implementations(claim.function):
            if args.backend not in (None, backend) or (args.isa and isa not in (None, args.isa)):
                continue
            with prove.on(isa):
                for proof in (prove.exactly, prove.within_bound, prove.adjointly):
                    outcome = proof(claim, case, backend)
                    if outcome is not prove.NOT_CLAIMED:
                        yield outcome
