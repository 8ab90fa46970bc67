"""Mechanical mutants of refmnas/ops and csrc: do the tests notice a small change of the texts?

    python benchmarks/mutants.py                     all that the journal lacks, then the report
    python benchmarks/mutants.py --sample 40         a sample, for CI; no journal; status 1 below 95 %
    python benchmarks/mutants.py --list FILE         every mutant of one file

A mutant is one change: a comparison, a constant by 1, one name or axis for its
neighbour, + for -, a dropped term or statement.  It is caught where a property of
its op, or a test of errors, forms, equal bits or guard pages, fails; in the engine,
where a small network's logits change.  The journal
(results/mutants.json) is written after each, to a temporary name and renamed, so
that a run that was stopped goes on; mutants of a file that has changed are tried
again.  Survivors stand in the report with the reason (results/mutants_reasons.json).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from mutation import c_texts, python_texts, report
from mutation.mutant import Mutant, digest, spread, steady

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
JOURNAL, REPORT, REASONS = (RESULTS / name for name in ("mutants.json", "mutants.md", "mutants_reasons.json"))
IN_C = 400  # mutants of csrc that a whole run tries: each compiles for seconds
WANTED = 0.95  # share that must be caught


def main(argv=None):
    """Try mutants; 0 where enough were caught, 1 where not, 2 for a broken start."""
    given = _arguments(argv)
    population = everything()
    if given.list:
        for mutant in population:
            if given.list in mutant.file:
                print(mutant.name)
        return 0
    journal = {} if given.sample else _read(population)
    chosen = spread(population, given.sample, given.seed)
    if not given.report:
        todo = [m for m in chosen if m.name not in journal]
        if todo and not _try_all(todo, journal, given):
            return 2
    known = [m for m in chosen if m.name in journal]
    if not given.sample:
        REPORT.write_text(report.text(population, journal, reasons(), _digests(population)), encoding="utf-8")
    return _told(known, journal)


def _told(mutants, journal):
    """Print what survived; 0 where enough were caught, those with a known reason left out."""
    caught, valid = report.counted(mutants, journal)
    known, explained = reasons(), 0
    for mutant in mutants:
        if journal[mutant.name]["verdict"] == "survived":
            explained += mutant.key in known
            why = known.get(mutant.key, "no reason known yet")
            print(f"survived: {mutant.name}\n    in: {mutant.text.strip()}\n    {why}")
    print(f"{caught} of {valid} mutants caught ({caught / max(valid, 1):.1%}), {explained} survive for a known reason,")
    print(f"{len(mutants) - valid} did not compile")
    return 0 if caught >= WANTED * (valid - explained) else 1


def _arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sample", type=int, metavar="N", help="try N mutants, without the journal")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--jobs", type=int, default=1, help="mutants at a time")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no further mutant after this time")
    parser.add_argument("--only", default="", metavar="TEXT", help="mutants whose file's name holds TEXT")
    parser.add_argument("--report", action="store_true", help="write the report from the journal alone")
    parser.add_argument("--list", metavar="FILE", help="print the mutants of the files whose name holds FILE")
    return parser.parse_args(argv)


def everything() -> list[Mutant]:
    """Every Python mutant, and a fixed sample of those in C."""
    ops = sorted((ROOT / "refmnas" / "ops").glob("*.py"))
    csrc = ROOT / "csrc"
    kernels = [*sorted(csrc.glob("*.inc.h")), csrc / "phase.h", csrc / "dispatch.c", csrc / "plan.c"]
    in_python = [m for path in ops for m in python_texts.mutants(*_file(path))]
    in_c = [m for path in kernels for m in c_texts.mutants(*_file(path))]
    return in_python + steady(in_c, IN_C)


def _file(path):
    return str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def _digests(mutants):
    """What tells the texts of today, by the file's name."""
    return {file: digest((ROOT / file).read_text(encoding="utf-8")) for file in {m.file for m in mutants}}


def _read(population):
    """The journal's entries of files that are as they were."""
    now = _digests(population)
    if not JOURNAL.exists():
        return {}
    kept = json.loads(JOURNAL.read_text(encoding="utf-8"))
    return {name: entry for name, entry in kept.items() if now.get(name.split(":")[0]) == entry["file"]}


def _write(journal):
    RESULTS.mkdir(exist_ok=True)
    temporary = JOURNAL.with_suffix(".tmp")
    rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(journal[name])}" for name in sorted(journal))
    temporary.write_text(f"{{\n{rows}\n}}\n", encoding="utf-8")
    os.replace(temporary, JOURNAL)


def reasons():
    """Why a mutant survives, by its key."""
    rows = json.loads(REASONS.read_text(encoding="utf-8")) if REASONS.exists() else []
    return {(row["file"], row["line"], row["change"]): row["reason"] for row in rows}


def _try_all(todo, journal, given):
    """Try them and note each; False where the texts as they are do not pass."""
    from mutation import trial

    todo = [m for m in todo if given.only in m.file]
    random.Random(0).shuffle(todo)  # so that what is tried when time is up is a fair sample
    with trial.battery.remembered():
        if not _prepared(trial, todo):
            return False
        digests = _digests(todo)
        start, done = time.monotonic(), 0

        def one(mutant):
            if time.monotonic() - start > 60 * given.minutes:
                return None
            return trial.tried(mutant)

        with ThreadPoolExecutor(given.jobs) as pool:
            for mutant, verdict in zip(todo, pool.map(one, todo), strict=True):
                if verdict is None:
                    continue
                journal[mutant.name] = {**verdict._asdict(), "file": digests[mutant.file]}
                done += 1
                if not given.sample and (done % 10 == 0 or verdict.seconds > 1):
                    _write(journal)
                _progress(done, len(todo), time.monotonic() - start, mutant, verdict)
    if not given.sample:
        _write(journal)
    return True


def _prepared(trial, todo):
    """The oracles' answers remembered, and every text as it is passes the same trial."""
    for op in sorted({_op(m.file) for m in todo}):
        for name in trial.battery.OPS if op.startswith("_") else (op,):
            for seeds in (trial.battery.SEEDS, trial.battery.MORE_SEEDS):
                if failure := trial.battery.first_failure(name, "numpy", seeds=seeds):
                    print(f"mutants: {name} as it is does not pass: {failure.property}", file=sys.stderr)
                    return False
    if any(trial.is_engine(m.file) for m in todo):
        for name in trial.engine_battery.NETS:
            trial.engine_battery.problem(name)
    for file in _one_of_each({m.file for m in todo}):
        source = (ROOT / file).read_text(encoding="utf-8")
        verdict = trial.tried(Mutant(file, 0, 0, "none", "", "", source + "\n", ""))
        if verdict.verdict != "survived":
            print(f"mutants: {file} as it is does not pass: {verdict.by}", file=sys.stderr)
            return False
    return True


def _one_of_each(files):
    """One text of each judge's: the tests of all Python texts are the same, and C is built as a whole."""
    from mutation.trial import is_engine

    return sorted({(file.endswith(".py"), is_engine(file)): file for file in sorted(files)}.values())


def _op(file):
    return "depthwise" if file.startswith("csrc") else Path(file).stem


def _progress(done, total, seconds, mutant, verdict):
    print(f"[{done}/{total} {seconds:.0f} s] {verdict.verdict} {verdict.by} {mutant.name}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
