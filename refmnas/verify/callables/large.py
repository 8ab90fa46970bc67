"""Arrays of more than 2 GiB, judged at sampled outputs: where 32-bit indices and offsets end.

The arrays are made in the kernel's own process, of a short pattern of whole numbers, so that every
sum is exact and any place of the input is known without it.  An output's answer is the reference's
on the window that it sees, cut out of the pattern.  Sampled are the first and the last outputs, those
around every power of two that an index or an offset can end at, and others drawn from a seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ... import layout as layouts
from ...backend import TABLE
from ...cases import prove
from ...errors import SpecError
from .problem import Problem, float64, reference

_PERIOD = 65_521  # a prime: a wrong offset of any power of two meets another value
_SAMPLES = 64

# function -> (shapes by name, options); x has 2^29 elements and more
_SHAPES: dict = {
    "depthwise.forward": ({"x": (1, 4099, 4099, 33), "w": (3, 3, 33), "b": (33,)}, {"stride": 2, "pad": (1, 1, 1, 1)}),
    "pointwise.forward": ({"x": (1, 4099, 4099, 33), "w": (33, 4), "b": (4,)}, {}),
    "conv.forward": ({"x": (1, 7351, 7351, 10), "w": (3, 3, 10, 4), "b": (4,)}, {"stride": 3, "pad": (1, 1, 1, 1)}),
    "gate.forward": ({"x": (2, 2903, 2903, 33), "g": (2, 33)}, {}),
    "linear.forward": ({"x": (1_048_583, 513), "w": (513, 3), "b": (3,)}, {}),
    "pool.forward": ({"x": (16_411, 32, 32, 32)}, {}),
    "activation.forward": ({"x": (1_048_583, 513)}, {"kind": "relu"}),
}


@dataclass(frozen=True, eq=False)
class Large(Problem):
    """One problem; what is called with `places` gives the outputs there."""

    @property
    def shapes(self):
        """{name: shape}, NHWC."""
        return _SHAPES[self.function][0]

    @property
    def options(self):
        """The keyword options of the call."""
        return _SHAPES[self.function][1]

    @property
    def is_exact(self):
        """Whole numbers; only the pool's division rounds."""
        return self.function != "pool.forward"

    @cached_property
    def result(self):
        """The shape of y, NHWC."""
        x, w = self.shapes["x"], self.shapes.get("w")
        if self.function in ("depthwise.forward", "conv.forward"):
            S, (top, bottom, left, right) = self.options["stride"], self.options["pad"]
            P, Q = (x[1] + top + bottom - w[0]) // S + 1, (x[2] + left + right - w[1]) // S + 1
            return (x[0], P, Q, w[-1])
        if self.function == "pool.forward":
            return (x[0], x[3])
        return x[:-1] + w[-1:] if w else x

    @cached_property
    def places(self):
        """Flat places in y, NHWC."""
        size = int(np.prod(self.result, dtype=np.int64))
        given = int(np.prod(self.shapes["x"], dtype=np.int64))
        ends = [0, size] + [power * size // given for power in (1 << 29, 1 << 30, 1 << 31)]
        ends += [1 << 29, 1 << 30, 1 << 31, 1 << 32]
        near = [end + step for end in ends for step in (-1, 0, 1)]
        drawn = np.random.PCG64(0).random_raw(_SAMPLES) % np.uint64(size)
        return np.array(sorted({k for k in (*near, *map(int, drawn)) if 0 <= k < size}), np.int64)

    @property
    def arrays(self):
        """What crosses to the kernel's process."""
        return {"places": self.places}

    @cached_property
    def want(self):
        """([answers at the places], [bounds])."""
        return self._at(reference(self.function))

    def proved(self):
        """The same by the oracle."""
        return self._at(prove.oracle(self.function))

    def placed(self, failure):
        """The failure with its index in y (NHWC), not in the sample."""
        at = tuple(map(int, np.unravel_index(int(self.places[failure.at[0]]), self.result)))
        return failure._replace(at=at, words=failure.words.replace(f"y[{failure.at[0]}]", f"y{list(at)}"))

    def _at(self, definition):
        found = [self._one(np.unravel_index(int(k), self.result), definition) for k in self.places]
        want, bound = (np.array(column, np.float64) for column in zip(*found, strict=True))
        return [want], [bound]

    def _one(self, at, definition):
        """(answer, bound) of one output: the function on what it sees."""
        given, options = self._window(at)
        given = [float64(a) for a in given]
        y = definition(*given, **options)
        bound = self.bounds(given, options, [y], definition)[0]
        where = (*(0,) * (y.ndim - 1), at[-1])
        return y[where], bound[where]

    def _window(self, at):
        """The arrays and options of a problem whose only pixel is this output."""
        rest = [_filled(name, shape) for name, shape in self.shapes.items() if name != "x"]
        options = {key: v for key, v in self.options.items() if key not in ("stride", "pad")}
        if self.function in ("depthwise.forward", "conv.forward"):
            S, pad, (Kh, Kw) = self.options["stride"], self.options["pad"], self.shapes["w"][:2]
            rows, columns = at[1] * S - pad[0] + np.arange(Kh), at[2] * S - pad[2] + np.arange(Kw)
            return [_cut(self.shapes["x"], at[0], rows, columns)[None], *rest], options
        x = self.shapes["x"]
        if self.function == "pool.forward":
            return [_cut(x, at[0], np.arange(x[1]), np.arange(x[2]))[None]], options
        if len(x) == 2:
            return [_known(np.arange(at[0] * x[1], (at[0] + 1) * x[1]))[None], *rest], options
        if self.function == "gate.forward":
            rest = [rest[0][at[0] : at[0] + 1]]
        return [_cut(x, at[0], at[1:2], at[2:3])[None], *rest], options


def problems(function, layout, taken):
    """The large problem of a function; SpecError where there is none."""
    if function not in _SHAPES:
        raise SpecError(f"verify.op: no large arrays for {function}, wanted one of {', '.join(_SHAPES)}")
    for name in _SHAPES[function][1]:
        if name not in taken:
            raise SpecError(f"verify.op: large arrays of {function} need {name}, which the kernel does not take")
    return [Large(function, f"{function} of {_SHAPES[function][0]['x']}", "integers", layout)]


def sampled(fn, problem):
    """The kernel as a function of places: makes the arrays, calls it, picks the outputs there."""

    def call(places, **options):
        row, arrays = TABLE[problem.function], [_filled(name, shape) for name, shape in problem.shapes.items()]
        if problem.layout != "NHWC":
            arrays = [np.ascontiguousarray(layouts.from_nhwc(kind, a)) for kind, a in zip(row.turns, arrays, strict=True)]
        y = np.asarray(fn(*arrays, **options))
        if problem.layout != "NHWC":
            y = layouts.to_nhwc(row.gives, y)
        if y.shape != problem.result:
            raise ValueError(f"the result has shape {y.shape}, wanted {problem.result} (NHWC)")
        return y[np.unravel_index(places, y.shape)]

    return call


def _known(places):
    """The pattern's values at flat places of x: whole numbers from -8 to 8."""
    return _pattern()[places % _PERIOD]


def _pattern():
    raw = np.random.PCG64(1).random_raw(_PERIOD)
    return ((raw >> np.uint64(32)) % np.uint64(17)).astype(np.float32) - 8


def _filled(name, shape):
    """A whole array: x by the pattern, the others as short ones of their own."""
    size = int(np.prod(shape, dtype=np.int64))
    if name != "x":
        return np.resize(np.roll(_pattern(), -7 * ord(name[0])), size).reshape(shape)
    x, pattern = np.empty(size, np.float32), _pattern()
    for first in range(0, size, _PERIOD):
        part = x[first : first + _PERIOD]
        part[...] = pattern[: len(part)]
    return x.reshape(shape)


def _cut(shape, n, rows, columns):
    """x[n, rows, columns, :], zero outside the image."""
    _, H, W, C = shape
    r, s = np.meshgrid(rows, columns, indexing="ij")
    inside = ((r >= 0) & (r < H) & (s >= 0) & (s < W))[..., None]
    flat = ((n * H + r) * W + s)[..., None] * C + np.arange(C)
    return np.where(inside, _known(np.where(inside, flat, 0)), np.float32(0))
