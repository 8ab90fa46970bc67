"""Windows over the spatial axes of (N, C, ...): Conv, AveragePool, MaxPool.

With K the kernel, L the dilation, S the stride, T and B the pads of an axis of n, E = (K - 1) L + 1:

    extent = floor((n + T + B - E) / S) + 1; with ceil_mode the ceiling, less one where the
             last window would start beyond n + T                                       (1)
    VALID  T = B = 0; SAME_UPPER, SAME_LOWER: extent ceil(n / S), what is missing shared
             between T and B, the odd one at the end, or at the beginning               (2)
    mean   over the elements that exist; with count_include_pad over those of the pads
             too, though not over what ceil_mode adds beyond them                       (3)

Two spatial axes with one stride and one dilation are refmnas.ops' (conv, depthwise, pointwise),
turned to NHWC there; every other Conv is one matrix product over windows here.

Source: ONNX operators Conv-1, 11, 22; AveragePool-7, 10, 11, 19, 22; MaxPool-1, 8, 10, 11, 12, 22.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .... import ops
from ....errors import ShapeError, SpecError
from .record import FLOATS, Attribute, Info, Operator, Version, agree, in_float32, product, ranked, text


def _listed(a, key, count, default, least):
    """An attribute of one number for each spatial axis."""
    given = a.get(key)
    found = (default,) * count if given is None else tuple(given)
    if len(found) != count or min(found, default=least) < least:
        raise SpecError(f"{key} is {found}, wanted {count} whole numbers of at least {least}")
    return found


def geometry(a, size, kernel):
    """(strides, dilations, [(T, B)], extents): equations (1) and (2); unknown extents give None."""
    count = len(size)
    strides, dilations = _listed(a, "strides", count, 1, 1), _listed(a, "dilations", count, 1, 1)
    pads = _listed(a, "pads", 2 * count, 0, 0)
    pairs, extents = list(zip(pads[:count], pads[count:], strict=True)), []
    for k, (n, stride) in enumerate(zip(size, strides, strict=True)):
        if n is None or kernel[k] is None:
            extents.append(None)
            continue
        reach = (kernel[k] - 1) * dilations[k] + 1
        if a["auto_pad"].startswith("SAME"):
            extents.append(-(-n // stride))
            missing = max((extents[-1] - 1) * stride + reach - n, 0)
            half = missing // 2 if a["auto_pad"] == "SAME_UPPER" else missing - missing // 2
            pairs[k] = half, missing - half
            continue
        pairs[k] = (0, 0) if a["auto_pad"] == "VALID" else pairs[k]
        room = n + sum(pairs[k]) - reach
        if room < 0:
            raise ShapeError(f"a spatial axis of {n} with pads {pairs[k]}, wanted at least the kernel's {reach}")
        extents.append((-(-room // stride) if a.get("ceil_mode") else room // stride) + 1)
        if a.get("ceil_mode") and (extents[-1] - 1) * stride >= n + pairs[k][0]:
            extents[-1] -= 1
    return strides, dilations, pairs, tuple(extents)


def windows(x, kernel, strides, dilations, pairs, extents, fill):
    """Every window, a view of a padded copy: (N, C, *extents, *kernel)."""
    count = len(kernel)
    needed = [(P - 1) * S + (K - 1) * L + 1 for P, S, K, L in zip(extents, strides, kernel, dilations, strict=True)]
    width = [(before, max(0, size - before - n)) for (before, _), n, size in zip(pairs, x.shape[2:], needed, strict=True)]
    padded = np.pad(x, [(0, 0), (0, 0), *width], constant_values=fill) if any(map(any, width)) else x
    reach = tuple((K - 1) * L + 1 for K, L in zip(kernel, dilations, strict=True))
    if 0 in extents:
        return np.empty((*x.shape[:2], *extents, *kernel), x.dtype)
    view = sliding_window_view(padded, reach, axis=tuple(range(2, 2 + count)))
    index = [slice(0, (P - 1) * S + 1, S) for P, S in zip(extents, strides, strict=True)]
    return view[(slice(None), slice(None), *index, *(slice(None, None, L) for L in dilations))]


# -- Conv -----------------------------------------------------------------------------


def _conv_rule(a, x, w, b=None):
    rank = ranked(x, 3)
    rank = agree(rank, ranked(w, 3, "W"), "axes of x and W")
    if rank is None:
        return [Info(x.dtype)]
    size, weight = x.shape or (None,) * rank, w.shape or (None,) * rank
    kernel = list(weight[2:])
    if a["kernel_shape"] is not None:
        given = _listed(a, "kernel_shape", rank - 2, 1, 1)
        kernel = [agree(n, m, "kernel_shape and W") for n, m in zip(kernel, given, strict=True)]
    if 0 in kernel:
        raise ShapeError(f"W has shape {text(w.shape)}, wanted a kernel of at least one element")
    groups = a["group"]
    if groups < 1 or (weight[0] is not None and weight[0] % groups):
        raise SpecError(f"group is {groups}, wanted a divisor of the {weight[0]} channels that W gives")
    agree(size[1], None if weight[1] is None else weight[1] * groups, "channels of x, and of W times group")
    if b is not None and b.shape is not None:
        if len(b.shape) != 1:
            raise ShapeError(f"B has shape {text(b.shape)}, wanted one axis")
        agree(b.shape[0], weight[0], "channels of B and W")
    return [Info(x.dtype, (size[0], weight[0], *geometry(a, size[2:], kernel)[3]))]


def _conv_work(a, x, w, b=None):
    """The columns of `refmnas.ops.conv`, and the padded copy."""
    extents = geometry(a, x.shape[2:], w.shape[2:])[3]
    return x.shape[0] * x.shape[1] * product(extents) * product(w.shape[2:])


def _conv(a, x, w, b=None):
    x, w, b = map(in_float32, (x, w, b))
    strides, dilations, pairs, extents = geometry(a, x.shape[2:], w.shape[2:])
    groups = a["group"]
    if len(extents) != 2 or len(set(strides)) > 1 or len(set(dilations)) > 1 or not w.shape[1]:
        return _conv_plain(x, w, b, groups, (strides, dilations, pairs, extents))
    pad = (*pairs[0], *pairs[1])
    options = {"stride": strides[0], "pad": pad, "dilation": dilations[0], "layout": "NCHW"}
    if w.shape[2:] == (1, 1) and groups == 1 and strides[0] == 1 and not any(pad):
        return ops.pointwise.forward(x, w, b, layout="NCHW")
    if groups == x.shape[1] == w.shape[0] and w.shape[1] == 1:
        return ops.depthwise.forward(x, w, b, **options)
    return ops.conv.forward(x, w, b, groups=groups, **options)


def _conv_plain(x, w, b, groups, placed):
    """(N, G, *extents, F, *kernel) times (G, F, *kernel, D / G)."""
    extents, count = placed[3], len(placed[3])
    view = windows(x, w.shape[2:], *placed, 0)
    view = np.moveaxis(view, 1, 1 + count)  # (N, *extents, C, *kernel)
    F = w.shape[1]
    rows = view.reshape(len(x) * product(extents), groups, F * product(w.shape[2:])).swapaxes(0, 1)
    columns = w.reshape(groups, w.shape[0] // groups, -1).swapaxes(1, 2)
    y = (rows @ columns).swapaxes(0, 1).reshape(len(x), *extents, w.shape[0])
    return np.moveaxis(y if b is None else y + b, -1, 1)


# -- pools ------------------------------------------------------------------------------


def _pool_rule(a, x):
    rank = ranked(x, 3)
    kernel = a["kernel_shape"]
    agree(rank, len(kernel) + 2, "axes of x, and of kernel_shape and two")
    if min(kernel, default=0) < 1:
        raise SpecError(f"kernel_shape is {kernel}, wanted whole numbers of at least 1")
    size = x.shape or (None,) * (len(kernel) + 2)
    dilations, pairs, extents = geometry(a, size[2:], kernel)[1:]
    for K, L, pair, P in zip(kernel, dilations, pairs, extents, strict=True):
        if P is not None and max(pair) > (K - 1) * L:
            raise SpecError(f"pads {pair} for a kernel that reaches over {(K - 1) * L + 1}, wanted smaller ones")
    shape = (*size[:2], *extents)
    return [Info(x.dtype, shape), Info(np.dtype("i8"), shape)][: a["results"]]


def _pool_work(a, x):
    extents = geometry(a, x.shape[2:], a["kernel_shape"])[3]
    return product(x.shape[:2]) * product(extents) * product(a["kernel_shape"])


def _placed(a, x):
    kernel = a["kernel_shape"]
    return kernel, geometry(a, x.shape[2:], kernel)


def _average(a, x):
    """Equation (3)."""
    kernel, placed = _placed(a, x)
    taps = tuple(range(-len(kernel), 0))
    total = windows(in_float32(x), kernel, *placed, 0).sum(axis=taps)
    counts = np.ones((), total.dtype)
    for n, K, S, L, (T, B), P in zip(x.shape[2:], kernel, *placed, strict=True):
        at = np.arange(P)[:, None] * S + np.arange(K) * L - T
        low, high = (-T, n + B) if a["count_include_pad"] else (0, n)
        counts = counts[..., None] * ((at >= low) & (at < high)).sum(axis=1).astype(total.dtype)
    return total / counts


def _maximum(a, x):
    """The largest element of each window, and where it stands in x, counted through the whole array."""
    kernel, placed = _placed(a, x)
    taps = tuple(range(-len(kernel), 0))
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    view = windows(x, kernel, *placed, lowest)
    y = view.max(axis=taps, initial=lowest)
    if a["results"] == 1:
        return y
    order = "C" if not a["storage_order"] else "F"
    numbers = np.arange(product(x.shape[2:])).reshape((1, 1, *x.shape[2:]), order=order)
    there = windows(numbers, kernel, *placed, -1)
    is_largest = (view == y[(..., *(None,) * len(kernel))]) & (there >= 0)
    apart = *y.shape, product(kernel)  # not -1, which nobody can tell where y is empty
    flat = np.broadcast_to(there, view.shape).reshape(apart)
    first = is_largest.reshape(apart).argmax(axis=-1)
    at = np.take_along_axis(flat, first[..., None], axis=-1)[..., 0]
    plane = np.arange(x.shape[0] * x.shape[1]).reshape(*x.shape[:2], *(1,) * len(kernel))
    return [y, plane * product(x.shape[2:]) + at]


_AUTO = {"auto_pad": Attribute("text", "NOTSET", ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"))}
_SHIFT = _AUTO | {"pads": Attribute("ints", None), "strides": Attribute("ints", None)}
_DILATED = {"dilations": Attribute("ints", None)}
_CONV = _SHIFT | _DILATED | {"group": Attribute("int", 1), "kernel_shape": Attribute("ints", None)}
_POOL = _SHIFT | {"kernel_shape": Attribute("ints")}
_CEIL = {"ceil_mode": Attribute("int", 0, (0, 1))}
_MEAN = _POOL | {"count_include_pad": Attribute("int", 0, (0, 1))}
_ORDER = _POOL | {"storage_order": Attribute("int", 0, (0, 1))}
_BYTES = (*FLOATS, np.dtype("i1"), np.dtype("u1"))

TABLE = {
    "Conv": Operator(_conv_rule, _conv, (Version(1, "x w b?", FLOATS, _CONV),), _conv_work),
    "AveragePool": Operator(_pool_rule, _average, (
        Version(7, "x", FLOATS, _MEAN), Version(10, "x", FLOATS, _MEAN | _CEIL),
        Version(19, "x", FLOATS, _MEAN | _CEIL | _DILATED),
    ), _pool_work),
    "MaxPool": Operator(_pool_rule, _maximum, (
        Version(1, "x", FLOATS, _POOL), Version(8, "x", FLOATS, _ORDER, results=2),
        Version(10, "x", FLOATS, _ORDER | _CEIL | _DILATED, results=2),
        Version(12, "x", _BYTES, _ORDER | _CEIL | _DILATED, results=2),
    ), _pool_work),
}  # fmt: skip
