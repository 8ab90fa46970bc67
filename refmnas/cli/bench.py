"""`refmnas bench`: whole networks, their steps, or single ops, against other runtimes."""

from __future__ import annotations

import shlex
import sys

from ._output import Output, Progress, add_json, bold, complain, table, write_text


def add(subparsers):
    command = subparsers.add_parser(
        "bench",
        help="networks against ONNX Runtime, OpenVINO, PyTorch and ncnn: equal first, then timed",
        description="Each competitor's output is compared with float64; then they take turns in blocks until the ratio's "
        "interval is narrow or the time is up. A noisy cell is measured again, up to 5 times. Ctrl-C keeps what there is. "
        "Exit 1 where our output is wrong or a process fails. Without MODEL: five networks in their published conventions.",
        epilog="Example: refmnas bench mnasnet-b1 --threads 1,2 --peers ort,openvino --html bench.html",
    )
    command.add_argument("models", nargs="*", metavar="MODEL", help="names that `refmnas show` lists, or FILE.json")
    command.add_argument("--model", action="append", default=[], metavar="M", help="the same as MODEL")
    command.add_argument("--batch", default="1", metavar="N,N", help="images of a run: 1,8 (1)")
    command.add_argument("--threads", default="1", metavar="N,N", help="threads: 1,2 (1)")
    command.add_argument("--size", type=int, metavar="N", help="side of the square image in pixels (the table's own)")
    command.add_argument("--dialect", metavar="D", help="whose conventions (torchvision, timm, else the table's first)")
    command.add_argument("--peers", default="all", metavar="LIST", help="all, none, or ort,openvino,torch-eager,... (all)")
    command.add_argument("--seconds", type=float, default=20.0, metavar="S", help="of one measurement of a cell (20)")
    command.add_argument("--layers", action="append", default=[], metavar="MODEL", help="each step of a plan beside its bound")
    command.add_argument("--ops", metavar="REGEX", help="single ops against PyTorch, over the cases of selftest")
    command.add_argument("--cases", type=int, default=5, metavar="N", help="cases of each op (5)")
    command.add_argument("--history", nargs="?", const="benchmarks/results", metavar="DIR", help="results side by side")
    command.add_argument("--html", metavar="FILE", help="write one self-contained HTML file")
    command.add_argument("--csv", metavar="FILE", help="write every competitor of every cell as a line")
    add_json(command)
    command.set_defaults(run=run)


def run(args):
    if args.history is not None:
        return _history(args)
    jobs = _jobs(args)
    _check_files(args)
    from ..bench import run as bench

    progress = Progress(sum(len(job.get("batches", [0])) for job in jobs), "cells")
    result = bench.bench(
        jobs,
        command=f"refmnas {shlex.join(sys.argv[1:])}" if sys.argv[1:] else "",
        tell=lambda job, text: progress.note(f"{job.get('model', 'ops')}, {text}"),
        done=lambda job, event: progress.step(str(job.get("model", "ops"))) if event["event"] in ("cell", "layers") else None,
    )
    progress.end()
    out = Output(args)
    out.say(*_text(result))
    _write(args, result, out)
    for failed in result["failed"]:
        complain("bench", f"{failed['model']}, {failed['threads']} threads: {failed['why']}")
    if result["is_partial"]:
        complain("bench", "interrupted; what was measured until then is kept, marked partial")
        return 130
    return 1 if result["failed"] or any(_is_wrong(cell) for cell in result["cells"]) else 0


def _is_wrong(cell):
    """Our own output: beyond the limit, or less exact than the criterion allows."""
    ours = cell["competitors"][0]
    return ours.get("is_wrong", True) or (cell["criterion"] is not None and not cell["criterion"]["is_met"])


def _jobs(args):
    """One per network and thread count; everything that can be refused is refused here, before a clock runs."""
    from .. import kernels
    from ..bench import entrants
    from ..errors import KernelError, SpecError

    batches, threads = _numbers("batch", args.batch, 4096), _numbers("threads", args.threads, 256)
    if args.size is not None and not 1 <= args.size <= 1 << 15:
        raise SpecError(f"bench: --size is {args.size}, wanted 1 to {1 << 15}")
    if not 0 < args.seconds < float("inf"):
        raise SpecError(f"bench: --seconds is {args.seconds:g}, wanted more than 0")
    if args.cases < 1:
        raise SpecError(f"bench: --cases is {args.cases}, wanted at least 1")
    shared = {"size": args.size, "batches": batches, "peers": entrants.chosen(args.peers), "seconds": args.seconds}
    named = [*args.models, *args.model]
    if (named or args.layers or args.ops is None) and not kernels.built():
        raise KernelError(f"bench: the engine is C, which is not built ({kernels.why_not()})")
    jobs = []
    for kind, models in (("cells", named or ([] if args.layers or args.ops else None)), ("layers", args.layers)):
        for model, source in entrants.listed(models, args.dialect) if models != [] else []:
            entrants.checked(model, source, args.size)
            jobs += [shared | {"kind": kind, "model": model, "source": source, "threads": n} for n in threads]
    if args.ops is not None:
        from ..bench import ops

        ops.names(args.ops)
        jobs.append({"kind": "ops", "ops": args.ops, "count": args.cases, "threads": 1})
    return jobs


def _numbers(name, text, most):
    """The whole numbers of an option like 1,8; each once."""
    from ..errors import SpecError

    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and 1 <= int(word) <= most for word in words):
        raise SpecError(f"bench: --{name} is {text!r}, wanted numbers from 1 to {most}, as 1,2")
    return list(dict.fromkeys(int(word) for word in words))


def _check_files(args):
    """The files named can be written: found out before minutes of measuring, not after."""
    from ._output import check_writable

    for path in (args.json, args.html, args.csv):
        if path not in (None, "-"):
            check_writable(path)


def _write(args, result, out):
    from ..report import bench as page
    from ..report import rows

    for path, text in ((args.html, lambda: page.bench(result)), (args.csv, lambda: rows.as_csv(result))):
        if path:
            write_text(path, text())
            out.say(f"wrote {path}")
    out.record(result)


def _text(result):
    from ..report import rows

    width = max(len(name) for name, _ in rows.machine(result))
    yield from (f"{name:{width}}  {value}" for name, value in rows.machine(result))
    for cell in result["cells"]:
        yield from ("", bold(rows.title(cell)) + "  (ms per image)")
        yield from table(rows.CELL, [cells for _, cells in rows.competitors(cell)])
        yield from (f"  {line}" for line in rows.remarks(cell))
    for record in result["layers"]:
        peer = record["peer"]
        yield from ("", bold(f"steps of {rows.title(record)}"))
        yield from table(rows.STEP, [cells for _, cells in rows.steps(record)])
        yield f"  peer: {peer['name']} {peer.get('version') or peer['absent']}, its own profile of the same nodes"
        yield f"  bound: operations over the peak, or weights over the bandwidth of {record['weights_in']}"
    if result["ops"]:
        yield from ("", bold("single ops against PyTorch, one thread"))
        yield from table(rows.OP, [rows.op(record)[1] for record in result["ops"]])
        yield "  margins: largest error over the derived bound, above 1 is wrong; ratio: PyTorch's time to ours"


def _history(args):
    from ..bench import history

    results = history.read(args.history)
    compared, out = history.compared(results), Output(args)
    for name, result in results.items():
        m = result["machine"]
        out.say(f"{name}: {m['processor']}, refmnas {m['versions']['refmnas']}, {result['date']}")
    header = ("network", "dialect", "size", "batch", "threads", *results)
    out.say(*table(header, [_side_by_side(row) for row in compared]))
    out.say("  our median in ms per image, and how many times as fast as the best peer; in brackets: noisy, partial or wrong")
    out.record(compared)
    return 0


def _side_by_side(row):
    cells = []
    for found in row["results"].values():
        if not found or found["median_ms"] is None:
            cells.append("-")
            continue
        ratio = f" {found['ratio']:.2f}x {found['best_peer']}" if found["ratio"] else ""
        text = f"{found['median_ms']:.3f}{ratio}"
        cells.append(text if found["counts"] else f"({text})")
    return (row["network"], row["dialect"], row["size"], row["batch"], row["threads"], *cells)
