"""Hypothesis profiles, and the tally that ends every run.

    default   plain `pytest`
    ci        nine times as many examples: HYPOTHESIS_PROFILE=ci, or pytest --hypothesis-profile=ci
"""

import gc
import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).resolve().parent))

import support

# Oracles are scalar loops, so a case may take long and none has a deadline.  Slow data is
# no fault either: cases that are too large for the oracle are filtered out.
COMMON = {"deadline": None, "print_blob": True, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("default", max_examples=18, **COMMON)
settings.register_profile("ci", max_examples=160, **COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or "default")


def pytest_collection_finish():
    """What was imported and collected stays: no later search for garbage goes through it again."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter):
    """How many examples ran, and how near each op came to its bound."""
    if not support.EXAMPLES:
        return
    terminalreporter.section("proofs")
    parts = ", ".join(f"{name} {count}" for name, count in sorted(support.EXAMPLES.items()))
    terminalreporter.write_line(f"hypothesis examples: {sum(support.EXAMPLES.values())} ({parts})")
    terminalreporter.write_line("largest error / bound, per op (1 is allowed):")
    for op, margin in sorted(support.MARGINS.items()):
        terminalreporter.write_line(f"  {op:14s} {margin:.3f}")
