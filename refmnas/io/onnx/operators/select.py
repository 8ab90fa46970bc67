"""Elements put side by side, cut out or added around: Concat, Slice, Gather, Pad.

    Slice    of an axis the indices start, start + step, ... before end; ends beyond the
             axis are held to it, negative ones count from its end                       (1)
    Gather   y[..., i, ...] = x[..., indices[i], ...] along one axis                     (2)
    Pad      constant, edge (the nearest element), reflect (mirrored about the edge
             element), wrap (the axis repeats); a negative pad cuts                      (3)

Source: ONNX operators Concat-4, 11, 13; Slice-1, 10, 11, 13; Gather-1, 11, 13; Pad-2, 11, 13, 18, 19 to 25.
"""

from __future__ import annotations

import numpy as np

from ....errors import DataError, ShapeError, SpecError
from .record import ALL, FLOATS, NUMBERS, Attribute, Info, Operator, Version, agree, axes, axis, numbers, ranked, text


def _concat_rule(a, x):
    known = [info.shape for info in x if info.shape is not None]
    if not known:
        return [Info(x[0].dtype)]
    rank = len(known[0])
    at, total, shape = axis(a["axis"], rank), 0, list(known[0])
    for info in x:
        if info.shape is None:
            total = None
            continue
        agree(rank, len(info.shape), "axes of the operands")
        total = None if total is None or info.shape[at] is None else total + info.shape[at]
        shape = [n if k == at else agree(n, info.shape[k], f"axis {k} of the operands") for k, n in enumerate(shape)]
    shape[at] = total
    return [Info(x[0].dtype, tuple(shape))]


def _slices(a, x, starts, ends, over, steps):
    """[(axis, start, end, step)] as given, or None where they are not known."""
    operands = {"starts": starts, "ends": ends, "axes": over, "steps": steps}
    given = {name: numbers(info, name) for name, info in operands.items()}
    if x.shape is None or any(given[name] is None for name, info in operands.items() if info is not None):
        return None
    begin, end, chosen, step = given.values()
    chosen = list(range(len(begin))) if chosen is None else chosen
    step = [1] * len(begin) if step is None else step
    if not len(begin) == len(end) == len(chosen) == len(step):
        raise ShapeError(f"{len(begin)} starts, {len(end)} ends, {len(chosen)} axes, {len(step)} steps, wanted as many of each")
    if 0 in step:
        raise SpecError(f"steps are {tuple(step)}, wanted none of 0")
    return list(zip(axes(chosen, len(x.shape)), begin, end, step, strict=True))


def _held(extent, start, end, step):
    """Equation (1): a slice for one axis of known extent."""
    low, high = (0, extent) if step > 0 else (-1, extent - 1)
    start, end = (min(max(n + extent if n < 0 else n, low), high) for n in (start, end))
    return slice(start, None if end < 0 else end, step) if (end - start) * step > 0 else slice(0, 0)


def _slice_rule(a, x, starts, ends, over=None, steps=None):
    chosen = _slices(a, x, starts, ends, over, steps)
    if chosen is None:
        return [Info(x.dtype, None if x.shape is None else (None,) * len(x.shape))]
    shape = list(x.shape)
    for k, start, end, step in chosen:
        shape[k] = None if shape[k] is None else len(range(shape[k])[_held(shape[k], start, end, step)])
    return [Info(x.dtype, tuple(shape))]


def _slice(a, x, starts, ends, over=None, steps=None):
    infos = [None if v is None else Info(v.dtype, v.shape, v) for v in (starts, ends, over, steps)]
    index = [slice(None)] * x.ndim
    for k, start, end, step in _slices(a, Info(x.dtype, x.shape), *infos):
        index[k] = _held(x.shape[k], start, end, step)
    return x[tuple(index)]


def _gather_rule(a, x, indices):
    rank = ranked(x, 1)
    at = axis(a["axis"], rank)
    if rank is None or indices.shape is None:
        return [Info(x.dtype)]
    n = x.shape[at]
    if indices.value is not None and n is not None and indices.value.size:
        low, high = int(indices.value.min()), int(indices.value.max())
        if low < -n or high >= n:
            raise DataError(f"indices are {low} to {high}, the axis has {n} elements")
    return [Info(x.dtype, (*x.shape[:at], *indices.shape, *x.shape[at + 1 :]))]


def _pads(x, pads, over):
    """[(before, after)] for every axis, or None where they are not known."""
    given, chosen = numbers(pads, "pads"), None if over is None else numbers(over, "axes")
    if x.shape is None or given is None or (over is not None and chosen is None):
        return None
    rank = len(x.shape)
    chosen = list(range(rank)) if chosen is None else axes(chosen, rank)
    agree(len(given), 2 * len(chosen), "pads, and twice the axes")
    found = [(0, 0)] * rank
    for k, pair in zip(chosen, zip(given[: len(chosen)], given[len(chosen) :], strict=True), strict=True):
        found[k] = pair
    return found


def _pad_rule(a, x, pads, value=None, over=None):
    found = _pads(x, pads, over)
    if value is not None and value.shape is not None and (len(value.shape) > 1 or value.shape not in ((), (1,), (None,))):
        raise ShapeError(f"constant_value has shape {text(value.shape)}, wanted one number")
    if found is None:
        return [Info(x.dtype, None if x.shape is None else (None,) * len(x.shape))]
    shape = []
    for n, (before, after) in zip(x.shape, found, strict=True):
        if n is not None and n + before + after < 0:
            raise ShapeError(f"pads ({before}, {after}) of an axis of {n}, wanted at least nothing left")
        left = None if n is None else n + min(before, 0) + min(after, 0)
        if left is not None and a["mode"] != "constant" and max(before, after) > 0 and left <= (a["mode"] == "reflect"):
            raise ShapeError(f"mode {a['mode']} pads an axis of {n} by ({before}, {after}), wanted more elements there")
        shape.append(None if n is None else n + before + after)
    return [Info(x.dtype, tuple(shape))]


_MODES = {"constant": "constant", "edge": "edge", "reflect": "reflect", "wrap": "wrap"}  # NumPy's words


def _pad(a, x, pads, value=None, over=None):
    """Equation (3): cut first, then add."""
    found = _pads(Info(x.dtype, x.shape), Info(pads.dtype, pads.shape, pads),
                  None if over is None else Info(over.dtype, over.shape, over))  # fmt: skip
    cut = tuple(slice(max(-before, 0), n - max(-after, 0)) for n, (before, after) in zip(x.shape, found, strict=True))
    width = [(max(before, 0), max(after, 0)) for before, after in found]
    if a["mode"] != "constant" and x.ndim:  # without axes there is nothing to pad, which NumPy takes for no whole numbers
        return np.pad(x[cut], width, mode=_MODES[a["mode"]])
    number = x.dtype.type(0) if value is None else value.reshape(())
    y = np.full([n + sum(pair) for n, pair in zip(x.shape, found, strict=True)], number, x.dtype)
    inside = x[tuple(slice(max(-b, 0), max(max(-b, 0), n - max(-e, 0))) for n, (b, e) in zip(x.shape, found, strict=True))]
    y[tuple(slice(max(b, 0), max(b, 0) + n) for n, (b, _) in zip(inside.shape, found, strict=True))] = inside
    return y


_LISTS = {"starts": Attribute("ints"), "ends": Attribute("ints"), "axes": Attribute("ints", None)}
_AT = {"axis": Attribute("int", 0)}


def _mode(*choices):
    return {"mode": Attribute("text", "constant", choices)}


_PAST = {"pads": Attribute("ints"), "value": Attribute("float", 0.0)}
_THREE = ("constant", "reflect", "edge")

TABLE = {
    "Concat": Operator(_concat_rule, lambda a, x: np.concatenate(x, axis=a["axis"]), (
        Version(4, "x*", ALL, {"axis": Attribute("int")}),
    )),
    "Slice": Operator(_slice_rule, _slice, (
        Version(1, "x", ALL, _LISTS, moved={"starts": "starts", "ends": "ends", "axes": "over"}),
        Version(10, "x starts:I ends:I over?:I steps?:I", ALL),
    )),
    "Gather": Operator(_gather_rule, lambda a, x, indices: np.take(x, indices, axis=a["axis"]), (
        Version(1, "x indices:I", ALL, _AT),
    )),
    "Pad": Operator(_pad_rule, _pad, (
        Version(2, "x", FLOATS, _PAST | _mode(*_THREE), moved={"pads": "pads", "value": "value"}),
        Version(11, "x pads:L value?", NUMBERS, _mode(*_THREE)),
        Version(13, "x pads:L value?", ALL, _mode(*_THREE)),
        Version(18, "x pads:L value? over?:I", ALL, _mode(*_THREE)),
        Version(19, "x pads:L value? over?:I", ALL, _mode(*_THREE, "wrap")),
    )),
}  # fmt: skip
