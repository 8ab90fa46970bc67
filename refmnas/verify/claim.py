"""What arithmetic an implementation claims, as unit roundoffs.

    float32    operands, sums and results in float32, in any order, with or without FMA
    tf32       operands of products cut to 10 bits behind the point (rounded or truncated: 2^-10), the rest in float32
    fp16       operands and results rounded to float16 (2^-11), sums in float32
    bf16       the same in bfloat16 (2^-8)
    fp16-sums, bf16-sums   sums in that type too; activations and batch norm have then no bound

A sum of n products of operands off by p and stored with s deviates by at most

    ((1 + p)^2 (1 + gamma_n) - 1) * sum |x| |w|  +  s |y|                       (1)

with gamma_n of the unit of the sums.

Source: (1) is eq. (3.5) of Higham 2002, Accuracy and Stability of Numerical Algorithms, with every factor's own
relative error written in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..bounds import gamma
from ..errors import SpecError


@dataclass(frozen=True)
class Claim:
    """Unit roundoffs of operands, sums and results (0: those of float32), and the least step of a stored result."""

    name: str
    operands: float = 0.0
    sums: float = 2.0**-24
    stored: float = 0.0
    least: float = 0.0  # half the spacing of the denormals of a stored result

    @property
    def is_float32(self):
        return self.name == "float32"

    def gamma(self, n):
        """gamma_n of the sums, infinite where n roundings leave no digit."""
        nu = n * self.sums
        return gamma(n, np.float32) if self.sums == 2.0**-24 else nu / (1 - nu) if nu < 1 else np.inf

    def of_sum(self, bound, size, n):
        """Equation (1) without its last term; `bound` is the one of float32."""
        if self.operands == 0 and self.sums == 2.0**-24:
            return bound
        return np.maximum(bound, ((1 + self.operands) ** 2 * (1 + self.gamma(n)) - 1) * size + 2 * n * self.least)

    def of_result(self, y, error):
        """`error` with the rounding of the result when it is stored."""
        return error + self.stored * (np.abs(y) + error) + self.least if self.stored else error


FLOAT32 = Claim("float32")
CLAIMS = {
    "float32": FLOAT32,
    "tf32": Claim("tf32", operands=2.0**-10),
    "fp16": Claim("fp16", operands=2.0**-11, stored=2.0**-11, least=2.0**-25),
    "bf16": Claim("bf16", operands=2.0**-8, stored=2.0**-8, least=2.0**-134),
    "fp16-sums": Claim("fp16-sums", operands=2.0**-11, sums=2.0**-11, stored=2.0**-11, least=2.0**-25),
    "bf16-sums": Claim("bf16-sums", operands=2.0**-8, sums=2.0**-8, stored=2.0**-8, least=2.0**-134),
}


def named(name):
    """The claim of that name; SpecError for another."""
    if isinstance(name, Claim):
        return name
    if name not in CLAIMS:
        raise SpecError(f"verify: claim is {name!r}, wanted one of {', '.join(CLAIMS)}")
    return CLAIMS[name]
