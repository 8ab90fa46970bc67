"""A user's tensors by our names, channels last: whose names they are and in which order of axes is found out, and said."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from ..errors import DataError, DtypeError, FormatError, RefmnasError, ShapeError
from ..models import naming
from . import modules
from .part import IMAGE

INPUT = ("input", "input.1", "images", "x")
_OPS = ("Conv2D", "BiasAdd", "depthwise", "FusedBatchNorm", "FusedBatchNormV3", "MatMul", "convolution")
_TYPES = {np.dtype(np.float32), np.dtype(np.float64)}


@dataclass(frozen=True)
class Named:
    """What was recognised.

    source    whose names
    layout    NCHW or NHWC: how the tensors of images came
    tensors   {our part: array}, channels last, `input` among them
    theirs    {our part: their name}
    unknown   names that helped nothing
    """

    source: str
    layout: str
    tensors: dict[str, np.ndarray]
    theirs: dict[str, str]
    unknown: tuple[str, ...] = field(default=())


def fed(captured, claim):
    """(name, array channels last) of what was fed to the network.

    Raises   FormatError for an empty capture; DataError where there is no input, or it is not finite; ShapeError and
             DtypeError where it is no batch of images.
    """
    if not captured:
        raise FormatError("verify: the capture is empty, wanted tensors by the names of modules")
    key = next((key for key in INPUT if key in captured), None)
    if key is None:
        near = difflib.get_close_matches("input", captured, 1)
        hint = f" (nearest: {near[0]!r})" if near else ""
        raise DataError(f"verify: the capture has no 'input'{hint}, wanted what was fed to the network beside its tensors")
    x = _checked(key, captured[key], claim)
    if x.ndim != 4 or 3 not in (x.shape[1], x.shape[3]) or not x.size:
        raise ShapeError(f"verify: {key} has shape {x.shape}, wanted (N, 3, H, W) or (N, H, W, 3)")
    if not np.isfinite(x).all():
        place = tuple(int(k) for k in np.argwhere(~np.isfinite(x))[0])
        raise DataError(f"verify: {key} has {x[place]} at {place}, wanted finite values")
    return key, np.ascontiguousarray(x.transpose(0, 2, 3, 1) if x.shape[1] == 3 else x)


def placed(captured, names, parts, x, source, claim):
    """`Named`: every known tensor turned to channels last, the first of several names of a part taken."""
    shapes = {part.name: part.shape for part in parts}
    chosen: dict[str, str] = {}
    for key, part in names.items():
        if part in shapes:
            chosen.setdefault(part, key)
    arrays = {part: _checked(key, captured[key], claim) for part, key in chosen.items()}
    fits = {part: _orders(arrays[part].shape, shapes[part], len(x)) for part in arrays}
    for part, orders in fits.items():
        if not orders:
            came, wanted = arrays[part].shape, _wanted(len(x), shapes[part])
            raise ShapeError(f"verify: {chosen[part]} has shape {came}, wanted {wanted}, as {part} has")
    votes = Counter(next(iter(orders)) for orders in fits.values() if len(orders) == 1)
    votes.pop("rows", None)
    first = "NHWC" if source in ("tf", "slim", "refmnas") else "NCHW"
    layout = max(("NCHW", "NHWC"), key=lambda order: (votes[order], order == first))
    tensors = {IMAGE: x}
    for part in (name for name in shapes if name in arrays):
        orders = fits[part]
        tensors[part] = _turned(arrays[part], layout if layout in orders else next(iter(orders)), shapes[part])
    others = sorted(set(captured) - set(chosen.values()) - set(INPUT))
    unknown = tuple(key for key in others if names.get(key) not in shapes)
    return Named(source, _told(votes, layout), tensors, chosen, unknown)


def _wanted(count, shape):
    """A part's shape in both layouts, in words."""
    if len(shape) == 1:
        return f"({count}, {shape[0]})"
    H, W, C = shape
    return f"({count}, {C}, {H}, {W}) or ({count}, {H}, {W}, {C})"


def _told(votes, layout):
    """The layout in words: both where both came."""
    return "NCHW and NHWC" if min(votes["NCHW"], votes["NHWC"]) else layout


def of_network(net, parts, names="auto"):
    """{source: {their module: our part}} of the sources that may be meant."""
    if names != "auto":
        return {names: modules.of_source(net, parts, names)}
    found = {}
    for source in naming.tables.SOURCES:
        try:
            found[source] = modules.of_source(net, parts, source)
        except RefmnasError:
            continue
    return found


def recognised(captured, tables):
    """(source, {key of the capture: our part}) of the table that knows most of the names.

    Raises   FormatError where none knows any.
    """
    best, found = "", {}
    for source, table in tables.items():
        for keys in _spellings(captured):
            known = {key: table[word] for key, word in keys.items() if word in table and key not in INPUT}
            if len(known) > len(found):
                best, found = source, known
    if not found:
        some = ", ".join(sorted(key for key in captured if key not in INPUT)[:3]) or "nothing but an input"
        raise FormatError(f"verify: no tensor has a known name of {', '.join(tables)}; the names begin with {some}")
    return best, found


def _spellings(captured):
    """{key: name} as they are, and without what a wrapper or TensorFlow adds."""
    yield {key: key for key in captured}
    others = [key for key in captured if key not in (*INPUT, "output", "logits")]
    heads = {key.split(".")[0] for key in others}
    if len(heads) == 1 and all("." in key for key in others):
        yield {key: key.partition(".")[2] if key in others else key for key in captured}
    if any("/" in key for key in captured):
        bare = {key: key.rpartition(":")[0] or key for key in captured}
        yield {key: word.rpartition("/")[0] if word.rpartition("/")[2] in _OPS else word for key, word in bare.items()}


def _checked(key, array, claim):
    """A float array of the claimed arithmetic, as it is."""
    array = np.asarray(array)
    if array.dtype == np.float16 and claim.is_float32:
        raise DtypeError(f"verify: {key} is float16, wanted float32, or the claim fp16 (--claim fp16) for sums in float32")
    if array.dtype not in _TYPES and array.dtype != np.float16:
        raise DtypeError(f"verify: {key} is {array.dtype}, wanted float32")
    return array


def _orders(shape, wanted, count):
    """The orders of axes in which a tensor of `shape` is the part's, in a fixed order."""
    if len(wanted) == 1:
        rest = [n for n in shape[1:] if n != 1]
        is_row = shape[:1] == (count,) and (rest == list(wanted) or (wanted == (1,) and not rest))
        return ("rows",) if is_row and len(shape) in (2, 4) else ()
    H, W, C = wanted
    found = {"NCHW": (count, C, H, W), "NHWC": (count, H, W, C)}
    return tuple(order for order, each in found.items() if tuple(shape) == each)


def _turned(a, order, shape):
    if order == "rows":
        return np.ascontiguousarray(a.reshape(len(a), *shape))
    return np.ascontiguousarray(a.transpose(0, 2, 3, 1) if order == "NCHW" else a)
