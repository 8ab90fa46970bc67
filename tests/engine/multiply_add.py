"""a * b + c in float32, rounded once, in NumPy: what an FMA instruction gives.

The product of two float32 has at most 48 bits, so it is exact in float64.  Its sum with
c is rounded to *odd* in float64: where it is inexact, to the neighbour whose last bit is
1.  That bit remembers that something was cut off, so that the second rounding, to the
24 bits of float32, goes the way of the exact sum: a tie that was none stays none.

Source: Boldo and Melquiond 2008, Emulation of a FMA and correctly rounded sums: proved
algorithms using rounding to odd, IEEE Trans. Comput. 57(4), theorem 3 (53 >= 24 + 2).
"""

import numpy as np


def fma(a, b, c):
    """float32 arrays of shapes that broadcast."""
    product = np.multiply(a, b, dtype=np.float64)
    with np.errstate(over="ignore"):
        return _sum_to_odd(product, np.asarray(c, np.float64)).astype(np.float32)


def _sum_to_odd(a, b):
    """a + b, and where that is inexact, the one of the two neighbours that is odd."""
    total = a + b
    part = total - a
    error = (a - (total - part)) + (b - part)  # exactly a + b - total: Knuth's two-sum
    is_even = (total.view(np.int64) & 1) == 0
    odd = np.nextafter(total, np.copysign(np.inf, error))
    return np.where((error != 0) & is_even, odd, total)
