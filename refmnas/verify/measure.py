"""What is told of a layer beside its verdict: how large, how alike, where, and what data it was seen on."""

from __future__ import annotations

import numpy as np

MAP = 28  # rows and columns of a heat map at most


def likeness(y, came):
    """max_error, ulp_p50, ulp_max, snr_db, cosine, tolerance: figures that people use, None where there is none."""
    ok = np.isfinite(came) & np.isfinite(y)
    y, came = y[ok], np.asarray(came, np.float64)[ok]
    off = np.abs(came - y)
    noise, power = float(np.square(off).sum()), float(np.square(y).sum())
    norms = float(np.linalg.norm(y) * np.linalg.norm(came))
    ulps = _ulps(y, came)
    relative = off / np.where(y == 0, np.inf, np.abs(y))
    return {
        "max_error": float(off.max(initial=0.0)),
        "ulp_p50": float(np.median(ulps)) if ulps.size else 0.0,
        "ulp_max": float(ulps.max(initial=0)),
        "snr_db": 10 * float(np.log10(power / noise)) if noise and power else None,
        "cosine": float(y @ came) / norms if norms else None,
        "tolerance": {
            "atol": float(off.max(initial=0.0)),
            "rtol": float(relative.max(initial=0.0)),
            "atol_beside_rtol_1e-3": float((off - 1e-3 * np.abs(y)).max(initial=0.0)),
        },
    }


def _ulps(y, came):
    """How many float32 numbers lie between; those of a reduced type count in float32's too."""
    with np.errstate(over="ignore"):
        a, b = (np.float32(each).view(np.int32).astype(np.int64) for each in (y, came))
    a, b = (np.where(each < 0, -(each + 2**31), each) for each in (a, b))
    return np.abs(a - b)


def worst(y, error, came, found, size):
    """The element with the largest ratio: index (N, H, W, C), expected, got, bound, condition sum |x| |w| / |y|."""
    at = tuple(int(k) for k in np.unravel_index(int(np.argmax(found)), found.shape))
    condition = None if size is None or not y[at] else float(np.broadcast_to(size, y.shape)[at] / abs(y[at]))
    got = float(came[at])
    return {
        "index": list(at), "expected": float(y[at]), "got": got if np.isfinite(got) else str(got),
        "bound": _finite(error[at]), "condition": condition,
    }  # fmt: skip


def _finite(value):
    return float(value) if np.isfinite(value) else None


def where(bad, is_image=True):
    """Where the elements lie that are beyond the bound: shares by border, stride phase, channel and image, and a map."""
    if bad.ndim != 4 or not is_image:
        channels, rows = bad.any(axis=tuple(range(bad.ndim - 1))), bad.any(axis=tuple(range(1, bad.ndim)))
        return {"channels": _listed(channels), "channels_of": bad.shape[-1], "images": _listed(rows) if is_image else []}
    _, H, W, C = bad.shape
    inner = bad[:, 1:-1, 1:-1]
    rim = bad.size - inner.size
    phases = {f"{i}{j}": float(bad[:, i::2, j::2].mean()) for i in (0, 1) for j in (0, 1) if i < H and j < W}
    return {
        "border": float((bad.sum() - inner.sum()) / rim),
        "inside": float(inner.mean()) if inner.size else None,
        "phases": phases,
        "channels": _listed(bad.any(axis=(0, 1, 2))),
        "channels_of": C,
        "images": _listed(bad.any(axis=(1, 2, 3))),
        "map": _map(bad.mean(axis=(0, 3))),
    }


def _listed(flags, most=16):
    return [int(k) for k in np.flatnonzero(flags)[:most]]


def _map(share):
    """A plane of at most MAP x MAP means."""
    rows, columns = (np.linspace(0, n, min(n, MAP) + 1).astype(int) for n in share.shape)
    sums = np.add.reduceat(np.add.reduceat(share, rows[:-1], axis=0), columns[:-1], axis=1)
    return [[round(float(v), 4) for v in row] for row in sums / np.outer(np.diff(rows), np.diff(columns))]


def grade(segment, y):
    """(strong, fair or weak; why): how much the data could have shown.  It never changes a verdict."""
    why, kinds = [], {part.options.get("kind") for part in segment.parts if part.op == "act"}
    zeros = float(np.mean(y == 0)) if y.size else 1.0
    full = float(np.mean(y == 6)) if "relu6" in kinds and y.size else 0.0
    if zeros > 0.9:
        why.append(f"{zeros:.0%} of the results are 0")
    if full > 0.5:
        why.append(f"{full:.0%} of the results are clipped at 6")
    if y.size > 1 and np.ptp(y) == 0:
        why.append("all results are one number")
    weak = bool(why)
    fed = list(segment.feeds.values())
    if fed and all(a.size and (a.min() >= 0 or a.max() <= 0) for a in fed):
        why.append("inputs of one sign")
    return ("weak" if weak else "fair" if why else "strong"), why
