"""A result and a bound of its error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Known:
    """A result in float64 and a bound of its error; error None is none at all.

    `sums`, where the result is one sum of products up to affine maps: (sum of the absolute values, roundings,
    the part of the error that came with the inputs), which equation (2) of `follow` wants.
    """

    value: np.ndarray
    error: np.ndarray | None = None
    sums: tuple | None = None

    @property
    def size(self):
        """|x| + e."""
        return np.abs(self.value) if self.error is None else np.abs(self.value) + self.error
