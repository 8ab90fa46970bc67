"""Batch norm problems: statistics of few and of many pixels, images and rows."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .base import BATCHES, Case
from .prove import Claim


@dataclass(frozen=True)
class BatchnormCase(Case):
    """Values of `h` x 3 pixels per sample, or rows (h = 0), with all that the five functions take."""

    n: int
    h: int
    c: int
    eps: float
    momentum: float
    unbiased: bool

    OP = "batchnorm"
    DOMAIN: ClassVar = {
        "n": BATCHES,
        "h": (2, 0, 1, 5),
        "c": (1, 2, 3, 4, 7, 8, 9, 16, 17, 33),
        "eps": (0.001, 1e-05, 1.0),
        "momentum": (0.25, 0.1, 0.5, 0.01, 1.0, 0.0),
        "unbiased": (True, False),
    }

    def pixels(self):
        """m: values per channel."""
        return self.n * (3 * self.h if self.h else 1)

    def shapes(self):
        vectors = ("gamma", "beta", "mean", "var", "rstd", "running_mean", "running_var")
        return {"x": self.result()} | dict.fromkeys(vectors, (self.c,))

    def arrays(self, data="reals", dtype=np.float32):
        """mean and rstd are x's own; the variances are drawn, some of them 0."""
        given = super().arrays(data, dtype)
        for name in ("var", "running_var"):
            given[name] = np.maximum(given[name], 0)
        if self.pixels():
            x = given["x"].astype(np.float64).reshape(-1, self.c)
            given["mean"] = x.mean(axis=0).astype(dtype)
            given["rstd"] = (1 / np.sqrt(x.var(axis=0) + self.eps)).astype(dtype)
        return given

    def result(self):
        return (self.n, self.h, 3, self.c) if self.h else (self.n, self.c)

    def options(self):
        count = max(self.pixels(), 1)
        return {"eps": self.eps, "momentum": self.momentum, "unbiased": self.unbiased, "count": count}

    def macs(self):
        return 8 * self.pixels() * self.c


def has_pixels(case):
    """An empty batch has no statistics."""
    return case.pixels() > 0


def has_variance(case):
    """One pixel has no unbiased variance."""
    return not case.unbiased or case.pixels() > 1


def mixes_exactly(case):
    """The batch's mean, the weights and the factor count / (count - 1) round nothing."""
    m = case.pixels()
    return case.momentum in (0.0, 0.25, 0.5, 1.0) and (m == 2 or (not case.unbiased and m in (0, 1)))


CASE = BatchnormCase
CLAIMS = (
    Claim("batchnorm.forward", covers=has_pixels),
    Claim("batchnorm.backward", backward_of="batchnorm.forward", has_gradient=has_pixels),
    Claim("batchnorm.forward_eval"),
    Claim("batchnorm.backward_eval", backward_of="batchnorm.forward_eval"),
    Claim("batchnorm.running", covers=has_variance, exact=mixes_exactly),
)
