"""`refmnas doctor`: what this installation can do, and what stands in its way."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

from ._output import Output, add_json, bold, table

VARIABLES = (
    ("REFMNAS_BACKEND", "auto, c, numpy or oracle"),
    ("REFMNAS_ISA", "the instruction set of the C kernels"),
    ("REFMNAS_REQUIRE_C", "at install: a missing C extension is an error"),
    ("REFMNAS_NO_C", "at install: leave C out"),
    ("OMP_NUM_THREADS", "threads of NumPy's BLAS"),
    ("OPENBLAS_NUM_THREADS", "threads of NumPy's BLAS"),
    ("MKL_NUM_THREADS", "threads of NumPy's BLAS"),
    ("NO_COLOR", "plain text"),
)


def add(subparsers):
    command = subparsers.add_parser(
        "doctor",
        help="versions, C kernels, instruction sets, extras, environment",
        description="What this installation can do. Exit 1 where something that was demanded is missing.",
        epilog="Example: refmnas doctor --json; refmnas doctor --tile pw_n3m4 --isa avx2",
    )
    command.add_argument("--tile", metavar="NAME", help="print one innermost tile of the engine, as the build generates it")
    command.add_argument("--isa", metavar="NAME", help="of --tile: the instruction set (the one in use)")
    add_json(command)
    command.set_defaults(run=run)


def run(args):
    if args.tile or args.isa:
        return _tile(args)
    problems = _problems()
    facts = {
        "versions": _versions(),
        "machine": {"system": platform.platform(), "processor": _processor(), "cores": _cores()},
        "c": _c(problems),
        "blas": _blas(),
        "package": str(Path(__file__).resolve().parents[1]),
        "environment": {name: os.environ[name] for name, _ in VARIABLES if name in os.environ},
        "extras": _extras(),
        "problems": problems,
    }
    out = Output(args)
    out.say(*_text(facts))
    out.record(facts)
    return 1 if problems else 0


def _tile(args):
    """One generated tile, and nothing else."""
    from .. import kernels
    from ..errors import SpecError

    if not args.tile:
        raise SpecError("doctor: --isa goes with --tile NAME")
    text = kernels.tile(args.tile, args.isa)
    out = Output(args)
    out.say(text.rstrip("\n"))
    out.record({"tile": args.tile, "isa": args.isa or kernels.isa(), "text": text})
    return 0


def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _versions():
    """Of everything that takes part; None where absent."""
    found = {"python": platform.python_version()}
    for name in ("refmnas", "numpy", "cffi"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    if found["refmnas"] is None:
        from .. import __version__

        found["refmnas"] = f"{__version__} (source tree, not installed)"
    return found


def _processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def _c(problems):
    """Whether the kernels are there; unknown where an environment variable keeps them from loading."""
    if problems:
        return {"built": None, "why": problems[0]}
    from .. import kernels

    if not kernels.built():
        return {"built": False, "why": kernels.why_not()}
    return {"built": True, "isa": kernels.isa(), "isas": list(kernels.isas())}


def _problems():
    """What the environment demands and does not get."""
    from ..errors import RefmnasError

    try:
        from .. import backend

        backend.explain()
    except RefmnasError as error:
        return [str(error)]
    return []


def _blas():
    import numpy as np

    try:
        blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    except (TypeError, KeyError):
        return "unknown"
    return f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip()


def _extras():
    """extra -> {distribution: installed version or None}, from the package's own metadata."""
    try:
        wanted = metadata.requires("refmnas") or []
    except metadata.PackageNotFoundError:
        return {}
    extras: dict[str, dict[str, str | None]] = {}
    for requirement in wanted:
        text, _, marker = requirement.partition(";")
        if "extra ==" not in marker:
            continue
        extra = marker.split("extra ==")[1].strip().strip("\"'")
        name = text.split("[")[0].strip()
        for sign in "<>=!~ ":
            name = name.split(sign)[0]
        extras.setdefault(extra, {})[name] = _version(name)
    return extras


def _version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _text(facts):
    versions, machine, c = facts["versions"], facts["machine"], facts["c"]
    yield bold("refmnas " + versions["refmnas"])
    yield f"  Python {versions['python']}, NumPy {versions['numpy']} ({facts['blas']}), cffi {versions['cffi']}"
    yield f"  {machine['processor']}, {machine['cores']} cores usable, {machine['system']}"
    yield f"  installed in {facts['package']}"
    yield bold("C kernels")
    if c["built"]:
        yield f"  built; instruction set {c['isa']}; usable here, best first: {', '.join(c['isas'])}"
    elif c["built"] is False:
        yield f"  not built: {c['why']}"
        yield "  until then every op runs on its NumPy reference: the same contract, slower"
    else:
        yield f"  not loaded: {c['why']}"
    yield bold("Environment variables")
    yield from table(("name", "value", "meaning"), _variables(facts["environment"]))
    yield bold("Extras")
    yield from _extras_text(facts["extras"])
    yield from (bold("PROBLEM") + f": {problem}" for problem in facts["problems"])


def _variables(environment):
    return [(name, environment.get(name, "(not set)"), meaning) for name, meaning in VARIABLES]


def _extras_text(extras):
    if not extras:
        yield "  unknown: refmnas is not installed as a distribution"
    for extra, packages in extras.items():
        missing = [name for name, version in packages.items() if version is None]
        have = ", ".join(f"{name} {version}" for name, version in packages.items() if version)
        line = f"  {extra:8}" + (have or "nothing installed")
        yield line + (f"; missing {', '.join(missing)}: pip install 'refmnas[{extra}]'" if missing else "")
