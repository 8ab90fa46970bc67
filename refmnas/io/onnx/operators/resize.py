"""Resize: every axis for itself, as a weighted sum of the elements around one place.

    c        the place in x of output element k, by coordinate_transformation_mode; s the axis's
             scale, n and m its extents before and after, m' = s n
             half_pixel              (k + 1/2) / s - 1/2
             half_pixel_symmetric    (k + 1/2) / s - 1/2 + n / 2 (1 - m / m')
             pytorch_half_pixel      (k + 1/2) / s - 1/2, of one element 0
             asymmetric              k / s
             align_corners           k (n - 1) / (m' - 1), of one element 0
             tf_crop_and_resize      a (n - 1) + k (e - a) (n - 1) / (m - 1), of one element
                                     (a + e) (n - 1) / 2, with a and e of the operand roi     (1)
    linear   f(t) = 1 - |t| up to |t| = 1                                                    (2)
    cubic    f(t) = (A + 2)|t|^3 - (A + 3)|t|^2 + 1 up to |t| = 1,
             A|t|^3 - 5A|t|^2 + 8A|t| - 4A up to 2                                           (3)
    y[k]     sum_i f((i - c) r) x[i], i held to the axis, or with exclude_outside left out and
             the rest brought to the sum 1; r = 1, with antialias min(s, 1) and the sum 1     (4)
    nearest  x[round(c)], by nearest_mode; before opset 11 of k / s, rounded up where s < 1,
             else down                                                                       (5)

Source: ONNX operator Resize-10, 11, 13, 18, 19; (3) is eq. (4) of Keys 1981.
"""

from __future__ import annotations

import math

import numpy as np

from ....errors import DtypeError, ShapeError, SpecError
from .record import ALL, NUMBERS, Attribute, Info, Operator, Version, agree, axes, in_float32, length, ranked


def _values(info):
    """The numbers of an operand, None where not known; one without elements is one that was left out."""
    return None if info is None or info.value is None else info.value.reshape(-1).tolist()


def _is_given(info):
    return info is not None and length(info) != 0


def _plan(a, x, scales, sizes, roi):
    """[(axis, scale, extent after, (start, end))] of the axes to resize, or None where that is not known yet."""
    if x.shape is None or not (_is_given(scales) or _is_given(sizes)):
        return None
    operand = scales if _is_given(scales) else sizes
    found = _values(operand)
    chosen = range(len(x.shape)) if a.get("axes") is None else axes(a["axes"], len(x.shape))
    agree(length(operand), len(chosen), "scales or sizes, and axes")
    before = [x.shape[k] for k in chosen]
    if found is None or None in before:
        return None
    spans = _spans(a, roi, len(found))
    if spans is None:
        return None
    if operand is scales:
        if not all(0 < s < math.inf for s in found):
            raise SpecError(f"scales are {tuple(found)}, wanted finite numbers above 0")
        return list(zip(chosen, found, [math.floor(n * s) for n, s in zip(before, found, strict=True)], spans, strict=True))
    return _sized(a, list(chosen), before, found, spans)


def _sized(a, chosen, before, sizes, spans):
    """The plan by sizes, under keep_aspect_ratio_policy."""
    policy = a.get("keep_aspect_ratio_policy", "stretch")
    if min(sizes) < 0 or 0 in before:
        raise SpecError(f"sizes are {tuple(sizes)} of {tuple(before)}, wanted extents from 0 on, of none that is 0")
    scales = [m / n for m, n in zip(sizes, before, strict=True)]
    if policy != "stretch":
        scales = [(min if policy == "not_larger" else max)(scales)] * len(scales)
        sizes = [math.floor(s * n + 0.5) for s, n in zip(scales, before, strict=True)]
    return list(zip(chosen, scales, sizes, spans, strict=True))


def _spans(a, roi, count):
    """(start, end) of every axis: those of roi where it is asked for."""
    if a["coordinate_transformation_mode"] != "tf_crop_and_resize":
        return [(0.0, 1.0)] * count
    found = _values(roi)
    if roi is None or length(roi) == 0:
        raise SpecError("tf_crop_and_resize without roi, wanted two numbers for every axis")
    agree(length(roi), 2 * count, "roi, and twice the axes")
    return None if found is None else list(zip(found[:count], found[count:], strict=True))


def _rule(a, x, roi=None, scales=None, sizes=None):
    rank = ranked(x, 1)
    given = [_is_given(info) for info in (scales, sizes)]
    known = [info is None or length(info) is not None for info in (scales, sizes)]
    if all(known) and given[0] == given[1]:
        raise SpecError(f"{'both' if given[0] else 'neither'} scales and sizes, wanted one")
    if a["coordinate_transformation_mode"] == "tf_crop_and_resize" and given[0] and known[0]:
        raise SpecError("tf_crop_and_resize by scales, wanted sizes: runtimes disagree on the extents")
    if x.dtype.kind != "f" and a["mode"] != "nearest":
        raise DtypeError(f"x is {x.dtype} under mode {a['mode']}, wanted a float, or mode nearest")
    plan = _plan(a, x, scales, sizes, roi)
    if plan is None:
        return [Info(x.dtype, None if rank is None else (None,) * rank)]
    shape = list(x.shape)
    for k, _, m, _ in plan:
        shape[k] = m
    if 0 in x.shape and 0 not in shape:
        raise ShapeError(f"x has shape {x.shape}, wanted elements to make {tuple(shape)} of")
    return [Info(x.dtype, tuple(shape))]


def _places(a, n, scale, m, span):
    """Equation (1)."""
    k, mode = np.arange(m, dtype=np.float64), a["coordinate_transformation_mode"]
    width = scale * n
    if mode == "asymmetric":
        return k / scale
    if mode == "align_corners":
        return np.zeros(m) if width == 1 else k * (n - 1) / (width - 1)
    if mode == "tf_crop_and_resize":
        start, end = span
        if m == 1:
            return np.full(1, (start + end) * (n - 1) / 2)
        return start * (n - 1) + k * (end - start) * (n - 1) / (m - 1)
    if mode == "pytorch_half_pixel" and m == 1:
        return np.zeros(1)
    c = (k + 0.5) / scale - 0.5
    return c + n / 2 * (1 - m / width) if mode == "half_pixel_symmetric" else c


def _nearest(a, c, scale):
    """Equation (5): the index of each output element, not yet held to the axis."""
    if a["opset"] < 11:
        return np.ceil(c) if scale < 1 else np.floor(c)
    modes = {
        "round_prefer_floor": lambda: np.ceil(c - 0.5), "round_prefer_ceil": lambda: np.floor(c + 0.5),
        "floor": lambda: np.floor(c), "ceil": lambda: np.ceil(c),
    }  # fmt: skip
    return modes[a["nearest_mode"]]()


def _kernel(a, t):
    """Equations (2) and (3)."""
    t = np.abs(t)
    if a["mode"] == "linear":
        return np.maximum(0, 1 - t)
    A = a["cubic_coeff_a"]
    near, far = ((A + 2) * t - (A + 3)) * t * t + 1, ((A * t - 5 * A) * t + 8 * A) * t - 4 * A
    return np.where(t <= 1, near, np.where(t < 2, far, 0))


def _axis(a, x, at, scale, m, c):
    """Equation (4) along one axis."""
    n = x.shape[at]
    if a["mode"] == "nearest":
        return np.take(x, np.clip(_nearest(a, c, scale), 0, n - 1).astype(np.int64), axis=at)
    ratio = min(scale, 1.0) if a.get("antialias") else 1.0
    reach = math.ceil((1 if a["mode"] == "linear" else 2) / ratio)
    first = np.floor(c) - reach + 1
    around = (1,) * at + (m,) + (1,) * (x.ndim - at - 1)
    is_inside = [(first + k >= 0) & (first + k < n) for k in range(2 * reach)]
    weights = [_kernel(a, (first + k - c) * ratio) for k in range(2 * reach)]
    if a["exclude_outside"]:
        weights = [w * inside for w, inside in zip(weights, is_inside, strict=True)]
    if a["exclude_outside"] or ratio != 1:
        total = sum(weights)
        weights = [w / total for w in weights]
    y = np.zeros((), x.dtype)
    for k, w in enumerate(weights):
        index = np.clip(first + k, 0, n - 1).astype(np.int64)
        y = y + np.take(x, index, axis=at) * w.astype(x.dtype).reshape(around)
    return y


def _compute(a, x, roi=None, scales=None, sizes=None):
    infos = [None if v is None else Info(v.dtype, v.shape, v) for v in (scales, sizes, roi)]
    y = in_float32(x) if a["mode"] != "nearest" else x
    outside = np.zeros((), bool)
    plan = _plan(a, Info(x.dtype, x.shape), *infos)
    after = {at: m for at, _, m, _ in plan}
    shape = [after.get(at, n) for at, n in enumerate(x.shape)]
    if 0 in shape:  # no place to compute: scales may be 0, other extents large
        return np.empty(shape, y.dtype)
    for at, scale, m, span in plan:
        n, is_crop = x.shape[at], a["coordinate_transformation_mode"] == "tf_crop_and_resize"
        if scale == 1 and m == n and not is_crop:
            continue
        c = _places(a, n, scale, m, span)
        y = _axis(a, y, at, scale, m, c)
        if is_crop:
            beyond = (c < 0) | (c > n - 1)
            outside = outside | beyond.reshape((1,) * at + (m,) + (1,) * (x.ndim - at - 1))
    return np.where(outside, y.dtype.type(a["extrapolation_value"]), y) if outside.any() else y


def _work(a, x, roi=None, scales=None, sizes=None):
    """Elements between two axes, and with antialias the taps of every output element."""
    plan = _plan(a, x, scales, sizes, roi)
    if 0 in [m for _, _, m, _ in plan]:
        return 0
    taps = max((2 * math.ceil(2 / min(s, 1.0)) for _, s, _, _ in plan), default=1) if a.get("antialias") else 4
    extents = list(x.shape)
    for k, _, m, _ in plan:
        extents[k] = max(m, extents[k])
    return math.prod(extents) * taps


_COORDINATES = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize")
_ROUNDED = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")


def _attributes(*more, **others):
    return {
        "coordinate_transformation_mode": Attribute("text", "half_pixel", (*_COORDINATES, *more)),
        "cubic_coeff_a": Attribute("float", -0.75),
        "exclude_outside": Attribute("int", 0, (0, 1)),
        "extrapolation_value": Attribute("float", 0.0),
        "mode": Attribute("text", "nearest", ("nearest", "linear", "cubic")),
        "nearest_mode": Attribute("text", "round_prefer_floor", _ROUNDED),
    } | others


_FIRST = {
    "mode": Attribute("text", "nearest", ("nearest", "linear")),
    "coordinate_transformation_mode": Attribute("absent", "asymmetric"),
    "exclude_outside": Attribute("absent", 0),
}
_LATER = {
    "antialias": Attribute("int", 0, (0, 1)),
    "axes": Attribute("ints", None),
    "keep_aspect_ratio_policy": Attribute("text", "stretch", ("stretch", "not_larger", "not_smaller")),
}

TABLE = {
    "Resize": Operator(_rule, _compute, (
        Version(10, "x scales:S", NUMBERS, _FIRST),
        Version(11, "x roi:R scales:S sizes?:L", NUMBERS, _attributes()),
        Version(13, "x roi?:R scales?:S sizes?:L", ALL, _attributes()),
        Version(18, "x roi?:R scales?:S sizes?:L", ALL, _attributes(**_LATER)),
        Version(19, "x roi?:R scales?:S sizes?:L", ALL, _attributes("half_pixel_symmetric", **_LATER)),
    ), _work),
}  # fmt: skip
