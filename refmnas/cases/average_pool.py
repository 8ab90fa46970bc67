"""Average pooling problems: exact where every window counts a power of two of pixels."""

from dataclasses import dataclass
from typing import ClassVar

from .base import is_power_of_two
from .pool_window import POOL_WINDOW, PoolWindowCase
from .prove import Claim


@dataclass(frozen=True)
class AveragePoolCase(PoolWindowCase):
    """One image to average window by window."""

    count_pad: bool

    OP = "average_pool"
    DOMAIN: ClassVar = POOL_WINDOW | {"count_pad": (False, True)}

    def options(self):
        return super().options() | {"count_pad": self.count_pad}


def divides(case):
    """The division by the count of pixels rounds nothing, in any window."""
    return all(map(is_power_of_two, counts(case)))


def counts(case):
    """How many pixels any window counts along its rows, and along its columns."""
    for k, (size, K) in enumerate(zip((case.h, case.w), case.kernel, strict=True)):
        before, after = case.pad[2 * k : 2 * k + 2]
        least, most = (-before, size + after) if case.count_pad else (0, size)
        for p in range(case.extents()[k]):
            first = p * case.stride - before
            yield sum(least <= tap < most for tap in range(first, first + K))


CASE = AveragePoolCase
CLAIMS = (
    Claim("average_pool.forward", exact=divides),
    Claim("average_pool.backward", exact=divides, backward_of="average_pool.forward", linear_in=("x",)),
)
