"""One array between a source's layout and ours, checked.

PyTorch's layouts turn by `refmnas.layout`; TensorFlow's differ from ours by axes of
length 1 alone.  Where a source has classes before ImageNet's (the background), they are
cut off coming in, kept beside, and put back going out.
"""

from __future__ import annotations

import numpy as np

from ... import layout
from ...errors import FormatError, ShapeError

TENSORFLOW = ("tf", "slim")
CUT = "[background]"  # after an entry's name: the part of it that was cut off


def inward(a, key, wanted, source):
    """A source's array in our layout, its shape that of `wanted` (an inventory.Array)."""
    if a.dtype.kind not in "fiu":
        raise FormatError(f"names: {key} is {a.dtype}, wanted numbers")
    try:
        ours = _squeezed(a, wanted) if source in TENSORFLOW else a
        ours = ours if source in (*TENSORFLOW, "refmnas") else layout.to_nhwc(_kind(wanted, source), a)
    except ShapeError:
        ours = None
    if ours is None or ours.shape != wanted.shape:
        raise FormatError(f"names: {key} has shape {a.shape}, wanted {shape_there(wanted, source)}")
    return ours


def _kind(wanted, source):
    return layout.LINEAR if source in wanted.linear_in else wanted.kind


def outward(a, wanted, source):
    """One of our arrays in a source's layout; inverse of `inward`."""
    if source == "refmnas":
        return a
    if source not in TENSORFLOW:
        return layout.from_nhwc(_kind(wanted, source), a)
    if wanted.kind == layout.DEPTHWISE:
        return a[..., None]
    is_wide = wanted.kind == layout.LINEAR and source == "slim" and source not in wanted.linear_in
    if wanted.kind == layout.POINTWISE or is_wide:
        return a[None, None]
    return a


def _squeezed(a, wanted):
    """HWIO without the axes of length 1 that we have not."""
    if wanted.kind == layout.DEPTHWISE and a.ndim == 4 and a.shape[3] == 1:
        return a[..., 0]
    if wanted.kind in (layout.POINTWISE, layout.LINEAR) and a.ndim == 4 and a.shape[:2] == (1, 1):
        return a[0, 0]
    return a


def shape_there(wanted, source):
    """The shape that a source gives an array of ours."""
    probe = np.lib.stride_tricks.as_strided(np.zeros(1), wanted.shape, (0,) * len(wanted.shape))
    return outward(probe, wanted, source).shape


def without_background(a, offset, classes):
    """(the classes' part, the part before it or None); classes are the last axis, in any of TensorFlow's layouts."""
    if offset and a.ndim and a.shape[-1] == classes + offset:
        return a[..., offset:], a[..., :offset]
    return a, None
