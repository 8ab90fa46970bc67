"""Depthwise problems: channels around every lane count, unequal pads, extents that stride does not divide."""

from dataclasses import dataclass

from ..bounds import gamma
from ..geometry import extent
from ..oracle import depthwise as oracle
from .base import Case
from .prove import Claim


@dataclass(frozen=True)
class DepthwiseCase(Case):
    """One depthwise problem."""

    n: int
    h: int
    w: int
    c: int
    kh: int
    kw: int
    stride: int
    dilation: int
    pad: tuple
    bias: bool

    OP = "depthwise"
    DOMAIN = {
        "n": (1, 2, 0),
        "h": (5, 1, 2, 3, 7, 8, 11, 16),
        "w": (5, 1, 2, 3, 7, 8, 9, 14, 15, 17, 23),
        "c": (1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 31, 33, 40),
        "kh": (3, 1, 2, 5, 7),
        "kw": (3, 1, 2, 5, 7),
        "stride": (1, 2, 3),
        "dilation": (1, 2),
        "pad": ((1, 1, 1, 1), (0, 0, 0, 0), (0, 1, 0, 1), (2, 2, 2, 2), (1, 2, 1, 2), (3, 0, 1, 4)),
        "bias": (True, False),
    }

    def shapes(self):
        return {
            "x": (self.n, self.h, self.w, self.c),
            "w": (self.kh, self.kw, self.c),
            "b": (self.c,) if self.bias else None,
        }

    def options(self):
        return {"stride": self.stride, "pad": self.pad, "dilation": self.dilation}

    def extents(self):
        """(P, Q), the rows and columns of the output."""
        top, bottom, left, right = self.pad
        return (
            extent(self.h, self.kh, self.stride, top, bottom, self.dilation),
            extent(self.w, self.kw, self.stride, left, right, self.dilation),
        )

    def is_valid(self):
        return min(self.extents()) >= 1

    def macs(self):
        P, Q = self.extents()
        return self.n * P * Q * self.c * self.kh * self.kw


def forward_bound(case, dtype, x, w, b):
    """gamma(Kh*Kw + 1) * (|b| + sum |x| |w|)."""
    size = oracle.forward(abs(x), abs(w), None if b is None else abs(b), **case.options())
    return gamma(case.kh * case.kw + 1, dtype) * size


def backward_bound(case, dtype, dy, x, w, b=None):
    """dx: gamma(Kh*Kw); dw, db: gamma(N*P*Q); each times the sums of absolute values."""
    dx, dw, db = oracle.backward(abs(dy), abs(x), abs(w), **case.options())
    pixels = max(dy.shape[0] * dy.shape[1] * dy.shape[2], 1)
    g = gamma(pixels, dtype)
    return gamma(case.kh * case.kw, dtype) * dx, g * dw, g * db


CASE = DepthwiseCase
CLAIMS = (
    Claim("depthwise.forward", takes=("x", "w", "b"), bound=forward_bound, exact=True),
    Claim("depthwise.backward", takes=("dy", "x", "w"), bound=backward_bound, exact=True, adjoint_of="depthwise.forward", linear_in=("x", "w")),
)
