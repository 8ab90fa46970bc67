"""Single ops against PyTorch, over the cases that selftest proves: equal first, then timed.

On integers both must give the oracle's values where that is claimed, on reals both must
lie within the derived bound; who does not is marked, and not ranked.  The cases are small
(the oracle is scalar loops), so what is compared is mostly a call's cost.
"""

from __future__ import annotations

import itertools
import re
from itertools import islice

import numpy as np

from .. import cases
from ..cases import prove
from ..errors import PeerError, SpecError
from . import clock, order

FORWARD = {
    "conv": "conv.forward",
    "pointwise": "pointwise.forward",
    "depthwise": "depthwise.forward",
    "batchnorm": "batchnorm.forward_eval",
    "activation": "activation.forward",
    "pool": "pool.forward",
    "gate": "gate.forward",
    "linear": "linear.forward",
}
PAIRS, SPAN_S = 15, 2e-3


def names(pattern):
    """The ops that match; SpecError where none does."""
    try:
        found = [op for op in FORWARD if re.search(pattern, op)]
    except re.error as error:
        raise SpecError(f"bench: --ops {pattern!r} is no regular expression: {error}") from None
    if not found:
        raise SpecError(f"bench: no op matches {pattern!r}; there are {', '.join(FORWARD)}")
    return found


def compared(pattern, count, seed=0):
    """A record of each case: errors as shares of their bounds, medians in us, the ratio with its interval."""
    torch = _torch()
    torch.set_num_threads(1)
    with torch.inference_mode():
        for op in names(pattern):
            claim = next(c for c in cases.CLAIMS[op] if c.function == FORWARD[op])
            for case, peer in islice(_drawn(torch, op, claim, seed), count):
                yield _record(torch, claim, case, peer)


def _drawn(torch, op, claim, seed):
    """(case, the same in PyTorch) of those that have a result with something in it, and a counterpart."""
    for case in (cases.draw(op, number) for number in itertools.count(seed)):
        peer = _PEERS[op](torch, case)
        if peer is not None and claim.covers(case) and np.prod(case.result()):
            yield case, peer


def _torch():
    try:
        import torch
    except ImportError as error:
        raise PeerError(f"bench: --ops needs PyTorch, not there ({error}): pip install 'refmnas[peers]'") from None
    return torch


def _record(torch, claim, case, peer):
    """One case; margins are the largest error over the bound, infinite where integers are not exact."""
    prepare, call = peer
    margins = {"ours": 0.0, "peer": 0.0}
    for data in ("integers", "reals"):
        arrays = prove.inputs(claim, case, data, np.float32)
        want = prove.results(prove.oracle(claim.function)(*arrays, **prove.options(claim.function, case)))[0]
        exact = data == "integers" and claim.exact is not None and claim.exact(case)
        bound = np.zeros(want.shape) if exact else claim.bound(case, np.float32, *arrays)[0]
        theirs = _numpy(call(*prepare(*arrays)), claim.function != "pointwise.forward")
        got = {"ours": _ours(claim, case, arrays)(), "peer": theirs}
        for who, y in got.items():
            margins[who] = max(margins[who], prove.largest_margin(y, want, bound))
    ours, given = _ours(claim, case, arrays), prepare(*arrays)
    times = clock.alternate([ours, lambda: call(*given)], pairs=PAIRS, span_s=SPAN_S)
    ratios = [theirs / own for own, theirs in times]
    own, theirs = (order.summary(column) for column in zip(*times, strict=True))
    return {
        "case": str(case),
        "op": case.OP,
        "margin": _finite(margins["ours"]),
        "peer_margin": _finite(margins["peer"]),
        "is_wrong": not margins["ours"] <= 1,
        "peer_is_wrong": not margins["peer"] <= 1,
        "us": 1e6 * own.median,
        "min_us": 1e6 * own.least,
        "peer_us": 1e6 * theirs.median,
        "peer_min_us": 1e6 * theirs.least,
        "ratio": order.median(ratios),
        "ratio_interval": list(order.interval(ratios)),
    }


def _finite(value):
    return float(value) if np.isfinite(value) else None


def _ours(claim, case, arrays):
    function, options = prove.op(claim.function), prove.options(claim.function, case)
    return lambda: function(*arrays, **options)


def _numpy(t, is_nchw):
    """NHWC, or as it is."""
    return (t.permute(0, 2, 3, 1) if is_nchw and t.ndim == 4 else t).numpy()


# -- the same in PyTorch: op -> (torch, case) -> (arrays -> tensors, call), or None where it has none ----


def _nchw(torch, a):
    return torch.from_numpy(np.ascontiguousarray(a)).permute(0, 3, 1, 2) if a.ndim == 4 else torch.from_numpy(a)


def _optional(torch, a):
    return None if a is None else torch.from_numpy(a)


def _window(torch, case, groups, turned):
    """A convolution; unequal pads by a padding of their own, inside the clock, as a caller would have to."""
    top, bottom, left, right = case.pad
    equal = top == bottom and left == right
    options = {"stride": case.stride, "dilation": case.dilation, "groups": groups, "padding": (top, left) if equal else 0}

    def prepare(x, w, b):
        w = torch.from_numpy(np.ascontiguousarray(w.transpose(turned) if w.ndim == 4 else w.transpose(2, 0, 1)[:, None]))
        return _nchw(torch, x), w.contiguous(memory_format=torch.channels_last), _optional(torch, b)

    def call(x, w, b):
        x = x if equal else torch.nn.functional.pad(x, (left, right, top, bottom))
        return torch.nn.functional.conv2d(x, w, b, **options)

    return prepare, call


def _matrix(torch, case):
    """x (..., C) times w (C, D)."""

    def prepare(x, w, b):
        return torch.from_numpy(x), torch.from_numpy(np.ascontiguousarray(w.T)), _optional(torch, b)

    return prepare, torch.nn.functional.linear


def _activation(torch, case):
    f = torch.nn.functional
    call = {
        "relu": torch.relu, "relu6": f.relu6, "swish": f.silu, "sigmoid": torch.sigmoid,
        "hard_sigmoid": f.hardsigmoid, "hard_swish": f.hardswish,
    }.get(case.kind)  # fmt: skip
    return call and (lambda x: (torch.from_numpy(x),), call)


def _batchnorm(torch, case):
    def prepare(x, gamma, beta, mean, var):
        return _nchw(torch, x), *map(torch.from_numpy, (mean, var, gamma, beta))

    return prepare, lambda *given: torch.nn.functional.batch_norm(*given, eps=case.eps)


def _pool(torch, case):
    return lambda x: (_nchw(torch, x),), lambda x: x.mean((2, 3))


def _gate(torch, case):
    return lambda x, g: (_nchw(torch, x), torch.from_numpy(g)[:, :, None, None]), torch.mul


_PEERS = {
    "conv": lambda torch, case: _window(torch, case, case.groups, (3, 2, 0, 1)),
    "depthwise": lambda torch, case: _window(torch, case, case.c, None),
    "pointwise": _matrix,
    "linear": _matrix,
    "activation": _activation,
    "batchnorm": _batchnorm,
    "pool": _pool,
    "gate": _gate,
}
