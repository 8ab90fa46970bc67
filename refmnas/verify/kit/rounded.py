"""The oracle with exp and log correctly rounded: the same float64 values on every machine.

`math.exp` and `math.log` differ between C libraries in the last bit.  Here both are taken with
50 decimal digits and rounded once; sqrt and all else are exact or correctly rounded by IEEE 754.
"""

from __future__ import annotations

import decimal
import math
from functools import cache, lru_cache
from importlib.util import find_spec, module_from_spec

_DIGITS = decimal.Context(prec=50, Emin=-999_999_999, Emax=999_999_999, rounding=decimal.ROUND_HALF_EVEN)


class _Math:
    """What the oracle takes of `math`."""

    sqrt = staticmethod(math.sqrt)

    @staticmethod
    @lru_cache(maxsize=1 << 16)
    def exp(v):
        """Correctly rounded, but for a case that 50 digits cannot tell from a tie."""
        return float(decimal.Decimal(v).exp(_DIGITS))

    @staticmethod
    @lru_cache(maxsize=1 << 16)
    def log(v):
        """Likewise."""
        return float(decimal.Decimal(v).ln(_DIGITS))


def definition(function):
    """The oracle's `depthwise.forward` or another, in a copy of its module with this arithmetic."""
    op, _, direction = function.partition(".")
    return getattr(_module(op), direction)


@cache
def _module(op):
    spec = find_spec(f"refmnas.oracle.{op}")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    module.math = _Math
    return module
