"""What sound float32 runs of a network deviate by, in the logits.

measured    the largest deviation among the run in float64, that of the NumPy reference in float32 and, where C is
            built, that of the kernels: of these images, and no promise for others
bounded     no float32 run, in any order of summation, deviates by more: of the whole network by the running error, which
            grows from layer to layer until it says nothing; of the last layer alone, fed what the run itself fed it
"""

from __future__ import annotations

from itertools import permutations

import numpy as np

from ..part import IMAGE
from ..segment import Segment, bounded, expected, followed


def deviation(sound, rtol=None):
    """{"measured", "bounded", "bounded_last_layer"}: each {"atol", "rtol"}, the tightest tolerance with the other one 0.

    With `rtol` each has "atol_beside_rtol", too.  None is a bound that is not finite, which no tolerance reaches.
    """
    whole = Segment(sound.last, tuple(sound.parts), {IMAGE: sound.x}, sound.values[sound.last])
    y, error = bounded(followed(whole))
    last = sound.by_name[sound.last]
    own = Segment(last.name, (last,), {name: sound.values[name] for name in last.inputs}, sound.values[last.name])
    runs = (y, sound.values[sound.last], sound.by_numpy)
    measured = [_figures(np.abs(a.astype(np.float64) - b), a, rtol) for a, b in permutations(runs, 2)]
    return {
        "measured": {key: max(each[key] for each in measured) for key in measured[0]},
        "bounded": _figures(error, y, rtol),
        "bounded_last_layer": _figures(*expected(own)[::-1], rtol),
    }


def _figures(off, y, rtol):
    """The least atol and the least rtol that let `off` pass beside y, and the least atol beside the user's rtol."""
    y = np.abs(y)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        found = {"atol": off, "rtol": np.where(off == 0, 0.0, off / y)}
        if rtol is not None:
            found["atol_beside_rtol"] = np.maximum(off - rtol * y, 0.0)
    largest = {key: float(a.max(initial=0.0)) for key, a in found.items()}
    return {key: value if np.isfinite(value) else None for key, value in largest.items()}
