"""Axis orders at the border: inside refmnas everything is NHWC.

One table serves the `layout="NCHW"` of the public ops and the readers of other
frameworks' weights.  Each kind of array has our order and the order that goes
with NCHW frameworks; both directions are axis permutations (and, for weights
that are matrices here, two axes of length 1), returned as views.
"""

from .errors import ShapeError, SpecError

IMAGE = "image"  # (N, H, W, C)       <-> (N, C, H, W)
CONV = "conv"  # (Kh, Kw, C, D)     <-> (D, C, Kh, Kw)
DEPTHWISE = "depthwise"  # (Kh, Kw, C)        <-> (C, 1, Kh, Kw)
POINTWISE = "pointwise"  # (C, D)             <-> (D, C, 1, 1)
LINEAR = "linear"  # (C, D)             <-> (D, C)
PLAIN = "plain"  # left as it is

LAYOUTS = ("NHWC", "NCHW")

# kind -> (rank there, rank here)
_RANKS = {IMAGE: (4, 4), CONV: (4, 4), DEPTHWISE: (4, 3), POINTWISE: (4, 2), LINEAR: (2, 2)}


def to_nhwc(kind, a):
    """A view of an NCHW-side array in our order."""
    if kind == PLAIN or a is None:
        return a
    if a.ndim != _RANKS[kind][0]:
        raise ShapeError(f"layout NCHW: {kind} array has shape {a.shape}, wanted rank {_RANKS[kind][0]}")
    if kind == IMAGE:
        return a.transpose(0, 2, 3, 1)
    if kind == CONV:
        return a.transpose(2, 3, 1, 0)
    if kind == DEPTHWISE:
        if a.shape[1] != 1:
            raise ShapeError(f"layout NCHW: depthwise weight has shape {a.shape}, wanted (C, 1, Kh, Kw)")
        return a[:, 0].transpose(1, 2, 0)
    if kind == POINTWISE:
        if a.shape[2:] != (1, 1):
            raise ShapeError(f"layout NCHW: pointwise weight has shape {a.shape}, wanted (D, C, 1, 1)")
        return a[:, :, 0, 0].T
    return a.T


def from_nhwc(kind, a):
    """A view of one of our arrays in the order of the NCHW side; inverse of `to_nhwc`."""
    if kind == PLAIN or a is None:
        return a
    if a.ndim != _RANKS[kind][1]:
        raise ShapeError(f"layout NHWC: {kind} array has shape {a.shape}, wanted rank {_RANKS[kind][1]}")
    if kind == IMAGE:
        return a.transpose(0, 3, 1, 2)
    if kind == CONV:
        return a.transpose(3, 2, 0, 1)
    if kind == DEPTHWISE:
        return a.transpose(2, 0, 1)[:, None]
    if kind == POINTWISE:
        return a.T[:, :, None, None]
    return a.T


def check(layout, where):
    """SpecError unless `layout` is one of LAYOUTS."""
    if layout not in LAYOUTS:
        raise SpecError(f"{where}: layout is {layout!r}, wanted one of {', '.join(LAYOUTS)}")
