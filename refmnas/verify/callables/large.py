"""Arrays of more than 2 GiB, judged at sampled outputs: where 32-bit indices and offsets end.

The arrays are made in the kernel's own process, of a short pattern of whole numbers, so that every
sum is exact and any place of the input is known without it.  An output's answer is the reference's
on the window that it sees, cut out of the pattern.  Sampled are the first and the last outputs, those
around every power of two that an index or an offset can end at, and others drawn from a seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from math import isqrt

import numpy as np

from ... import layout as layouts
from ...backend import TABLE
from ...cases import prove
from ...errors import SpecError
from ..memory import available
from .problem import Problem, float64, reference

_PERIOD = 65_521  # a prime: a wrong offset of any power of two meets another value
_SAMPLES = 64
ELEMENTS = 1 << 29  # of x, at least: 2 GiB of float32


def _square(channels, elements, batch=1):
    """Images (batch, H, H, channels) of so many elements, H the least 6 k + 1: strides of 2 and 3 see the last row, too."""
    edge = isqrt(-(-elements // (batch * channels)) - 1) + 1
    edge += (1 - edge) % 6
    return (batch, edge, edge, channels)


def _rows(columns, elements):
    """The least (rows, columns) of so many elements, the rows odd."""
    return (-(-elements // columns) | 1, columns)


def _means(elements):
    """The least (N, 16, 16, 33) of so many elements, N odd."""
    return (-(-elements // (16 * 16 * 33)) | 1, 16, 16, 33)


_WINDOW = {"stride": 2, "pad": (1, 1, 1, 1)}
_POOL = {"kernel": (3, 3), "stride": 2, "pad": (0, 0, 0, 0)}
_NORM = {"gamma": (33,), "beta": (33,), "mean": (33,), "var": (33,)}

# function -> (shapes by name for so many elements of x, options)
_ROWS: dict = {
    "depthwise.forward": (lambda n: {"x": _square(33, n), "w": (3, 3, 33), "b": (33,)}, _WINDOW),
    "pointwise.forward": (lambda n: {"x": _square(33, n), "w": (33, 4), "b": (4,)}, {}),
    "conv.forward": (lambda n: {"x": _square(10, n), "w": (3, 3, 10, 4), "b": (4,)}, _WINDOW | {"stride": 3}),
    "gate.forward": (lambda n: {"x": _square(33, n, 2), "g": (2, 33)}, {}),
    "linear.forward": (lambda n: {"x": _rows(513, n), "w": (513, 3), "b": (3,)}, {}),
    "pool.forward": (lambda n: {"x": _means(n)}, {}),
    "average_pool.forward": (lambda n: {"x": _square(33, n)}, _POOL),
    "max_pool.forward": (lambda n: {"x": _square(33, n)}, _POOL),
    "batchnorm.forward_eval": (lambda n: {"x": _square(33, n)} | _NORM, {"eps": 1e-3}),
    "activation.forward": (lambda n: {"x": _rows(513, n)}, {"kind": "relu"}),
    "activation.backward": (lambda n: {"dy": _rows(513, n), "x": _rows(513, n)}, {"kind": "relu"}),
    "pool.backward": (lambda n: {"dy": _means(n)[::3], "x": _means(n)}, {}),
}
_ROUNDED = ("pool.forward", "pool.backward", "average_pool.forward", "batchnorm.forward_eval")  # they divide, or take a root
_WINDOWED = ("depthwise.forward", "conv.forward", "average_pool.forward", "max_pool.forward")


@dataclass(frozen=True, eq=False)
class Large(Problem):
    """One problem; what is called with `places` gives the outputs there."""

    @property
    def shapes(self):
        """{name: shape}, NHWC."""
        return _ROWS[self.function][0](ELEMENTS)

    @property
    def options(self):
        """The keyword options of the call."""
        return _ROWS[self.function][1]

    @property
    def is_exact(self):
        """Whole numbers; what divides rounds."""
        return self.function not in _ROUNDED

    @property
    def memory(self):
        """Bytes of the arrays and the result, and of one more of the largest where they are turned to another layout."""
        sizes = [4 * int(np.prod(shape, dtype=np.int64)) for shape in (*self.shapes.values(), self.result)]
        return sum(sizes) + (max(sizes) if self.layout != "NHWC" else 0)

    @cached_property
    def _kernel(self):
        return tuple(self.options.get("kernel", self.shapes.get("w", ())[:2]))

    @cached_property
    def result(self):
        """The shape of y, NHWC."""
        x, w = self.shapes["x"], self.shapes.get("w")
        if self.function in _WINDOWED:
            (Kh, Kw), S, (top, bottom, left, right) = self._kernel, self.options["stride"], self.options["pad"]
            P, Q = (x[1] + top + bottom - Kh) // S + 1, (x[2] + left + right - Kw) // S + 1
            return (x[0], P, Q, w[-1] if w else x[3])
        if self.function == "pool.forward":
            return (x[0], x[3])
        return x[:-1] + w[-1:] if w else x

    @cached_property
    def places(self):
        """Flat places in y, NHWC."""
        size = int(np.prod(self.result, dtype=np.int64))
        given = int(np.prod(self.shapes["x"], dtype=np.int64))
        ends = [0, size] + [power * size // given for power in (ELEMENTS, 2 * ELEMENTS, 4 * ELEMENTS)]
        ends += [ELEMENTS, 2 * ELEMENTS, 4 * ELEMENTS, 8 * ELEMENTS]
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
        y = prove.results(definition(*given, **options))
        bound = self.bounds(given, options, y, definition)[0]
        where = (*(0,) * (y[0].ndim - 1), at[-1])
        return y[0][where], bound[where]

    def _window(self, at):
        """The arrays, in order, and the options of a problem whose only pixel is this output."""
        seen = {name: self._seen(name, shape, at) for name, shape in self.shapes.items()}
        kept = {key: v for key, v in self.options.items() if key not in ("stride", "pad")}
        return list(seen.values()), kept

    def _seen(self, name, shape, at):
        """What one output sees of an array."""
        if name not in ("x", "dy", "g"):
            return _filled(name, shape)
        if len(shape) == 2:
            return _known(name, np.arange(at[0] * shape[1], (at[0] + 1) * shape[1]))[None]
        if self.function in _WINDOWED:
            S, pad, (Kh, Kw) = self.options["stride"], self.options["pad"], self._kernel
            rows, columns = at[1] * S - pad[0] + np.arange(Kh), at[2] * S - pad[2] + np.arange(Kw)
        elif self.function.startswith("pool."):
            rows, columns = np.arange(shape[1]), np.arange(shape[2])
        else:
            rows, columns = at[1:2], at[2:3]
        return _cut(name, shape, at[0], rows, columns)[None]


def problems(function, layout, taken):
    """The large problem of a function; SpecError where there is none, or the machine lacks the memory for it."""
    if function not in _ROWS:
        raise SpecError(f"verify.op: no large arrays for {function}, wanted one of {', '.join(_ROWS)}")
    for name in _ROWS[function][1]:
        if name not in taken:
            raise SpecError(f"verify.op: large arrays of {function} need {name}, which the kernel does not take")
    problem = Large(function, f"{function} of {_ROWS[function][0](ELEMENTS)['x']}", "integers", layout)
    free = available()
    if free is not None and problem.memory > free:
        wanted = f"{problem.memory / 2**30:.1f} GiB beside the kernel's own"
        raise SpecError(f"verify.op: large arrays of {function} want {wanted}, {free / 2**30:.1f} GiB are free")
    return [problem]


def sampled(fn, problem):
    """The kernel as a function of places: makes the arrays, calls it, picks the outputs there."""

    def call(places, **options):
        row, arrays = TABLE[problem.function], [_filled(name, shape) for name, shape in problem.shapes.items()]
        if problem.layout != "NHWC":
            arrays = [np.ascontiguousarray(layouts.from_nhwc(kind, a)) for kind, a in zip(row.turns, arrays, strict=True)]
        y = np.asarray(prove.results(fn(*arrays, **options))[0])
        if problem.layout != "NHWC":
            y = layouts.to_nhwc(row.gives, y)
        if y.shape != problem.result:
            raise ValueError(f"the result has shape {y.shape}, wanted {problem.result} (NHWC)")
        return y[np.unravel_index(places, y.shape)]

    return call


def _known(name, places):
    """The pattern's values at flat places of an array: whole numbers from -8 to 8, of a variance from 1 to 17."""
    first = 0 if name == "x" else 7 * ord(name[0])
    found = _pattern()[(places + first) % _PERIOD]
    return found + 9 if name == "var" else found


@cache
def _pattern():
    raw = np.random.PCG64(1).random_raw(_PERIOD)
    return ((raw >> np.uint64(32)) % np.uint64(17)).astype(np.float32) - 8


def _filled(name, shape):
    """A whole array."""
    size = int(np.prod(shape, dtype=np.int64))
    a, pattern = np.empty(size, np.float32), _known(name, np.arange(_PERIOD))
    for first in range(0, size, _PERIOD):
        part = a[first : first + _PERIOD]
        part[...] = pattern[: len(part)]
    return a.reshape(shape)


def _cut(name, shape, n, rows, columns):
    """Its pixels in image n at these rows and columns, zero outside the image."""
    _, H, W, C = shape
    r, s = np.meshgrid(rows, columns, indexing="ij")
    inside = ((r >= 0) & (r < H) & (s >= 0) & (s < W))[..., None]
    flat = ((n * H + r) * W + s)[..., None] * C + np.arange(C)
    return np.where(inside, _known(name, np.where(inside, flat, 0)), np.float32(0))
