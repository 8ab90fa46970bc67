"""BIAS-MISSING, WEIGHT-SWAP, WEIGHT-STALE, EMA-RAW: other arrays than those given.

Weights are solved for where a layer's own inputs settle them: on every second row, and proved on the others,

    |came - X w~|  <=  E + |X| (|X_half^+| E_half)                                   (1)

since w~ - w = X_half^+ (roundings of those rows), of which each is at most E.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ..part import WEIGHED, WITH_PARAMETERS
from .cause import CONVENTION, FITTED, RERUN, Candidate
from .look import head
from .rows import rows_of

_BIG = 300  # unknowns of one channel, above which nothing is solved for
_CHANNELS = 16  # of the bad ones, how many are solved for
_TRIED = 3000  # rows


def candidates(look, context):
    for part in look.part(*WEIGHED):
        yield from _biases(look, part)
    for part in look.part(*WITH_PARAMETERS):
        yield from _others(look, part, context)
    for part in look.part(*WEIGHED):
        yield from _taps(look, part)
        yield from _channels(look, part)
        yield from _kernels(look, part)


def fits(look, context):
    """Weights that are solved for, and what they are."""
    for part in look.part(*WEIGHED):
        yield from _shifted(look, part)
        yield from _solved(look, part)
        yield from _single(look, part)


def _biases(look, part):
    b = part.arrays.get("b")
    if b is None or not np.any(b):
        return
    for array, told in (
        (np.zeros_like(b), "without its bias"),
        (2 * b, "with its bias added twice"),
        (-b, "with its bias' sign turned"),
    ):
        yield Candidate("BIAS-MISSING", look.with_part(part, arrays={"b": array}), f"agrees {told}", CONVENTION)


def _shifted(look, part):
    """Another bias in some channels: the deviation is a constant there."""
    b = part.arrays.get("b")
    if b is not None and look.last is part:
        off = look.came - look.y
        shift = np.median(off.reshape(-1, off.shape[-1]), axis=0)
        wrong = np.abs(shift) > 2 * np.median(look.error.reshape(-1, off.shape[-1]), axis=0)
        if wrong.any():
            told = f"agrees with another bias in {int(wrong.sum())} of {len(b)} channels"
            yield Candidate("WEIGHT-STALE", look.with_part(part, arrays={"b": b + np.where(wrong, shift, 0)}), told, FITTED)


def _others(look, part, context):
    """The arrays of another layer of the same shapes, all or one."""
    alike = [
        q
        for q in context.parts
        if q.op == part.op and q.name != part.name and q.arrays.keys() == part.arrays.keys()
        and all(q.arrays[key].shape == a.shape for key, a in part.arrays.items())
    ]  # fmt: skip
    for q in alike:
        yield Candidate("WEIGHT-SWAP", look.with_part(part, arrays=q.arrays), f"agrees with the arrays of {q.name}")
        if len(part.arrays) > 1:
            for key in part.arrays:
                yield Candidate(
                    "WEIGHT-SWAP", look.with_part(part, arrays={key: q.arrays[key]}), f"agrees with the {key} of {q.name}"
                )
    if part.op == "batchnorm":
        for a, b in combinations(("gamma", "beta", "mean"), 2):
            arrays = {a: part.arrays[b], b: part.arrays[a]}
            yield Candidate("WEIGHT-SWAP", look.with_part(part, arrays=arrays), f"agrees with {a} and {b} exchanged")


def _taps(look, part):
    """Two rows, columns or taps exchanged in all channels."""
    w = part.arrays["w"]
    if part.op not in ("conv", "depthwise") or w.shape[0] * w.shape[1] == 1:
        return
    for axis in (0, 1):
        for i, j in combinations(range(w.shape[axis]), 2):
            order = list(range(w.shape[axis]))
            order[i], order[j] = j, i
            told = f"agrees with {('rows', 'columns')[axis]} {i} and {j} of its taps exchanged"
            yield Candidate("WEIGHT-SWAP", look.with_part(part, arrays={"w": w.take(order, axis)}), told)
    taps = list(np.ndindex(w.shape[:2]))
    for first, second in combinations(taps, 2):
        array = w.copy()
        array[first], array[second] = w[second], w[first]
        yield Candidate(
            "WEIGHT-SWAP", look.with_part(part, arrays={"w": array}), f"agrees with taps {first} and {second} exchanged"
        )


def _solved(look, part):
    """Equation (1) for some of the bad channels."""
    bad = np.flatnonzero(look.bad.reshape(-1, look.bad.shape[-1]).any(axis=0))
    unknown, pixels = part.arrays["w"][..., 0].size, look.came[..., 0].size
    is_alone = look.last is part and part.inputs[0] in look.segment.feeds and part.options.get("groups", 1) == 1
    if not is_alone or not len(bad) or unknown > _BIG or unknown * 2.2 > pixels:
        return
    array, chosen, half = part.arrays["w"].copy(), bad[:_CHANNELS], None
    for d in chosen:
        if not np.ptp(look.came[..., d]):
            return  # a channel that was never computed says nothing of weights
        if half is None or part.op == "depthwise":
            half = _Half(rows_of(part, look.segment.feeds[part.inputs[0]], d))
        b = part.arrays["b"][d] if "b" in part.arrays else 0.0
        w = half.solved(look.came[..., d].ravel() - b, look.error[..., d].ravel(), look.bad[..., d].ravel())
        if w is None:
            return
        array[..., d] = w.reshape(array.shape[:-1])
    yield from _interpreted(look, part, part.arrays["w"], array, chosen)


class _Half:
    """Every second of some rows, with what solves for the weights of a channel from them."""

    def __init__(self, rows):
        count = min(len(rows), max(6 * rows.shape[1], 200))
        self.rows, self.pick = rows, np.linspace(0, len(rows) - 1, count).astype(int)[::2]
        self.inverse = np.linalg.pinv(rows[self.pick], rcond=1e-12)
        self.size = np.abs(self.inverse)

    def solved(self, y, e, bad):
        """The weights, or None where (1) does not hold at the rows that are tried: many, and the bad ones."""
        w = self.inverse @ y[self.pick]
        spread = np.linspace(0, len(y) - 1, min(len(y), _TRIED)).astype(int)
        tried = np.union1d(spread, np.flatnonzero(bad)[:_TRIED])
        slack = e[tried] + np.abs(self.rows[tried]) @ (self.size @ e[self.pick])
        return w if np.all(np.abs(y[tried] - self.rows[tried] @ w) <= slack) else None


def _interpreted(look, part, w, array, bad):
    """What the weights that were found are: others' places, a few others, or all others."""
    flat, given = array.reshape(-1, array.shape[-1]), w.reshape(-1, w.shape[-1])
    moved = np.abs(flat - given) > 1e-4 * np.abs(given).max()
    exact, orders = given.copy(), set()
    swaps = 0
    for d in bad:
        order = np.abs(flat[:, d][:, None] - given[:, d][None]).argmin(axis=1)
        if len(set(order.tolist())) == len(order) and np.allclose(
            flat[:, d], given[order, d], rtol=0, atol=1e-4 * np.abs(given).max()
        ):
            exact[:, d] = given[order, d]
            orders.add(tuple(order.tolist()))
            swaps = max(swaps, int((order != np.arange(len(order))).sum()))
            continue
        orders.add(None)
        other = int(np.abs(flat[:, [d]] - given).max(axis=0).argmin())
        if np.abs(flat[:, d] - given[:, other]).max() < 1e-4 * np.abs(given).max():
            exact[:, d] = given[:, other]
            swaps = max(swaps, 2)
    if len(orders) == 1 and None not in orders and len(bad) == _CHANNELS:
        exact = given[list(orders.pop())]  # in every channel alike, those that were not solved for included
    if swaps:
        code = "WEIGHT-SWAP" if swaps == 2 or len(bad) <= 4 else "LAYOUT-WEIGHT"
        told = f"agrees with entries exchanged in channels {bad[:6].tolist()}"
        yield Candidate(code, look.with_part(part, arrays={"w": exact.reshape(w.shape)}), told, RERUN)
    count = int(moved[:, bad].sum())
    if not count:
        return
    size = np.abs(flat - given)[:, bad]
    relative = float(size.max() / np.abs(given).max()) if size.size else 0.0
    spread = float(np.sqrt((size**2).mean() / max((given[:, bad] ** 2).mean(), 1e-300)))
    if count <= max(4, 0.05 * moved[:, bad].size):
        yield Candidate(
            "WEIGHT-STALE",
            None,
            f"agrees with {count} other weights, off by up to {relative:.2g} of the largest",
            FITTED,
            margin=0.9,
        )
    elif spread < 0.1:
        yield Candidate(
            "EMA-RAW", None, f"agrees with weights that all differ by about {spread:.2g} of their size", FITTED, margin=0.9
        )
    else:
        yield Candidate(
            "WEIGHT-STALE", None, f"agrees with other weights, off by {spread:.2g} of their size", FITTED, margin=0.9
        )


def _channels(look, part):
    """Output channels in another order, found by their values at some pixels."""
    if part.op == "depthwise" or look.bad.shape[-1] < 2:
        return
    y, came = (a.reshape(-1, a.shape[-1]) for a in (look.y, look.came))
    pick = np.unique(np.linspace(0, len(y) - 1, 24).astype(int))
    y, came = y[pick], came[pick]
    near = ((came**2).sum(0)[:, None] + (y**2).sum(0)[None] - 2 * came.T @ y).argmin(axis=1)
    if len(set(near.tolist())) != len(near) or np.array_equal(near, np.arange(len(near))):
        return
    code = "WEIGHT-SWAP" if int((near != np.arange(len(near))).sum()) == 2 else "LAYOUT-WEIGHT"
    arrays = {key: a[..., near] for key, a in part.arrays.items()}
    yield Candidate(code, look.with_part(part, arrays=arrays), "agrees with output channels in another order")


def _kernels(look, part):
    """Channels of a depthwise layer that were computed with other channels' kernels."""
    bad = np.flatnonzero(look.bad.reshape(-1, look.bad.shape[-1]).any(axis=0))
    if part.op != "depthwise" or look.last is not part or part.inputs[0] not in look.segment.feeds or len(bad) > 32:
        return
    w, order = part.arrays["w"], np.arange(part.arrays["w"].shape[-1])
    for d in bad:
        y = rows_of(part, look.segment.feeds[part.inputs[0]], d) @ w.reshape(-1, w.shape[-1])
        off = np.abs(y + part.arrays.get("b", np.zeros(w.shape[-1]))[d] - look.came[..., d].reshape(-1, 1)).max(axis=0)
        order[d] = off.argmin()
    if not np.array_equal(order, np.arange(len(order))):
        told = f"agrees with the kernels of channels {order[bad][:6].tolist()} in {bad[:6].tolist()}"
        code = "WEIGHT-SWAP" if len(bad) <= 4 else "LAYOUT-WEIGHT"
        yield Candidate(code, look.with_part(part, arrays={"w": w[..., order]}), told)


def _single(look, part):
    """One weight of a channel that is another: the deviation is a multiple of one input."""
    if part.op not in ("pointwise", "linear", "conv") or part.options.get("groups", 1) != 1:
        return
    found = head(look, part)
    if found is None or look.last is not part:
        return
    per = look.bad.reshape(-1, look.bad.shape[-1]).any(axis=0)
    bad = np.flatnonzero(per)
    if not 0 < len(bad) <= 4:
        return
    array, exact = part.arrays["w"].copy(), True
    for d in bad:
        rows = rows_of(part, found[0], d)
        off = (look.came - look.y)[..., d].ravel()
        inner = (rows * rows).sum(axis=0)
        share = (rows.T @ off) ** 2 / np.where(inner > 0, inner, 1)
        k = int(share.argmax())
        step = float(rows[:, k] @ off / inner[k]) if inner[k] > 0 else 0.0
        array.reshape(-1, array.shape[-1])[k, d] += step
        left = np.abs(off - step * rows[:, k])
        exact = exact and bool(np.all(left <= look.error[..., d].ravel() * 1.5))
    if exact:
        told = f"agrees with one other weight in channels {bad.tolist()}"
        yield Candidate("WEIGHT-STALE", look.with_part(part, arrays={"w": array}), told, FITTED)
