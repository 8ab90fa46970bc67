"""A searched cell as data: which operation reads which earlier state, and what is put together at the end.

    h_0, h_1              the cell's two inputs
    h_k = f(h_i) + g(h_j)  k = 2, 3, ...; i, j < k                                       (1)
    y   = the states of `output`, channels behind one another                            (2)

A row of the table is (f, i, g, j).  Operations: sepK (relu, depthwise K x K, 1 x 1, BN,
twice), avgK and maxK (pools), none (the state itself).  In a cell of stride 2 what reads
h_0 or h_1 has that stride.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import SpecError

_OPERATION = re.compile(r"(sep|avg|max)([3579])")
MOST_ROWS = 64


@dataclass(frozen=True)
class Genotype:
    """Equations (1) and (2).  `output` None: the states that no row reads, as (2) then says.

    Raises   SpecError naming the row, what it reads and what there is.

    >>> Genotype((("sep3", 0, "none", 1), ("avg3", 2, "max3", 0))).output
    (3,)
    """

    sums: tuple[tuple[str, int, str, int], ...]
    output: tuple[int, ...] | None = None
    stride: int = 1

    def __post_init__(self):
        where = f"cell of stride {self.stride!r}"
        if self.stride not in (1, 2) or isinstance(self.stride, bool):
            raise SpecError(f"cell: stride {self.stride!r}, wanted 1 or 2")
        if not isinstance(self.sums, tuple) or not 1 <= len(self.sums) <= MOST_ROWS:
            raise SpecError(f"{where}: sums {self.sums!r:.60}, wanted a tuple of 1 to {MOST_ROWS} rows")
        for number, row in enumerate(self.sums, 1):
            _check_row(f"{where}, row {number} of {len(self.sums)}", row, number + 1)
        if self.output is None:
            object.__setattr__(self, "output", self.unread)
        _check_output(where, self.output, self.unread, len(self.sums) + 2)

    @property
    def unread(self):
        """The states that no row reads."""
        read = {number for _, i, _, j in self.sums for number in (i, j)}
        return tuple(k for k in range(len(self.sums) + 2) if k not in read)


def _check_row(where, row, count):
    """One row of (1), before which there are `count` states."""
    if not isinstance(row, tuple) or len(row) != 4:
        raise SpecError(f"{where}: {row!r}, wanted (operation, state, operation, state)")
    for operation, state in (row[:2], row[2:]):
        if operation != "none" and not (isinstance(operation, str) and _OPERATION.fullmatch(operation)):
            raise SpecError(f"{where}: operation {operation!r}, wanted sep, avg or max and 3, 5, 7 or 9, or none")
        if not isinstance(state, int) or isinstance(state, bool) or not 0 <= state < count:
            raise SpecError(f"{where}: reads h{state}, which does not exist there; wanted 0 to {count - 1}")


def _check_output(where, output, unread, count):
    """The states of (2) exist, once each, in order, and hold whatever no row reads, the inputs aside."""
    fits = isinstance(output, tuple) and all(type(k) is int and 0 <= k < count for k in output)
    if not fits or not output or list(output) != sorted(set(output)):
        raise SpecError(f"{where}: output {output!r}, wanted rising numbers of states from 0 to {count - 1}")
    lost = [k for k in unread if k > 1 and k not in output]
    if lost:
        raise SpecError(f"{where}: nothing uses h{lost[0]}, wanted it in a row or in the output {output}")
