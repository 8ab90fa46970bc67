"""`refmnas kit`: conformance kits in plain files, for implementations in any language."""

from __future__ import annotations

import json
import shlex

from ._output import Output, Progress, add_json, bold, table

_RUN_S = 60.0


def add(subparsers):
    command = subparsers.add_parser(
        "kit",
        help="conformance kits in plain files: make one, check answers, run a program over our cases",
        description="A kit is a folder of inputs, weights, expected values (float64) and bounds per element, forward and "
        "backward, with a manifest of hashes; the same bytes on every machine.  `check` judges what an implementation "
        "answered; `run` calls a program case by case, and shrinks the first failure.  Exit 0 within-rounding, 1 fault, "
        "2 usage, 3 inconclusive.  Every action takes --json.",
        epilog="Example: refmnas kit make --ops depthwise,conv.backward --out kit; refmnas kit check kit answers",
    )
    actions = command.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=type(command))
    _add_make(actions)
    _add_check(actions)
    _add_run(actions)
    command.set_defaults(run=run)


def _add_make(actions):
    make = actions.add_parser(
        "make",
        help="write a kit into a new folder",
        description="Cases of each function, every kind of data in turn, and whole small networks step by step.",
        epilog="Example: refmnas kit make --ops pointwise,batchnorm --networks mnasnet-small --out kit",
    )
    make.add_argument("--out", required=True, metavar="DIR", help="the folder, new or empty")
    _add_ops(make, "all, unless --networks")
    make.add_argument("--networks", default="", metavar="LIST", help="names that `refmnas show` lists (none)")
    make.add_argument("--size", type=int, default=32, metavar="N", help="of a network's image, in pixels (32)")
    make.add_argument("--width", type=float, default=0.35, metavar="W", help="of a network (0.35)")
    make.add_argument("--cases", type=int, default=24, metavar="N", help="of each function (24)")
    make.add_argument("--seed", type=int, default=0, metavar="S", help="the first case's seed (0)")
    _add_form(make)
    add_json(make)


def _add_check(actions):
    check = actions.add_parser(
        "check",
        help="judge the answers to a kit",
        description="ANSWERS is a folder with NAME.safetensors or NAME.npz per case, or one file with arrays NAME/y.",
        epilog="Example: refmnas kit check kit answers --json=report.json",
    )
    check.add_argument("kit", metavar="DIR")
    check.add_argument("answers", metavar="ANSWERS")
    add_json(check)


def _add_run(actions):
    run_ = actions.add_parser(
        "run",
        help="run a program over our cases, and shrink its first failure",
        description="The program is run for each case with {case} (JSON), {in} and {out} (files of arrays) filled in; "
        "exit code 77 declines a case.",
        epilog="Example: refmnas kit run --command './mine {case} {in} {out}' --ops depthwise.forward",
    )
    run_.add_argument("--command", dest="line", required=True, metavar="LINE", help="with {in}, {out}, perhaps {case}")
    _add_ops(run_, "all")
    run_.add_argument("--cases", type=int, default=30, metavar="N", help="of each function (30)")
    run_.add_argument("--seed", type=int, default=0, metavar="S", help="the first case's seed (0)")
    run_.add_argument("--seconds", type=float, default=_RUN_S, metavar="T", help="for each function (60)")
    run_.add_argument("--limit", type=float, default=10.0, metavar="T", help="seconds for one run of the program (10)")
    run_.add_argument("--case", metavar="LINE", help="one case, as a failure prints it")
    run_.add_argument("--data", metavar="KIND", help="one kind of data, as a failure prints it")
    run_.add_argument("--keep", metavar="JSON", help="elements that are not set to 0, as a failure prints them")
    run_.add_argument("--large", action="store_true", help="instead: arrays of more than 2 GiB, at sampled outputs")
    _add_form(run_)
    add_json(run_)


def _add_ops(command, default):
    command.add_argument("--ops", default="", metavar="LIST", help=f"ops, or functions as conv.backward ({default})")


def _add_form(command):
    command.add_argument("--layout", choices=("NHWC", "NCHW"), default="NHWC", help="of arrays with image axes (NHWC)")
    command.add_argument("--format", choices=("safetensors", "npz"), default="safetensors", help="of the files (safetensors)")


def run(args):
    return {"make": _make, "check": _check, "run": _run}[args.action](args)


def _listed(text):
    return [name for name in text.split(",") if name]


def _progress(what):
    """A progress line, made when the number of steps is known; and what ends it."""
    lines: list[Progress] = []

    def tell(done, total, note):
        if not lines:
            lines.append(Progress(total, what))
        lines[0].done = done
        lines[0].note(note)

    return tell, lambda: lines and lines[0].end()


def _make(args):
    from ..verify import kit

    tell, end = _progress("cases")
    try:
        record = kit.make(args.out, ops=_listed(args.ops), nets=_listed(args.networks), cases=args.cases, seed=args.seed,
                          layout=args.layout, form=args.format, size=args.size, width=args.width, tell=tell)  # fmt: skip
    finally:
        end()
    rows = record["cases"]
    out = Output(args)
    functions = list(dict.fromkeys(row["function"] for row in rows))
    out.say(f"{args.out}: {len(rows)} cases of {len(functions)} functions, manifest.json and {2 * len(rows)} files")
    out.record({"folder": args.out, "cases": len(rows), "functions": functions, "layout": record["layout"]})
    return 0


def _check(args):
    from ..verify import kit

    tell, end = _progress("cases")
    try:
        found = kit.check(args.kit, args.answers, tell=tell)
    finally:
        end()
    out = Output(args)
    out.say(bold(f"{found.verdict}: {sum(map(len, found.margins.values()))} cases answered"))
    record = found.to_dict()
    rows = [(r["function"], r["answered"], r["margin"] if isinstance(r["margin"], str) else f"{r['margin']:.3f}")
            for r in record["functions"]]  # fmt: skip
    out.say(*table(("function", "answered", "margin"), rows))
    for fault in found.faults[:10]:
        out.say("", f"{fault['case']}: {fault['code']}: {fault['words']}", f"  {fault['problem']} ({fault['data']})")
    for words, names in (("wrong", [f["case"] for f in found.faults][10:]), ("missing", found.missing),
                         ("answered and not asked for", found.unknown)):  # fmt: skip
        if names:
            more = ", ..." if len(names) > 6 else ""
            out.say("", f"{len(names)}{' more' if words == 'wrong' else ''} {words}: {', '.join(names[:6])}{more}")
    out.record(record)
    return found.exit_code


def _run(args):
    from ..errors import SpecError
    from ..verify import kit
    from ..verify.kit.make import functions

    chosen = functions(_listed(args.ops))
    if args.case and len(chosen) != 1:
        raise SpecError(f"kit: --case with {len(chosen)} functions, wanted --ops with the one that it is of")
    reports = [_one(args, kit, function) for function in chosen]
    out = Output(args)
    out.say(*(str(report) for report in reports))
    verdicts = [report.verdict for report in reports]
    verdict = next(v for v in ("fault", "inconclusive", "within-rounding") if v in verdicts)
    out.record({"verdict": verdict, "functions": [report.to_dict() for report in reports]})
    return {"fault": 1, "inconclusive": 3, "within-rounding": 0}[verdict]


def _one(args, kit, function):
    from ..errors import SpecError
    from ..verify import op
    from ..verify.callables.report import Report

    tell, end = _progress(function)
    keep = _kept(args.keep)
    try:
        kernel = kit.command(args.line, function, args.layout, args.format, args.limit * (30 if args.large else 1))
        report = op(function, kernel, layout=args.layout, cases=args.cases, seed=args.seed, seconds=args.seconds,
                    limit_s=2 * args.limit + 5, case=args.case, data=args.data, keep=keep, large=args.large,
                    tell=tell)  # fmt: skip
        if report.fault:
            report.fault["again"] = _again(args, function, report.fault)
        return report
    except SpecError as error:
        if "takes no layout" not in str(error):
            raise
        return Report(function, args.layout, reason="no image axes, so no layout: left out")
    finally:
        end()


def _again(args, function, fault):
    """The failure as a command line."""
    words = ["refmnas", "kit", "run", "--command", args.line, "--ops", function]
    words += ["--large"] if args.large else ["--case", fault["case"], "--data", fault["data"]]
    words += ["--layout", args.layout] * (args.layout != "NHWC") + ["--format", args.format] * (args.format != "safetensors")
    return shlex.join([*words, *(["--keep", json.dumps(fault["keep"])] if fault["keep"] else [])])


def _kept(text):
    from ..errors import SpecError

    if text is None:
        return None
    try:
        found = json.loads(text)
        return {str(name): [int(place) for place in places] for name, places in found.items()}
    except (ValueError, AttributeError, TypeError):
        raise SpecError(f"kit: --keep is {text[:60]!r}, wanted JSON such as {{\"x\": [0]}}") from None

