"""LAYOUT-WEIGHT, LAYOUT-DATA, MULTIPLIER-ORDER, CLASS-SHIFT: arrays read in another order."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from ..part import WEIGHED
from .cause import CONVENTION, RERUN, Candidate

# from ours to PyTorch's axes
_TORCH = {"conv": (3, 2, 0, 1), "depthwise": (2, 0, 1), "pointwise": (1, 0), "linear": (1, 0)}


def candidates(look, context):
    for part in look.part(*WEIGHED):
        yield from _weights(look, part)
        if part.inputs[0] in look.segment.feeds:
            yield from _inputs(look, part, context)
    yield from _outputs(look, context)


def _weights(look, part):
    w = part.arrays["w"]
    seen = [w]
    for told, array in _orders(part.op, w):
        if array.shape == w.shape and not any(array is s or np.array_equal(array, s) for s in seen):
            seen.append(array)
            yield Candidate("LAYOUT-WEIGHT", look.with_part(part, arrays={"w": array}), f"agrees with the weight {told}")
    yield from _groups(look, part, w)


def _orders(op, w):
    """(what was done, array): axes exchanged, memory read in another order, axes turned round."""
    if op in ("conv", "depthwise"):
        yield "with its taps transposed", w.swapaxes(0, 1)
        yield "with its taps turned by 180 degrees", w[::-1, ::-1]
        yield "with its rows of taps turned round", w[::-1]
        yield "with its columns of taps turned round", w[:, ::-1]
    yield "with its output channels turned round", w[..., ::-1]
    if w.ndim > 1 and op != "depthwise":
        yield "with its input channels turned round", np.flip(w, w.ndim - 2)
    if op in ("pointwise", "linear") and w.shape[0] == w.shape[1]:
        yield "transposed", w.T
    theirs = w.transpose(_TORCH[op])
    back = np.argsort(_TORCH[op])
    for axes in permutations(range(w.ndim)):
        yield f"read as if its axes lay in the order {axes}", np.ascontiguousarray(w.transpose(axes)).reshape(w.shape)
        yield f"written by axes {axes}, read as ours", _read(w, axes)
        told = np.ascontiguousarray(theirs.transpose(axes)).reshape(theirs.shape).transpose(back)
        yield f"read as if PyTorch's axes lay in the order {axes}", told
        yield f"written by axes {axes}, read as PyTorch's", _read(theirs, axes).transpose(back)


def _read(w, axes):
    """The buffer of w taken for one whose axes are those of w.transpose(axes), turned back."""
    return np.ascontiguousarray(w).reshape([w.shape[a] for a in axes]).transpose(np.argsort(axes))


def _groups(look, part, w):
    """Output channels numbered the other way round, of a multiplier or of groups."""
    groups, channels = part.options.get("groups", 1), w.shape[-1]
    if groups == 1 or channels == groups:
        return
    for rows in (groups, channels // groups):
        order = np.arange(channels).reshape(rows, -1).T.ravel()
        arrays = {key: a[..., order] for key, a in part.arrays.items()}
        told = f"agrees with output channels numbered {channels // rows} by {rows} the other way round"
        yield Candidate("MULTIPLIER-ORDER", look.with_part(part, arrays=arrays), told)
        segment = look.with_part(part)
        came = np.empty_like(look.came)
        came[..., order] = look.came
        yield Candidate("MULTIPLIER-ORDER", _replaced(segment, came), told)


def _replaced(segment, came):
    from dataclasses import replace

    return replace(segment, came=came)


def _inputs(look, part, context):
    name = part.inputs[0]
    x = np.asarray(look.segment.feeds[name], np.float64)
    code = "PRE-CHANNELS" if look.is_first else "LAYOUT-DATA"
    for told, array in _data(x):
        if array.shape == x.shape:
            yield Candidate(
                code, look.with_feed(name, array), f"agrees with its input {told}", CONVENTION if look.is_first else RERUN
            )
    if part.op == "linear" and part.inputs[0] in context.by_name:
        yield from _flattened(look, part, context)


def _data(x):
    if x.ndim == 4:
        n, h, w, c = x.shape
        yield "with rows and columns exchanged", x.swapaxes(1, 2)
        yield "with its columns turned round", x[:, :, ::-1]
        yield "with its rows turned round", x[:, ::-1]
        yield "turned by 180 degrees", x[:, ::-1, ::-1]
        yield "NHWC read as NCHW", np.ascontiguousarray(x).reshape(n, c, h, w).transpose(0, 2, 3, 1)
        yield "NCHW read as NHWC", np.ascontiguousarray(x.transpose(0, 3, 1, 2)).reshape(n, h, w, c)
    yield "with its channels turned round", x[..., ::-1]
    if len(x) > 1:
        yield "with its images in another order", x[::-1]


def _flattened(look, part, context):
    """A map flattened channel by channel for pixel by pixel, or the other way round."""
    w, shape = part.arrays["w"], context.by_name[part.inputs[0]].shape
    before = context.by_name[part.inputs[0]]
    for shape in {before.shape, *(context.by_name[n].shape for n in before.inputs if n in context.by_name)}:
        if len(shape) == 3 and int(np.prod(shape)) == len(w) and shape[0] * shape[1] > 1:
            h, width, c = shape
            for a, b in (((c, h, width), (1, 2, 0)), ((h, width, c), (2, 0, 1))):
                array = w.reshape(*a, -1).transpose(*b, 3).reshape(w.shape)
                yield Candidate(
                    "LAYOUT-DATA",
                    look.with_part(part, arrays={"w": array}),
                    "agrees with its input flattened in the other order",
                )


def _outputs(look, context):
    came = look.came
    if look.last.op in ("linear", "act") and came.ndim == 2 and not _read_on(look, context):
        for step in (1, -1):
            yield Candidate(
                "CLASS-SHIFT",
                _replaced(look.segment, np.roll(came, step, axis=1)),
                f"agrees with classes shifted by {-step}",
                CONVENTION,
            )
            inside = _shifted(look, step)
            if inside is not None:
                yield inside
    for told, array in _data(came):
        if array.shape == came.shape:
            yield Candidate("LAYOUT-DATA", _replaced(look.segment, array), f"agrees with its output {told}")


def _read_on(look, context):
    return any(look.last.name in part.inputs for part in context.parts)


def _shifted(look, step):
    """All classes but the one at the end."""
    from ..segment import ratios

    cut = (slice(None), slice(1, None)) if step > 0 else (slice(None), slice(None, -1))
    moved = np.roll(look.came, step, axis=1)
    margin = float(ratios(look.y[cut], look.error[cut], moved[cut]).max(initial=0.0))
    return Candidate("CLASS-SHIFT", None, f"agrees with classes shifted by {-step}, but for the end", RERUN, margin=margin)
