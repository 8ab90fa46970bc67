"""A kernel of the user's own, over our cases: `op(function, fn)`.

    exact      on whole numbers every order of summation gives the same bits
    bound      on reals |got - y| <= gamma_n sum |terms|, in any order, with or without FMA
    contract   a call returns new float32 arrays of the right shape, leaves its arguments as
               they are, and gives the same bits again

A fault is proved: by the oracle's scalar loops on the smallest case that still fails, or
by what the call did.  A kernel that passes is within rounding on what was tried; what was
not tried is said.

Source: the bound is lemma 3.1 of Higham 2002, Accuracy and Stability of Numerical Algorithms.
"""

from __future__ import annotations

from .report import CODES, Report
from .search import DATA, op

__all__ = ["CODES", "DATA", "Report", "op"]
