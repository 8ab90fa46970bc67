"""The operators that are read: their versions, what follows from what is known, and their computations.

One dictionary, operator -> `record.Operator`; an operator that is not in it is refused when a graph
is loaded.
"""

from __future__ import annotations

from . import arithmetic, matrix, resize, select, shape, window
from .record import Info, Operator

__all__ = ["TABLE", "VIEWS", "Info", "Operator"]

TABLE = arithmetic.TABLE | matrix.TABLE | shape.TABLE | select.TABLE | window.TABLE | resize.TABLE
VIEWS = shape.VIEWS  # whose results take no memory
