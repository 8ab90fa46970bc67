"""What a time is bounded by: operations over the peak, bytes over the bandwidth; the greater of the two."""

from __future__ import annotations

from typing import NamedTuple


class Work(NamedTuple):
    """What a network or a step does for one image or one run."""

    flops: int
    bytes: int

    @property
    def intensity(self):
        """Operations per byte."""
        return self.flops / self.bytes if self.bytes else float("inf")


def of(nodes, batch=1):
    """The Work of folded nodes: two operations per multiply-add; weights once, image and logits of each."""
    flops = 2 * sum(n.macs for n in nodes) * batch
    size = 4 * sum(a.size for n in nodes for a in (n.w, n.b) if a is not None)
    height, width, channels = nodes[0].shape_in
    return Work(flops, size + 4 * batch * (height * width * channels + nodes[-1].shape[0]))


def level(size, caches):
    """The level of memory that `size` bytes lie in.

    >>> level(17_000_000, {"L1": 32768, "L2": 524288, "L3": 33554432}), level(10**9, {})
    ('L3', 'DRAM')
    """
    return min((name for name in caches if size <= caches[name]), key=lambda name: caches[name], default="DRAM")


def bound_s(work, peak, bandwidth, threads=1):
    """(seconds, "FMA" or "bytes"): nothing is faster, by what was measured.  A rate that is not known bounds nothing."""
    by = {
        "FMA": work.flops / (peak * threads) if peak else 0.0,
        "bytes": work.bytes / bandwidth if bandwidth else 0.0,
    }
    what = max(by, key=lambda key: by[key])
    return by[what], what
