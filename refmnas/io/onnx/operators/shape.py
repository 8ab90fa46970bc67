"""The same elements under another shape or type: Identity, Constant, ConstantOfShape, Shape, Cast, Flatten, Reshape,
Transpose, Squeeze, Unsqueeze.

    Reshape    0 keeps the operand's extent (unless allowzero), one -1 takes what is left   (1)
    Cast       a float to a whole number is cut toward 0; beyond the type's range the
               result is the machine's own, as the standard leaves it open

Source: ONNX operators Identity-1, 13 to 25; Constant-1, 9, 11, 12, 13 to 25; ConstantOfShape-9, 20 to 25;
Shape-1, 13, 15 to 25; Cast-6, 9, 13, 19 to 25; Flatten-1, 9, 11, 13 to 25; Reshape-5, 13, 14, 19 to 25; Transpose-1, 13 to
25; Squeeze-1, 11, 13 to 25; Unsqueeze-1, 11, 13 to 25.
"""

from __future__ import annotations

import numpy as np

from ....errors import ShapeError, SpecError
from .record import ALL, FLOATS, Attribute, Info, Operator, Version, agree, axes, axis, length, numbers, product, ranked, text

_VALUES = {"value": "tensor", "value_float": "float", "value_floats": "floats", "value_int": "int", "value_ints": "ints"}


def constant(a):
    """The array of a Constant: of its one attribute."""
    given = {key: a[key] for key in _VALUES if a.get(key) is not None}
    if len(given) != 1:
        raise SpecError(f"the attributes {', '.join(given) or 'are none'}, wanted one value")
    ((key, value),) = given.items()
    return value if key == "value" else np.asarray(value, np.float32 if "float" in key else np.int64)


def _constant_rule(a):
    value = constant(a)
    return [Info(value.dtype, value.shape, value)]


def _filled_rule(a, shape):
    """As many of the one element of `value`, a float32 0 where there is none, as the shape says."""
    value = _fill(a)
    if value.size != 1:
        raise ShapeError(f"value has shape {text(value.shape)}, wanted one element")
    wanted, count = numbers(shape, "input"), length(shape)
    if wanted is not None and min(wanted, default=0) < 0:
        raise SpecError(f"input is {tuple(wanted)}, wanted extents from 0 on")
    return [Info(value.dtype, (None if count is None else (None,) * count) if wanted is None else tuple(wanted))]


def _fill(a):
    return np.zeros(1, np.float32) if a["value"] is None else a["value"]


def _shape_rule(a, x):
    if x.shape is None:
        return [Info(np.dtype("i8"), (None,))]
    shown = _shown(a, x.shape)
    value = np.array(shown, np.int64) if None not in shown else None
    return [Info(np.dtype("i8"), (len(shown),), value)]


def _shown(a, shape):
    """The extents from `start` to `end`, both held to the axes that there are."""
    return shape[slice(a.get("start", 0), a.get("end"))]


def _cast_rule(a, x):
    return [Info(a["to"], x.shape)]


def _flatten_rule(a, x):
    rank = ranked(x, 0)
    at = axis(a["axis"], rank, beyond=1)
    if rank is None:
        return [Info(x.dtype, (None, None))]
    return [Info(x.dtype, (product(x.shape[:at]), product(x.shape[at:])))]


def _reshape_rule(a, x, shape):
    wanted = numbers(shape, "shape")
    if wanted is None:
        count = length(shape)
        return [Info(x.dtype, None if count is None else (None,) * count)]
    return [Info(x.dtype, _reshaped(x.shape, wanted, a.get("allowzero", 0)))]


def _reshaped(shape, wanted, allowzero):
    """Equation (1), where extents of `shape` may be unknown."""
    if min(wanted, default=0) < -1 or wanted.count(-1) > 1 or (allowzero and -1 in wanted and 0 in wanted):
        raise SpecError(f"shape is {tuple(wanted)}, wanted extents from 0 on and at most one -1")
    found = list(wanted)
    for k, n in enumerate(wanted):
        if n == 0 and not allowzero:
            if shape is not None and k >= len(shape):
                raise ShapeError(f"shape has a 0 at axis {k}, x has shape {text(shape)}")
            found[k] = None if shape is None else shape[k]
    total = None if shape is None else product(shape)
    rest = product([n for n in found if n != -1])
    if -1 in found:
        free = found.index(-1)
        found[free] = None
        if total is not None and rest is not None:
            if rest == 0 or total % rest:
                raise ShapeError(f"x has shape {text(shape)}, which no shape {tuple(wanted)} holds")
            found[free] = total // rest
    elif total is not None and rest is not None and total != rest:
        raise ShapeError(f"x has shape {text(shape)}, wanted as many elements as shape {tuple(wanted)} has")
    return tuple(found)


def _reshape(a, x, shape):
    return x.reshape(_reshaped(x.shape, shape.reshape(-1).tolist(), a.get("allowzero", 0)))


def _transpose_rule(a, x):
    order = a["perm"]
    if order is not None and sorted(order) != list(range(len(order))):
        raise SpecError(f"perm is {order}, wanted each axis once")
    if x.shape is None:
        return [Info(x.dtype, None if order is None else (None,) * len(order))]
    if order is not None:
        agree(len(order), len(x.shape), "perm and the axes of x")
    return [Info(x.dtype, tuple(x.shape[k] for k in order) if order is not None else x.shape[::-1])]


def _squeeze_rule(a, x, over=None):
    rank, given = ranked(x, 0), [] if over is None else numbers(over, "axes")
    if rank is None or given is None or (over is None and None in x.shape):
        count = length(over)
        return [Info(x.dtype, None if rank is None or not count else (None,) * (rank - count))]
    gone = axes(given, rank) if over is not None else [k for k, n in enumerate(x.shape) if n == 1]
    for k in gone:
        agree(x.shape[k], 1, f"axis {k} of x and what is squeezed")
    return [Info(x.dtype, tuple(n for k, n in enumerate(x.shape) if k not in gone))]


def _unsqueeze_rule(a, x, over):
    rank, given, count = ranked(x, 0), numbers(over, "axes"), length(over)
    if rank is None or given is None:
        return [Info(x.dtype, None if rank is None or count is None else (None,) * (rank + count))]
    new = axes(given, rank + len(given))
    extents = iter(x.shape)
    return [Info(x.dtype, tuple(1 if k in new else next(extents) for k in range(rank + len(given))))]


def _as(rule):
    """The computation that gives the elements the shape that the rule says."""

    def compute(a, x, *operands, **named):
        infos = {key: None if v is None else Info(v.dtype, v.shape, v) for key, v in named.items()}
        return x.reshape(rule(a, Info(x.dtype, x.shape), **infos)[0].shape)

    return compute


_CONSTANTS = {key: Attribute(kind, None) for key, kind in _VALUES.items()}
_TO = {"to": Attribute("type")}
_SATURATE = _TO | {"saturate": Attribute("int", 1)}  # speaks of 8-bit floats alone
_PERM = {"perm": Attribute("ints", None)}
_SPAN = {"start": Attribute("int", 0), "end": Attribute("int", None)}
_AXES = {"axes": Attribute("ints", None)}
_MOVED = {"axes": "over"}

TABLE = {
    "Identity": Operator(lambda a, x: [x], lambda a, x: x, (Version(1, "x", ALL),)),
    "Constant": Operator(_constant_rule, constant, (
        Version(1, "", ALL, {"value": Attribute("tensor")}), Version(12, "", ALL, _CONSTANTS),
    )),
    "ConstantOfShape": Operator(_filled_rule, lambda a, shape: np.full(shape.tolist(), _fill(a).item(), _fill(a).dtype), (
        Version(9, "shape:L", ALL, {"value": Attribute("tensor", None)}),
    )),
    "Shape": Operator(_shape_rule, lambda a, x: np.array(_shown(a, x.shape), np.int64), (
        Version(1, "x", ALL), Version(15, "x", ALL, _SPAN),
    )),
    "Cast": Operator(_cast_rule, lambda a, x: x.astype(a["to"]), (
        Version(6, "x", ALL, _TO), Version(19, "x", ALL, _SATURATE),
        Version(24, "x", ALL, _SATURATE | {"round_mode": Attribute("text", "up")}),
    )),
    "Flatten": Operator(_flatten_rule, _as(_flatten_rule), (
        Version(1, "x", FLOATS, {"axis": Attribute("int", 1)}), Version(9, "x", ALL, {"axis": Attribute("int", 1)}),
    )),
    "Reshape": Operator(_reshape_rule, _reshape, (
        Version(5, "x shape:L", ALL), Version(14, "x shape:L", ALL, {"allowzero": Attribute("int", 0)}),
    )),
    "Transpose": Operator(_transpose_rule, lambda a, x: x.transpose(a["perm"]), (Version(1, "x", ALL, _PERM),)),
    "Squeeze": Operator(_squeeze_rule, _as(_squeeze_rule), (
        Version(1, "x", ALL, _AXES, moved=_MOVED), Version(13, "x over?:L", ALL),
    )),
    "Unsqueeze": Operator(_unsqueeze_rule, _as(_unsqueeze_rule), (
        Version(1, "x", ALL, {"axes": Attribute("ints")}, moved=_MOVED), Version(13, "x over:L", ALL),
    )),
}  # fmt: skip
VIEWS = ("Identity", "Constant", "Transpose", "Squeeze", "Unsqueeze")
