"""PRE-CHANNELS, PRE-SCALE, PRE-RESIZE: the first layer, by what it says of the image that went in."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np

from ..part import IMAGE
from ..segment import expected, ratios
from .cause import CONVENTION, FITTED, Candidate

_LINEAR = ("conv", "depthwise", "pointwise", "batchnorm")


def candidates(look, context):
    if not look.is_first:
        return
    x = np.asarray(look.segment.feeds[IMAGE], np.float64)
    channels = x.shape[-1]
    for order in permutations(range(channels)):
        if order != tuple(range(channels)):
            yield Candidate(
                "PRE-CHANNELS",
                look.with_feed(IMAGE, x[..., order]),
                f"agrees with image channels in the order {order}",
                CONVENTION,
            )


def fits(look, context):
    """Images that are solved for."""
    if look.is_first and look.last.op in _LINEAR and all(part.op in _LINEAR for part in look.segment.parts):
        x = np.asarray(look.segment.feeds[IMAGE], np.float64)
        yield from _scaled(look, x)
        yield from _mixed(look, x)
        yield from _other(look, x)


def _sampled(look):
    """The segment with a few channels alone: enough rows for a dozen unknowns."""
    from .narrow import narrowed

    return narrowed(look.segment, look.channels)


def _response(segment, feed, base):
    """What the linear layer makes of a feed, its constant taken off."""
    return expected(replace(segment, feeds={IMAGE: feed}))[0] - base


def _solved(segment, columns, base):
    """Least squares of (came - constant) on the columns, over every second element."""
    a = np.stack([c.ravel()[::2] for c in columns], axis=1)
    b = (np.asarray(segment.came, np.float64) - base).ravel()[::2]
    keep = np.isfinite(b)
    return np.linalg.lstsq(a[keep], b[keep], rcond=None)[0]


def _scaled(look, x):
    """Another mean and standard deviation of every channel."""
    segment, channels = _sampled(look), x.shape[-1]
    base = expected(replace(segment, feeds={IMAGE: np.zeros_like(x)}))[0]
    alone = [np.where(np.arange(channels) == c, x, 0.0) for c in range(channels)]
    ones = [np.broadcast_to(np.where(np.arange(channels) == c, 1.0, 0.0), x.shape) for c in range(channels)]
    found = _solved(segment, [_response(segment, f, base) for f in (*alone, *ones)], base)
    a, b = found[:channels], found[channels:]
    told = f"agrees with the image times {np.round(a, 5).tolist()} plus {np.round(b, 5).tolist()}"
    yield Candidate("PRE-SCALE", look.with_feed(IMAGE, x * a + b), told, FITTED)


def _mixed(look, x):
    """Every channel an affine combination of all: an order and a scale at once."""
    segment, channels = _sampled(look), x.shape[-1]
    base = expected(replace(segment, feeds={IMAGE: np.zeros_like(x)}))[0]
    columns, places = [], []
    for c in range(channels):
        for source in (*range(channels), None):
            value = np.ones(x.shape[:-1]) if source is None else x[..., source]
            columns.append(_response(segment, np.where(np.arange(channels) == c, value[..., None], 0.0), base))
            places.append((c, source))
    found = dict(zip(places, _solved(segment, columns, base), strict=True))
    matrix = np.array([[found[c, s] for s in range(channels)] for c in range(channels)])
    constant = np.array([found[c, None] for c in range(channels)])
    order = tuple(int(k) for k in np.argmax(np.abs(matrix), axis=1))
    told = f"agrees with image channels in the order {order}, scaled and shifted"
    code = "PRE-CHANNELS" if order != tuple(range(channels)) else "PRE-SCALE"
    yield Candidate(code, look.with_feed(IMAGE, x @ matrix.T + constant), told, FITTED)


def _other(look, x):
    """Another image altogether: solved for, at a piece of the first layer, from all its channels."""
    part = look.segment.parts[0]
    if (
        part.op != "conv"
        or part.options.get("groups", 1) != 1
        or part.arrays["w"].shape[-1] < 2 * part.options["stride"] ** 2 * x.shape[-1] // 2
    ):
        return
    value, share = _piece(look, part, x)
    if value is None:
        return
    told = f"no affine map of the channels explains it, another image does, which resembles the one meant ({share:.3f})"
    if share > 0.7:
        yield Candidate("PRE-RESIZE", None, told, FITTED, margin=value)


def _piece(look, part, x):
    """(margin, correlation): the smallest change of a crop of the image that gives a crop of the output."""
    w, s = part.arrays["w"], part.options["stride"]
    k, size = w.shape[0], 8
    p0, q0 = look.y.shape[1] // 3, look.y.shape[2] // 3
    rows = (p0 * s - part.options["pad"][0], q0 * s - part.options["pad"][2])
    extent = (size - 1) * s + k
    crop = x[:1, rows[0] : rows[0] + extent, rows[1] : rows[1] + extent]
    if crop.shape[1:3] != (extent, extent):
        return None, 0.0
    cut = (slice(0, 1), slice(p0, p0 + size), slice(q0, q0 + size))
    scale = _affine_tail(look)
    if scale is None:
        return None, 0.0
    channels = x.shape[-1]
    matrix = np.zeros((size, size, w.shape[-1], extent, extent, channels))
    for p, q in np.ndindex(size, size):
        matrix[p, q, :, p * s : p * s + k, q * s : q * s + k] = (w * scale).transpose(3, 0, 1, 2)
    matrix = matrix.reshape(size * size * w.shape[-1], -1)
    wanted = (look.came - look.y)[cut].ravel()
    change = np.linalg.lstsq(matrix, wanted, rcond=1e-9)[0]
    y = look.y[cut] + (matrix @ change).reshape(look.y[cut].shape)
    fed = crop.ravel() + change
    margin = float(ratios(y, look.error[cut], look.came[cut]).max(initial=0.0))
    return margin, float(np.corrcoef(fed, crop.ravel())[0, 1])


def _affine_tail(look):
    """The factor of each channel behind the convolution: batch norm's, or 1."""
    scale = np.ones(look.y.shape[-1])
    for part in look.segment.parts[1:]:
        if part.op != "batchnorm":
            return None
        scale = scale * part.arrays["gamma"] / np.sqrt(part.arrays["var"] + part.options["eps"])
    return scale
