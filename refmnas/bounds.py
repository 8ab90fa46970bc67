"""Rounding bounds: what a correct floating-point implementation may deviate.

    gamma_n = n u / (1 - n u),   u = 2^-24 (float32), 2^-53 (float64)               (1)

Any order of summation, with or without FMA, of n rounded operations meets
|y^ - y| <= gamma_n * (the same expression on absolute values).

Source: Higham 2002, Accuracy and Stability of Numerical Algorithms, section 3.1
(lemma 3.1 and equation 3.5).
"""

import numpy as np

from .errors import DtypeError

UNIT = {np.dtype(np.float32): 2.0**-24, np.dtype(np.float64): 2.0**-53}
# Half the spacing of the denormals: what one rounding can lose where (1) does not hold.
UNDERFLOW = {np.dtype(np.float32): 2.0**-150, np.dtype(np.float64): 2.0**-1075}


def gamma(n, dtype=np.float32):
    """Equation (1) for n roundings; in float64 twice that, since the oracle rounds too."""
    dtype = np.dtype(dtype)
    if dtype not in UNIT:
        raise DtypeError(f"bounds.gamma: dtype is {dtype}, wanted float32 or float64")
    nu = n * UNIT[dtype]
    return (nu / (1 - nu)) * (2 if dtype == np.float64 else 1)
