"""What a case is: one problem as one line of text, its values drawn from a seed.

A case has sizes and options as fields, and makes arrays of four kinds:

    integers   whole numbers, |value| <= 8: sums of products are exact in float32
               below 2^24, so that all texts must agree to the last bit
    reals      both signs, 24 random bits in [-1, 1): cancellation must occur
    hard       reals scaled by powers of two far apart, with signed zeros
    fine       both signs, 53 random bits: in float64 products must be rounded too

Values come from the raw 64-bit output of PCG64, not from NumPy's distributions,
whose streams may change: a case is the same on every machine and version.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from ..errors import SpecError

DATA = ("integers", "reals", "hard", "fine")
BATCHES = (1, 2, 1, 2, 1, 2, 3, 0)  # the empty batch, but seldom
MOST_MACS = 30_000  # of one case: the oracle takes about a millisecond per thousand


@dataclass(frozen=True)
class Case:
    """One problem of one op.  Subclasses add fields, `DOMAIN`, `shapes`, `result` and `options`."""

    OP: ClassVar[str]
    DOMAIN: ClassVar[dict[str, tuple]]  # field -> the values it is drawn from, simplest first

    seed: int

    # -- what a subclass says ---------------------------------------------------

    def shapes(self) -> dict[str, tuple[int, ...] | None]:
        """The arrays that the op's functions take, by name; None for an absent optional one."""
        raise NotImplementedError

    def result(self) -> tuple[int, ...]:
        """The shape of forward's result, and so of dy."""
        raise NotImplementedError

    def options(self) -> dict[str, Any]:
        """The keyword options of all of the op's functions; each takes those that it knows."""
        return {}

    def kinks(self) -> tuple[float, ...]:
        """The values of x where forward has no derivative."""
        return ()

    def macs(self) -> int:
        """Multiply-adds of forward, as a measure of what the oracle takes."""
        raise NotImplementedError

    def is_valid(self) -> bool:
        """Whether the op accepts the case."""
        return True

    # -- what every case has ------------------------------------------------------

    def arrays(self, data="reals", dtype=np.float32) -> dict[str, np.ndarray | None]:
        """The values, drawn from the seed."""
        return {
            name: None if shape is None else values(shape, self.seed * 64 + k, data).astype(dtype)
            for k, (name, shape) in enumerate(self.shapes().items())
        }

    def gradient(self, shape, data="reals", dtype=np.float32, number=0):
        """A `dy` of this shape, drawn from the seed, independent of the arrays."""
        return values(shape, self.seed * 64 + 32 + number, data).astype(dtype)

    def fits(self) -> bool:
        """Valid, and small enough for scalar loops."""
        return self.is_valid() and self.macs() <= MOST_MACS

    @classmethod
    def draw(cls, seed):
        """A case drawn from the domain; the first of a fixed stream that fits."""
        raw = np.random.PCG64(seed)
        while True:
            choice = {
                name: domain[int(raw.random_raw() % len(domain))] for name, domain in cls.DOMAIN.items()
            }
            case = cls(seed=seed, **choice)
            if case.fits():
                return case

    def __str__(self):
        words = [f"{f.name}={_word(getattr(self, f.name))}" for f in fields(self)]
        return " ".join([self.OP, *sorted(words, key=lambda w: w.startswith("seed="))])

    @classmethod
    def parse(cls, line):
        """The case that `str` printed; SpecError for anything else."""
        op, *words = line.split()
        given = dict(word.partition("=")[::2] for word in words)
        wanted = {f.name: f for f in fields(cls)}
        if op != cls.OP or given.keys() != wanted.keys():
            raise SpecError(f"case: {line!r}; wanted '{cls.OP}' and {', '.join(wanted)}, each once as name=value")
        return cls(**{name: _value(name, text) for name, text in given.items()})


def _word(value):
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _value(name, text):
    if "," in text:
        return tuple(_value(name, part) for part in text.split(","))
    if text in ("True", "False"):
        return text == "True"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


@lru_cache(maxsize=64)
def _raw(count, seed):
    return np.random.PCG64(seed).random_raw(max(count, 1))[:count]


def values(shape, seed, data="reals"):
    """float64 values of one of DATA, all but the fine ones exact in float32."""
    if data not in DATA:
        raise SpecError(f"case: data is {data!r}, wanted one of {', '.join(DATA)}")
    raw = _raw(int(np.prod(shape, dtype=np.int64)), seed)
    if data == "integers":
        return ((raw >> np.uint64(32)) % np.uint64(17)).astype(np.float64).reshape(shape) - 8.0
    if data == "fine":
        return (raw >> np.uint64(11)).astype(np.float64).reshape(shape) / 2.0**52 - 1.0
    reals = (raw >> np.uint64(40)).astype(np.float64).reshape(shape) / 2.0**23 - 1.0
    if data == "reals":
        return reals
    spread = ((raw >> np.uint64(8)) % np.uint64(25)).astype(np.int64).reshape(shape) - 12
    hard = np.ldexp(reals, spread)
    signed_zero = np.where(reals < 0, -0.0, 0.0)
    return np.where((raw & np.uint64(7)).reshape(shape) == 0, signed_zero, hard)


def is_power_of_two(number):
    """Whether a product or quotient with `number` rounds nothing."""
    return bool(np.frexp(number)[0] == 0.5)
