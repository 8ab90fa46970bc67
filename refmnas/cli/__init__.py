"""The command line: one module per command, which parses and calls and computes nothing.

    exit 0    done
    exit 1    a check failed
    exit 2    usage or bad input, with one line on standard error
    exit 3    of `verify`: inconclusive

A command module has `add(subparsers)` and `run(args) -> exit code`; it imports
what it needs inside `run`, so that `--help` and `doctor` work in any environment.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

from .. import __version__
from ..errors import RefmnasError

COMMANDS = (
    "demo", "classify", "show", "diff", "compare", "convert", "read", "explain",
    "verify", "selftest", "kit", "bench", "compile-report", "doctor",
)  # fmt: skip


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, like all others of this program."""

    def error(self, message):
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = Parser(
        prog="refmnas",
        description="The reference for mobile CNNs: every op as definition, as NumPy and as C, proved equal.",
        epilog="Start with: refmnas demo.  Each command explains itself: refmnas show --help.",
    )
    top.add_argument("--version", action="version", version=f"refmnas {__version__}")
    subparsers = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=Parser)
    for name in COMMANDS:
        import_module(f"{__name__}.{name.replace('-', '_')}").add(subparsers)
    return top


def main(argv=None) -> int:
    """Run one command; the exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    # argparse would take the word after a bare --json for its FILE and write over it.
    argv = ["--json=-" if word == "--json" else word for word in argv]
    top = parser()
    try:
        args = top.parse_args(argv)
    except SystemExit as end:
        return int(end.code or 0)
    if args.command is None:
        top.print_help()
        return 0
    return _run(args)


def _run(args):
    """The command's exit code; what it refuses becomes one line."""
    try:
        code = args.run(args)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _refuse(args, "interrupted", 130)
    except (RefmnasError, OSError) as error:
        return _refuse(args, _line(error), 2)
    except MemoryError as error:
        return _refuse(args, f"not enough memory: {error}", 2)


def _refuse(args, message, code):
    told = message.removeprefix(f"{args.command}: ")
    print(f"refmnas {args.command}: error: {told}", file=sys.stderr)
    return code


def _line(error):
    """An exception as one line."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(str(error).split())
