"""Faults planted in a network's parts, run in float32: what the diagnosis is shown on, and a tolerance tried on.

FAULTS, MORE            one or several for each code; of other networks' layers
example()               a small network's parts and an image
run(parts, x)           every part's result; single(part, *inputs) that of one
diagnosed(parts, ...)   the failing parts and the causes
"""

from .choices import Fault
from .faults import FAULTS
from .more import MORE
from .run import diagnosed, example, run, single

__all__ = ["FAULTS", "MORE", "Fault", "diagnosed", "example", "run", "single"]
