"""What a tolerance lets through: every planted cause at every kind of place of a network, seen by the criterion or not.

criteria(...)            the user's own, from rtol and atol, a cosine, an equal first class
tried(parts, x, given)   `Tried`: a row for each fault and place, and what sound runs deviate by
"""

from .criterion import Criterion, criteria
from .table import Row, Tried, tried

__all__ = ["Criterion", "Row", "Tried", "criteria", "tried"]
