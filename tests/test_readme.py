"""README's commands are real: each parses, and its two main lines are what the package declares."""

import re
import shlex
import tomllib
from pathlib import Path

from refmnas.cli import parser

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_parses():
    lines = re.findall(r"^    (?:\$ )?(refmnas [^#\n]*)", README, re.M)
    assert len(lines) >= 6
    for line in lines:
        parser().parse_args(shlex.split(line)[1:])


def test_the_extras_that_readme_installs_exist():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    named = set(re.findall(r"pip install '\.\[(\w+)\]'", README))
    assert {"demo", "test"} <= named <= set(extras)
