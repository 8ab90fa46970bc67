"""PAD-SAME, PAD-LOWER, STRIDE-PHASE, PAD, PAD-VALUE, DILATION, MULTIPLIER-ORDER, POOL's windows: where a window reads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .cause import CONVENTION, FITTED, RERUN, Candidate

_WINDOWS = ("conv", "depthwise", "average_pool", "max_pool")


def candidates(look, context):
    for part in look.part(*_WINDOWS):
        if part.inputs[0] not in look.segment.feeds:
            yield from _rules(look, part)
            continue
        yield from _rules(look, part)
        yield from _shifts(look, part)
        if part.op in ("conv", "depthwise"):
            yield from _dilations(look, part)
            yield from _values(look, part)
        else:
            yield from _pools(look, part)


def fits(look, context):
    """A border of another value."""
    for part in look.part("conv", "depthwise"):
        if part.inputs[0] in look.segment.feeds and any(part.options["pad"]):
            yield from _constants(look, part)


def _kernel(part):
    return part.options["kernel"] if "kernel" in part.options else part.arrays["w"].shape[:2]


def _extents(look, part):
    """(rows, columns) that go in, and that come out."""
    name = part.inputs[0]
    if name in look.segment.feeds:
        size = np.shape(look.segment.feeds[name])[1:3]
    else:
        size = next(q.shape[:2] for q in look.segment.parts if q.name == name)
    return size, part.shape[:2]


def _rules(look, part):
    """The public rules; each where it gives another grid than the part's own."""
    kernel, stride, now = _kernel(part), part.options["stride"], tuple(part.options["pad"])
    size, out = _extents(look, part)
    if max(kernel) == 1:
        return
    totals = [max((o - 1) * stride + k - s, 0) for s, o, k in zip(size, out, kernel, strict=True)]
    upper = tuple(v for t in totals for v in (t // 2, t - t // 2))
    lower = tuple(v for t in totals for v in (t - t // 2, t // 2))
    even = tuple(v for k in kernel for v in (k // 2, k // 2))
    was_upper = now == upper != even
    rules = [("PAD-SAME", upper, "TensorFlow's SAME"), ("PAD-SAME", even, "symmetric padding")]
    rules.insert(0 if was_upper and not look.is_network else 2, ("PAD-LOWER", lower, "SAME_LOWER"))
    for code, pad, told in rules:
        if pad != now and _fits(size, out, kernel, stride, pad):
            yield Candidate(
                code, look.with_part(part, options={"pad": pad}), f"agrees with {told}, pads {pad} for {now}", CONVENTION
            )


def _fits(size, out, kernel, stride, pad):
    return all(
        s + a + b >= k and (s + a + b - k) // stride + 1 == o
        for s, o, k, a, b in zip(size, out, kernel, pad[::2], pad[1::2], strict=True)
    )


def _shifts(look, part):
    """The grid shifted by whole pixels; what is shifted out of the image is cut off."""
    kernel, stride = _kernel(part), part.options["stride"]
    size, out = _extents(look, part)
    dilation = part.options.get("dilation", 1)
    reach = [(k - 1) * dilation + 1 for k in kernel]
    top, _, left, _ = part.options["pad"]
    span = range(-2, 3) if stride == 1 else range(-stride, stride + 1)
    code = "STRIDE-PHASE" if stride > 1 else "PAD"
    for a in span:
        for b in span:
            if (a, b) != (0, 0):
                segment = _placed(look, part, (top + a, left + b), size, out, reach, stride)
                yield Candidate(code, segment, f"agrees when the windows begin {a} rows and {b} columns earlier")


def _placed(look, part, begin, size, out, reach, stride):
    """Windows that begin `begin` pixels before the image; cropped where that is negative."""
    name, pad, cut = part.inputs[0], [], []
    for first, extent, o, k in zip(begin, size, out, reach, strict=True):
        before = max(first, 0)
        start = max(-first, 0)
        after = (o - 1) * stride + k - before - (extent - start)
        pad += [before, max(after, 0)]
        cut.append(slice(start, extent + min(after, 0) if after < 0 else None))
    feed = look.segment.feeds[name][:, cut[0], cut[1]]
    return replace(look.with_part(part, options={"pad": tuple(pad)}), feeds=look.segment.feeds | {name: feed})


def _dilations(look, part):
    kernel, stride, now = _kernel(part), part.options["stride"], part.options.get("dilation", 1)
    size, out = _extents(look, part)
    top, _, left, _ = part.options["pad"]
    for dilation in (1, 2, 3, 4):
        if dilation == now or max(kernel) == 1:
            continue
        reach = [(k - 1) * dilation + 1 for k in kernel]
        centre = [t + (r - (k - 1) * now - 1) // 2 for t, r, k in zip((top, left), reach, kernel, strict=True)]
        segment = _placed(look, part, centre, size, out, reach, stride)
        changed = next(q for q in segment.parts if q.name == part.name)
        made = replace(changed, options=changed.options | {"dilation": dilation})
        segment = replace(segment, parts=tuple(made if q is changed else q for q in segment.parts))
        yield Candidate("DILATION", segment, f"agrees with dilation {dilation} for {now}", CONVENTION)


def _values(look, part):
    """The border filled with something else: the padding is written into the feed."""
    name, pad = part.inputs[0], part.options["pad"]
    x = np.asarray(look.segment.feeds[name], np.float64)
    if not any(pad):
        return
    sides = ((0, 0), pad[:2], pad[2:], (0, 0))
    bare = look.with_part(part, options={"pad": (0, 0, 0, 0)})
    for mode in ("edge", "reflect", "symmetric", "wrap"):
        if mode == "edge" or max(pad) < min(x.shape[1:3]):
            feed = np.pad(x, sides, mode=mode)
            yield Candidate(
                "PAD-VALUE", replace(bare, feeds=bare.feeds | {name: feed}), f"agrees with the border filled by {mode}"
            )


def _constants(look, part):
    name, pad = part.inputs[0], part.options["pad"]
    x, sides = np.asarray(look.segment.feeds[name], np.float64), ((0, 0), pad[:2], pad[2:], (0, 0))
    bare = look.with_part(part, options={"pad": (0, 0, 0, 0)})
    value = _constant(look, part, x, sides)
    if value is not None:
        for told in dict.fromkeys((round(value, 3), float(np.float32(value)))):
            feed = np.pad(x, sides, constant_values=told)
            yield Candidate(
                "PAD-VALUE", replace(bare, feeds=bare.feeds | {name: feed}), f"agrees with a border of {told:g}", FITTED
            )


def _constant(look, part, x, sides):
    """The one value of the border that the worst element asks for, where the layer is linear."""
    if look.last is not part and not (look.last.op == "batchnorm" and len(look.segment.parts) == 2):
        return None
    bare = look.with_part(part, options={"pad": (0, 0, 0, 0)})
    from ..segment import expected

    if look.y.shape != look.came.shape:
        return None
    ones = expected(replace(bare, feeds=bare.feeds | {part.inputs[0]: np.pad(x, sides, constant_values=1.0)}))[0]
    slope = ones - look.y
    where = np.unravel_index(np.argmax(np.abs(slope)), slope.shape)
    return None if slope[where] == 0 else float((look.came[where] - look.y[where]) / slope[where])


def _pools(look, part):
    if part.op == "average_pool":
        counts = not part.options.get("count_pad", False)
        segment = look.with_part(part, options={"count_pad": counts})
        yield Candidate(
            "POOL", segment, "agrees when padding is counted" if counts else "agrees when padding is not counted", CONVENTION
        )
    other = "max_pool" if part.op == "average_pool" else "average_pool"
    options = {key: v for key, v in part.options.items() if key != "count_pad"}
    if other == "average_pool":
        options["count_pad"] = False
    made = replace(part, op=other, options=options)
    yield Candidate("POOL", replace(look.segment, parts=tuple(made if q is part else q for q in look.segment.parts)),
                    f"agrees with {other}", RERUN)  # fmt: skip
