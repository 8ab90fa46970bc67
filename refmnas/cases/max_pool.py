"""Max pooling problems: many equal values on integers, on reals none near one another."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .pool_window import POOL_WINDOW, PoolWindowCase
from .prove import Claim, always

GAP = 2.0**-6  # more than the gradient's differences move a value, so that no maximum changes place


@dataclass(frozen=True)
class MaxPoolCase(PoolWindowCase):
    """One image and its largest values, window by window."""

    OP = "max_pool"
    DOMAIN: ClassVar = POOL_WINDOW

    def arrays(self, data="reals", dtype=np.float32):
        """On reals the ranks of the drawn values, GAP apart: forward has a derivative there."""
        x = super().arrays(data, dtype)["x"]
        if data == "reals":
            ranks = np.argsort(np.argsort(x, axis=None, kind="stable")).reshape(x.shape)
            x = ((ranks - x.size // 2) * GAP).astype(dtype)
        return {"x": x}


CASE = MaxPoolCase
CLAIMS = (
    Claim("max_pool.forward", exact=always),
    # Linear once the maxima are chosen: every y is one of the x, so <dy, y> = <dx, x> holds here too.
    Claim("max_pool.backward", exact=always, backward_of="max_pool.forward", linear_in=("x",)),
)
