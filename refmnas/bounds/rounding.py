"""The units of every bound: gamma(n), underflow, and how good exp and log are taken to be.

    gamma_n = n u / (1 - n u),   u = 2^-24 (float32), 2^-53 (float64)               (1)

Any order of summation, with or without FMA, of n rounded operations meets
|y^ - y| <= gamma_n * (the same expression on absolute values).

Source: Higham 2002, Accuracy and Stability of Numerical Algorithms, section 3.1
(lemma 3.1 and equation 3.5).
"""

import numpy as np

from ..errors import DtypeError

UNIT = {np.dtype(np.float32): 2.0**-24, np.dtype(np.float64): 2.0**-53}
# Half the spacing of the denormals: what one rounding can lose where (1) does not hold.
# (Of float64 it is itself below the least double, and written as 0.)
UNDERFLOW = {np.dtype(np.float32): 2.0**-150, np.dtype(np.float64): 0.0}

# exp and log are assumed to be within 4 units in the last place: NumPy's own vector loops
# state 2.52 and 3.83, measured over all float32 (loops_exponent_log.dispatch.c.src), and
# C libraries are below 1.  A unit in the last place is at most 2 u of the value.
# sqrt and division are correctly rounded in IEEE arithmetic: one rounding each.
EXP_ULPS = 4
LOG_ULPS = 4
EXP = 2 * EXP_ULPS  # in roundings
LOG = 2 * LOG_ULPS


def gamma(n, dtype=np.float32):
    """Equation (1) for n roundings; in float64 twice that, since the oracle rounds too."""
    dtype = np.dtype(dtype)
    if dtype not in UNIT:
        raise DtypeError(f"bounds.gamma: dtype is {dtype}, wanted float32 or float64")
    nu = n * UNIT[dtype]
    return (nu / (1 - nu)) * (2 if dtype == np.float64 else 1)


def lost(n, dtype):
    """What n roundings can lose to underflow, on top of equation (1)."""
    return n * UNDERFLOW[np.dtype(dtype)]


def sizes(*arrays):
    """The absolute values in float64; None stays None."""
    return tuple(None if a is None else np.abs(np.asarray(a, np.float64)) for a in arrays)
