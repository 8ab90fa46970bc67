"""What this processor can do at most, measured now: a processor's clock moves, so yesterday's peak judges nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from .. import kernels
from . import machine

SPAN_S = 0.002  # of one measurement
TRIES = 10
LEVELS = ("L1", "L2", "L3")
DEFAULT = {"L1": 32 << 10, "L2": 512 << 10, "L3": 16 << 20}  # where the system does not tell
LINE = 16  # floats of a cache line
MOST_BYTES = 256 << 20


@dataclass
class Ceilings:
    """Best rates of one core: operations per second by width, bytes per second by level."""

    flops: dict[int, float] = field(default_factory=dict)  # lanes -> floating-point operations per second
    bytes: dict[str, float] = field(default_factory=dict)  # L1, L2, L3, DRAM -> bytes read per second

    @property
    def peak(self):
        """Operations per second at the best width; None where this build has no multiply-add to measure."""
        return max(self.flops.values(), default=None)

    def raise_to(self, other):
        """Keep the better of two measurements."""
        for ours, theirs in ((self.flops, other.flops), (self.bytes, other.bytes)):
            for key, value in theirs.items():
                ours[key] = max(value, ours.get(key, 0.0))
        return self

    def record(self):
        return {
            "gflops": {str(lanes): value / 1e9 for lanes, value in self.flops.items()},
            "gbytes_per_s": {level: value / 1e9 for level, value in self.bytes.items()},
        }


def peak(lanes=None, now=perf_counter):
    """Ceilings of multiply-adds alone, of one width or of all: some 20 ms each."""
    return Ceilings(flops={n: _best(_multiply_adds(n), now) for n in _widths() if lanes in (None, n)})


def measured(now=perf_counter):
    """Multiply-adds of every width, and reading from every level."""
    found, widths = peak(now=now), _widths()
    if widths:
        for level, size in sizes(machine.caches()).items():
            found.bytes[level] = _best(_reading(widths[-1], size), now)
    return found


def widest():
    """Lanes of the widest vector with a multiply-add; None where there is none."""
    return max(_widths(), default=None)


def sizes(caches):
    """Bytes of an array that lies in each level and not in the one below, and of one that lies in none.

    >>> sizes({"L1": 32768, "L2": 524288, "L3": 33554432})
    {'L1': 16384, 'L2': 262144, 'L3': 4194304, 'DRAM': 134217728}
    """
    known = DEFAULT | {level: size for level, size in caches.items() if level in LEVELS}
    found = {"L1": known["L1"] // 2, "L2": known["L2"] // 2, "L3": min(8 * known["L2"], known["L3"] // 2)}
    found["DRAM"] = min(4 * known["L3"], MOST_BYTES)
    return {level: max(size, 1024) // 1024 * 1024 for level, size in found.items()}


def _widths():
    if not kernels.built():
        return ()
    from ..kernels import peak

    return peak.widths()


def _multiply_adds(lanes):
    from ..kernels import peak

    return lambda times: peak.multiply_add(lanes, 1000 * times)


def _reading(lanes, size):
    from ..kernels import peak

    room = np.ones(size // 4 + LINE, np.float32)  # every page written: reading zeros would read one page
    at = -room.ctypes.data % (4 * LINE) // 4
    x = room[at : at + size // 4]
    return lambda times: peak.read(lanes, x, times)


def _best(work, now):
    """The best rate of TRIES measurements of about SPAN_S each; `work(times)` returns how much it did."""
    times = 1
    while (spent := _seconds(work, times, now)[0]) < SPAN_S / 4 and times < 1 << 40:
        times *= 4
    times = max(1, round(times * SPAN_S / spent))
    return max(done / spent for spent, done in (_seconds(work, times, now) for _ in range(TRIES)))


def _seconds(work, times, now):
    begin = now()
    done = work(times)
    return max(now() - begin, 1e-9), done
