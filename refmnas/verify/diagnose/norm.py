"""BN-EPS, BN-STATS, BN-VAR, BN-BETA, BN-FOLD, and arrays of batch norm that are others."""

from __future__ import annotations

import numpy as np

from ...bounds import allowed
from ...ops import batchnorm
from ..segment import ratios
from .cause import CONVENTION, FITTED, Candidate
from .look import head

EPS = (1e-3, 1e-5, 0.0, 1e-4, 1e-6, 1.001e-5, 2e-5, 1e-2, 1e-7, 1e-8, 1e-12, 1e-1)


def candidates(look, context):
    for part in look.part("batchnorm"):
        yield from _discrete(look, part)
        found = head(look, part)
        if found is not None:
            yield from _batch(look, part, found[0])


def fits(look, context):
    """What an affine map of every channel says."""
    for part in look.part("batchnorm"):
        found = head(look, part)
        if found is not None:
            yield from _fitted(look, part, *found)


def _discrete(look, part):
    gamma, beta, mean, var = (part.arrays[key] for key in ("gamma", "beta", "mean", "var"))
    now = part.options["eps"]
    for eps in EPS:
        if eps != now and (eps > 0 or var.min() > 0):
            tier = CONVENTION if eps in EPS[:2] else 1
            yield Candidate("BN-EPS", look.with_part(part, options={"eps": eps}), f"agrees with eps {eps:g} for {now:g}", tier)
    root = np.sqrt(var + now)
    changes = (
        ("BN-VAR", {"var": np.sqrt(var)}, "with the standard deviation for the variance"),
        ("BN-VAR", {"var": var**2}, "with the variance squared"),
        ("BN-BETA", {"beta": np.zeros_like(beta)}, "without beta"),
        ("BN-BETA", {"gamma": np.ones_like(gamma)}, "without gamma"),
        ("BN-BETA", {"gamma": np.ones_like(gamma), "beta": np.zeros_like(beta)}, "without gamma and beta"),
        ("BN-BETA", {"beta": gamma, "gamma": beta}, "with gamma and beta exchanged"),
        ("BN-BETA", {"beta": -beta}, "with beta's sign turned"),
        ("BN-BETA", {"beta": 2 * beta}, "with beta added twice"),
        ("BN-FOLD", {"mean": np.zeros_like(mean)}, "without the running mean"),
        ("BN-FOLD", {"mean": -mean}, "with the mean's sign turned"),
        ("BN-FOLD", {"mean": mean * root / np.where(gamma == 0, 1, gamma)}, "where the bias missed the factor gamma / sigma"),
        ("BN-FOLD", {"mean": mean * root}, "where the bias missed the factor 1 / sigma"),
        ("BN-FOLD", {"mean": mean / np.where(gamma == 0, 1, gamma)}, "where the bias missed gamma"),
        ("BN-FOLD", {"var": (np.sqrt(var) + now) ** 2 - now}, "with eps outside the root"),
        ("BN-STATS", {"mean": np.zeros_like(mean), "var": np.ones_like(var)}, "with statistics that were never filled"),
    )  # fmt: skip
    for code, arrays, told in changes:
        yield Candidate(code, look.with_part(part, arrays=arrays), f"agrees {told}")
    if len(var) > 1:
        yield Candidate(
            "WEIGHT-SWAP",
            look.with_part(part, arrays={"mean": var, "var": np.abs(mean)}),
            "agrees with mean and variance exchanged",
        )


def _batch(look, part, x):
    """The batch's own statistics, computed in float32 by the implementation: their roundings belong to the bound."""
    if x.ndim < 2 or x[..., 0].size < 2:
        return
    axes = tuple(range(x.ndim - 1))
    mean, var = x.mean(axis=axes), x.var(axis=axes)
    for told, v in (("biased", var), ("unbiased", var * (x[..., 0].size / (x[..., 0].size - 1)))):
        segment = look.with_part(part, arrays={"mean": mean, "var": v})
        yield Candidate("BN-STATS", segment, f"agrees with the batch's own statistics ({told} variance)")
        if look.last is part:
            gamma, beta, eps = part.arrays["gamma"], part.arrays["beta"], part.options["eps"]
            y = gamma * (x - mean) / np.sqrt(v + eps) + beta
            own = allowed("batchnorm.forward", (x, gamma, beta), {"eps": eps}, np.float32, definition=batchnorm.forward)[0]
            error = np.maximum(own, look.error)
            margin = float(ratios(y, error, look.came).max(initial=0.0))
            yield Candidate("BN-STATS", None, f"agrees with the batch's own statistics ({told} variance)", margin=margin)


def _fitted(look, part, x, came, known):
    """An affine map per channel, fitted on every second element; what it says of eps, variance, beta."""
    slope, offset, seen = _affine(x, came, known, look.error)
    gamma, beta, mean, var = (part.arrays[key] for key in ("gamma", "beta", "mean", "var"))
    eps, usable = part.options["eps"], seen & (slope != 0) & (gamma != 0)
    if not usable.any():
        return
    with np.errstate(divide="ignore", invalid="ignore"):
        total = np.where(usable, (gamma / np.where(usable, slope, 1)) ** 2, np.nan)
    k = int(np.nanargmin(np.where(usable, var, np.nan)))
    for digits in (1, 2, 3, 8):
        guess = float(f"{total[k] - var[k]:.{digits}g}")
        if guess >= 0:
            yield Candidate(
                "BN-EPS", look.with_part(part, options={"eps": guess}), f"agrees with eps {guess:g} for {eps:g}", FITTED
            )
    big = usable & (var >= np.nanmedian(np.where(usable, var, np.nan)))
    factor = float(np.median((total[big] - eps) / np.where(var[big] > 0, var[big], 1)))
    yield from _factor(look, part, var, factor)
    r = gamma / np.sqrt(var + eps)
    slope, offset = np.where(seen, slope, r), np.where(seen, offset, beta - mean * r)
    arrays = {"gamma": slope * np.sqrt(1 + eps), "beta": offset + slope * mean, "var": np.ones_like(var)}
    code, told = _named(slope, offset, r, beta - mean * r)
    yield Candidate(code, look.with_part(part, arrays=arrays), told, FITTED)


def _factor(look, part, var, factor):
    if abs(factor - 1) > 1e-7 and factor > 0:
        count = round(1 / abs(1 - factor))
        exact = count / (count + 1) if factor < 1 else (count + 1) / max(count, 1)
        also = (count - 1) / count if factor < 1 and count > 1 else exact
        for value in dict.fromkeys((also, exact, factor)):
            told = f"agrees with {value:.8g} times the variance, as of a count of about {count}"
            yield Candidate("BN-VAR", look.with_part(part, arrays={"var": var * value}), told, FITTED)


def _affine(x, came, known, error):
    """slope, offset (C,) and where both could be had, by least squares over every second known element of a channel.

    Elements count by 1 / error^2: the small ones know the constant far better.
    """
    channels = x.shape[-1]
    x, y, w, e = (np.asarray(a, np.float64).reshape(-1, channels)[::2] for a in (x, came, known, error))
    count = w.sum(axis=0)
    w = w / np.maximum(e, 1e-30 + 1e-6 * e.max(axis=0)) ** 2
    w = w / np.maximum(w.max(axis=0), 1e-300)
    n = np.maximum(w.sum(axis=0), 1e-300)
    mx, my = (x * w).sum(axis=0) / n, (w * np.where(w > 0, y, 0)).sum(axis=0) / n
    dx, dy = x - mx, np.where(w > 0, y - my, 0)
    spread = (w * dx * dx).sum(axis=0)
    slope = (w * dx * dy).sum(axis=0) / np.where(spread > 0, spread, 1)
    return slope, my - slope * mx, (count >= 3) & (spread > 0)


def _named(slope, offset, r, constant):
    """A fitted affine map by its nearest cause."""
    size = np.abs(r).max()
    turned = np.abs(slope - r) > 1e-5 * np.maximum(np.abs(r), 1e-3 * size)
    moved = np.abs(offset - constant) > 1e-4 * np.maximum(np.abs(constant), 1e-3)
    wrong = turned | moved
    if wrong.mean() < 0.5:
        which = np.flatnonzero(wrong)
        return "WEIGHT-STALE", f"agrees with other statistics, gamma or beta in channels {which[:6].tolist()}"
    if not turned.any():
        return "BN-FOLD", "agrees with another constant in every channel"
    return "BN-STATS", "agrees with another affine map in every channel, of no rule that was tried"
