"""Problems, one frozen dataclass per op: what selftest, tests, benchmarks and kits all walk.

    OPS                 the names of all ops
    CASES               op -> its Case class
    CLAIMS              op -> what is claimed of its functions
    draw(op, seed)      one case, without hypothesis
    parse(line)         the case that a line of text describes
"""

from importlib import import_module

from ..errors import SpecError
from .base import Case
from .prove import Claim

OPS = (
    "conv",
    "pointwise",
    "depthwise",
    "batchnorm",
    "activation",
    "pool",
    "average_pool",
    "max_pool",
    "resize",
    "concat",
    "gate",
    "linear",
    "softmax",
    "softmax_xent",
    "dropout",
    "drop_path",
)

_HOMES = {op: import_module(f"{__name__}.{op}") for op in OPS}
CASES: dict[str, type[Case]] = {op: home.CASE for op, home in _HOMES.items()}
CLAIMS: dict[str, tuple[Claim, ...]] = {op: home.CLAIMS for op, home in _HOMES.items()}


def draw(op, seed):
    """One case of `op`, drawn from its domain by `seed`; the same on every machine."""
    if op not in CASES:
        raise SpecError(f"case: {op!r} is no op; there are {', '.join(CASES)}")
    return CASES[op].draw(seed)


def parse(line):
    """The case that `str(case)` printed."""
    op = line.split()[0] if line.split() else ""
    if op not in CASES:
        raise SpecError(f"case: {op!r} is no op; there are {', '.join(CASES)}")
    return CASES[op].parse(line)
