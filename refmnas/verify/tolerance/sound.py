"""What sound float32 runs of a network deviate by, in the logits.

    measured    the largest deviation among the run in float64, that of the NumPy reference in float32 and, where C is
                built, that of the kernels: of these images, and no promise for others
    bounded     no float32 run, in any order of summation, deviates by more: of the whole network by the running error, which
                grows from layer to layer until it says nothing; of the last layer alone, fed what the run itself fed it
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ..part import IMAGE
from ..segment import Segment, bounded, expected, followed


def deviation(sound):
    """{"measured", "bounded", "bounded_last_layer"}: each {"atol", "rtol"}, the tightest tolerance with the other one 0."""
    whole = Segment(sound.last, tuple(sound.parts), {IMAGE: sound.x}, sound.values[sound.last])
    y, error = bounded(followed(whole))
    last = sound.by_name[sound.last]
    own = Segment(last.name, (last,), {name: sound.values[name] for name in last.inputs}, sound.values[last.name])
    runs = (y, sound.values[sound.last], sound.by_numpy)
    measured = [_figures(np.abs(a - b), a) for a, b in (*combinations(runs, 2), *combinations(runs[::-1], 2))]
    return {
        "measured": {key: max(each[key] for each in measured) for key in ("atol", "rtol")},
        "bounded": _figures(error, y),
        "bounded_last_layer": _figures(*expected(own)[::-1]),
    }


def _figures(off, y):
    """The least atol and the least rtol that let `off` pass beside y; None where none does."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        relative = np.where(off == 0, 0.0, off / np.abs(y))
    return {"atol": float(off.max(initial=0.0)), "rtol": float(relative.max(initial=0.0))}
