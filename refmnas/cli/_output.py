"""Where a command's result goes: text for a person on standard output, or JSON.

Standard output carries the result alone: with `--json` exactly one JSON value,
else text.  Progress and complaints go to standard error.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import time


def add_json(command):
    """The --json option that every command has."""
    command.add_argument(
        "--json",
        nargs="?",
        const="-",
        metavar="FILE",
        help="the result as JSON on standard output and nothing else there; --json=FILE: into a file, beside the text",
    )


class Output:
    """One command's result, as text line by line and as one JSON record."""

    def __init__(self, args):
        self.json_path = args.json

    def say(self, *lines):
        """Text for a person; silent where JSON has standard output to itself."""
        if self.json_path != "-":
            print(*lines, sep="\n")

    def record(self, value):
        """The machine's form of the result, where it was asked for."""
        if self.json_path is None:
            return
        text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        if self.json_path == "-":
            sys.stdout.write(text)
        else:
            write_text(self.json_path, text)


def write_text(path, text):
    """Write a file whole or not at all: under a temporary name beside it, then renamed."""
    from ..io import replacing

    with replacing(path) as file:
        file.write(text.encode("utf-8"))


def check_writable(path):
    """OSError where `write_text` could not write `path`; nothing is changed."""
    from pathlib import Path
    from tempfile import TemporaryFile

    if Path(path).is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    try:
        TemporaryFile(dir=Path(path).parent).close()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def complain(command, message):
    """A line on standard error about something that did not stop the command."""
    print(f"refmnas {command}: {message}", file=sys.stderr)


def bold(text):
    """`text` as a heading: bold on a terminal, unless NO_COLOR is set."""
    if os.environ.get("NO_COLOR") or not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        return text
    return f"\033[1m{text}\033[0m"


def table(header, rows, indent="  "):
    """Lines of a table in aligned columns; columns of numbers stand to the right.

    >>> table(("op", "cases"), [("conv", "40"), ("gate", "9")])
    ['  op    cases', '  conv     40', '  gate      9']
    """
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    right = [bool(rows) and all(_is_number(row[k]) for row in cells[1:]) for k in range(len(widths))]
    lines = []
    for row in cells:
        padded = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True))
        lines.append((indent + "  ".join(padded)).rstrip())
    return lines


def _is_number(text):
    bare = text.lstrip("~* ")  # marks before a figure, explained beneath the table
    return bare == "" or bare[0].isdigit() or bare in ("-", "inf")


class Progress:
    """A counter on standard error: rewritten in place on a terminal, a line every ten seconds elsewhere."""

    EVERY_S = 10.0

    def __init__(self, total, what):
        self.total, self.what, self.done = total, what, 0
        self.live = sys.stderr.isatty()
        self.last = time.monotonic()
        self.width = 0

    def step(self, note=""):
        """One more is done."""
        self.done += 1
        self.note(note)

    def note(self, note):
        """What is being done, while none is."""
        line = f"{self.what} {self.done}/{self.total}" + (f"  {note}" if note else "")
        now = time.monotonic()
        if self.live:
            sys.stderr.write("\r" + line.ljust(self.width)[:200])
            self.width = len(line)
        elif now - self.last >= self.EVERY_S:
            self.last = now
            sys.stderr.write(line + "\n")
        sys.stderr.flush()

    def end(self):
        """Leave the terminal's line clean for what follows."""
        if self.live and self.width:
            sys.stderr.write("\r" + " " * self.width + "\r")
            sys.stderr.flush()


def extents(shape):
    """(112, 112, 32) as "112 x 112 x 32"."""
    return " x ".join(map(str, shape))
