"""Problems, one frozen dataclass per op: what selftest, tests, benchmarks and kits all walk.

    CASES      op -> its Case class
    draw(op, seed)      one case, without hypothesis
    parse(line)         the case that a line of text describes
"""

from importlib import import_module

from ..errors import SpecError
from .base import Case

_MODULES = ("depthwise",)

CASES: dict[str, type[Case]] = {name: import_module(f"{__name__}.{name}").CASE for name in _MODULES}


def draw(op, seed):
    """One case of `op`, drawn from its domain by `seed`; the same on every machine."""
    return CASES[op].draw(seed)


def parse(line):
    """The case that `str(case)` printed."""
    op = line.split()[0] if line.split() else ""
    if op not in CASES:
        raise SpecError(f"case: {op!r} is no op; there are {', '.join(CASES)}")
    return CASES[op].parse(line)
