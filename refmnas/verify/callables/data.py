"""The data that a kernel is tried on: whole numbers, reals, and what kernels are known to fail on.

    integers      exact in any order of summation, where that is claimed
    reals         both signs, 24 random bits
    hard          reals scaled by powers of two far apart, with signed zeros
    cancellation  every term near 1 in size, of either sign: sums of them all but vanish; for
                  batch norm's statistics a mean far from 0
    denormals     the first factor below 2^-126, so that inputs and results are denormal
    extremes      the first factor so large that the largest sum comes near float32's end,
                  without any order of summation meeting it
    kinks         values at the points where an activation bends, at body and tail positions
                  alike, and their neighbours forward; equal maxima and zeros of both signs

A kind exists only of the functions that it can say something about, and where the bound covers it.
"""

import numpy as np

from ...cases import prove

DATA = ("integers", "reals", "hard", "cancellation", "denormals", "extremes", "kinks")

_SUMS = ("conv", "pointwise", "depthwise", "linear", "pool", "average_pool", "resize")
# Linear in their first array, and the bounds count every product that can underflow.
_LINEAR = (*_SUMS, "gate", "concat", "dropout", "drop_path", "max_pool")
_SMOOTH = ("sigmoid", "swish")
# exp(87) is finite: beyond it 1 / (1 + exp(-x)) overflows on the way to a result of 0.
_FARTHEST = 80.0
# log2 of the largest sum of absolute values; pools may add up all pixels before they divide.
_NEAR_THE_END = {"conv": 126, "pointwise": 126, "depthwise": 126, "linear": 126, "concat": 126, "max_pool": 120, "gate": 120}
_BELOW_THE_END = 112


def kinds(claim, case):
    """The kinds of DATA that exist of one case."""
    op, _, direction = claim.function.partition(".")
    found = ["integers", "reals", "hard"]
    if op in _SUMS or claim.function in ("batchnorm.forward", "gate.backward"):
        found.append("cancellation")
    if op in _LINEAR or (op == "activation" and (direction == "backward" or case.kind not in _SMOOTH)):
        found.append("denormals")
    if op in _LINEAR or op in ("softmax", "softmax_xent", "activation"):
        found.append("extremes")
    if op in ("activation", "max_pool"):
        found.append("kinks")
    return found


def arrays(claim, case, data):
    """{name: array} of the claim's function, float32 but for labels, in NHWC."""
    base = data if data in ("integers", "reals", "hard") else "reals"
    given = dict(zip(claim.takes, prove.inputs(claim, case, base, np.float32), strict=True))
    given = {name: None if a is None else a.copy() for name, a in given.items()}
    if case.OP == "activation" and case.kind in _SMOOTH:
        given["x"] = np.clip(given["x"], np.float32(-_FARTHEST), np.float32(_FARTHEST))
    change = _CHANGES.get(data)
    return given if change is None else given | change(claim, case, given)


def _cancelling(claim, case, given):
    if claim.function == "batchnorm.forward":
        return {"x": (64 + given["x"].astype(np.float64) / 4).astype(np.float32)}
    return {name: _near_one(a) for name, a in given.items() if a is not None and name != "b"}


def _near_one(a):
    near = 1 + np.abs(a.astype(np.float64)) * 2.0**-12
    return np.where(np.signbit(a), -near, near).astype(np.float32)


def _scaled(exponent):
    return lambda a: np.ldexp(a.astype(np.float64), exponent).astype(np.float32)


def _denormal(claim, case, given):
    first = claim.takes[0]
    rest = {"b": _scaled(-130)(given["b"])} if given.get("b") is not None else {}
    return rest | {first: _scaled(-130)(given[first])}


def _extreme(claim, case, given):
    first = claim.takes[0]
    a = given[first]
    if case.OP in ("softmax", "softmax_xent"):
        return {"x": given["x"] * np.float32(64)}
    if case.OP == "activation":
        smooth = case.kind in _SMOOTH
        return {first: _scaled(100 if first == "dy" else 0 if smooth else 120)(a)}
    return {first: _scaled(_room(claim, case, given))(a)}


def _room(claim, case, given):
    """The power of two that brings the largest sum of absolute values to its place near the end."""
    positive = [None if a is None else np.abs(a).astype(np.float64) for a in given.values()]
    with prove.use("numpy"):
        sums = prove.results(prove.op(claim.function)(*positive, **prove.options(claim.function, case)))
    largest = max([1.0, *(float(s.max(initial=0.0)) for s in sums), *(float(a.max(initial=0.0)) for a in positive[:1])])
    return _NEAR_THE_END.get(case.OP, _BELOW_THE_END) - int(np.frexp(largest)[1])


def _kinked(claim, case, given):
    x = given["x"]
    if case.OP == "max_pool":
        return {"x": np.where(np.abs(x) < np.abs(x).max(initial=0) / 2, np.copysign(np.float32(0), x), np.sign(x))}
    bends = np.asarray(case.kinks(), np.float32)
    points = np.concatenate([np.float32([-0.0, 0.0, 1.0]), bends, -bends])
    if claim.function == "activation.forward":
        points = np.concatenate([points, np.nextafter(bends, np.float32(9)), np.nextafter(bends, np.float32(-9))])
    points = np.roll(points, case.seed % len(points))
    return {"x": np.resize(points, x.shape).astype(np.float32)}


_CHANGES = {"cancellation": _cancelling, "denormals": _denormal, "extremes": _extreme, "kinks": _kinked}
