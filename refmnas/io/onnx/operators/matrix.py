"""Sums over axes: Gemm, MatMul, BatchNormalization, Softmax, ReduceMean, GlobalAveragePool.

    Gemm       alpha * A' B' + beta * C, A' and B' turned where transA, transB say       (1)
    BatchNorm  (x - mean) / sqrt(var + epsilon) * scale + bias                           (2)
               with training_mode the batch's own mean and (biased) variance, and
               running = running * momentum + batch's * (1 - momentum)                   (3)
    Softmax    exp(x - max) / sum of them over one axis; before opset 13 over all axes
               from `axis` on                                                            (4)

float16 is computed in float32 and rounded once.

Source: ONNX operators Gemm-7, 9, 11, 13; MatMul-1, 9, 13; BatchNormalization-7, 9, 14, 15;
Softmax-1, 11, 13; ReduceMean-1, 11, 13, 18; GlobalAveragePool-1, 22.
"""

from __future__ import annotations

import numpy as np

from ....errors import DataError, ShapeError, SpecError
from .record import (
    FLOATS,
    WIDE,
    Attribute,
    Info,
    Operator,
    Version,
    agree,
    axes,
    axis,
    broadcast,
    in_float32,
    numbers,
    ranked,
    text,
)  # fmt: skip


def _gemm_rule(a, x, w, c=None):
    inner, shape = [], []
    for info, name, turned, kept in ((x, "A", a["transA"], 0), (w, "B", a["transB"], 1)):
        if info.shape is not None and len(info.shape) != 2:
            raise ShapeError(f"{name} has shape {text(info.shape)}, wanted two axes")
        extents = info.shape or (None, None)
        shape.append(extents[kept ^ bool(turned)])
        inner.append(extents[1 - (kept ^ bool(turned))])
    agree(*inner, "the inner axes of A and B")
    if c is not None and c.shape is not None:
        stretched = broadcast(tuple(shape), c.shape)
        if len(c.shape) > 2 or any(n is not None and m is not None and n != m for n, m in zip(stretched, shape, strict=True)):
            raise ShapeError(f"C has shape {text(c.shape)}, wanted one that stretches to {text(shape)}")
    return [Info(x.dtype, tuple(shape))]


def _gemm(a, x, w, c=None):
    """Equation (1)."""
    x, w, c = map(in_float32, (x, w, c))
    y = (x.T if a["transA"] else x) @ (w.T if a["transB"] else w)
    y = _scaled(y, a["alpha"])
    return y if c is None else y + _scaled(c, a["beta"])


def _scaled(y, factor):
    """y times a factor; whole numbers by a float64 product, cut toward 0."""
    if factor == 1:
        return y
    return y * y.dtype.type(factor) if y.dtype.kind == "f" else (y * float(factor)).astype(y.dtype)


def _matmul_rule(a, x, w):
    ranked(x, 1, "A"), ranked(w, 1, "B")
    if x.shape is None or w.shape is None:
        return [Info(x.dtype)]
    one, other = x.shape if len(x.shape) > 1 else (1, *x.shape), w.shape if len(w.shape) > 1 else (*w.shape, 1)
    agree(one[-1], other[-2], "the inner axes of A and B")
    rows, columns = one[-2:-1] if len(x.shape) > 1 else (), other[-1:] if len(w.shape) > 1 else ()
    return [Info(x.dtype, (*broadcast(one[:-2], other[:-2]), *rows, *columns))]


def _matmul(a, x, w):
    return np.matmul(in_float32(x), in_float32(w))


def _norm_rule(a, x, scale, bias, mean, var):
    ranked(x, 2)
    count = None if x.shape is None else x.shape[1]
    for name, info in (("scale", scale), ("B", bias), ("mean", mean), ("var", var)):
        if info.shape is not None and len(info.shape) != 1:
            raise ShapeError(f"{name} has shape {text(info.shape)}, wanted one axis")
        if info.shape is not None:
            count = agree(count, info.shape[0], f"channels of x and {name}")
    training = bool(a.get("training_mode"))
    if a["results"] > (3 if training else 1):
        raise SpecError(f"{a['results']} results, wanted 1 outside training; running statistics with training_mode 1")
    shape = None if x.shape is None else (x.shape[0], count, *x.shape[2:])
    return [Info(x.dtype, shape), Info(mean.dtype, (count,)), Info(var.dtype, (count,))][: a["results"]]


def _norm(a, x, scale, bias, mean, var):
    """Equations (2) and (3)."""
    wide = in_float32(x)
    around = (1, -1) + (1,) * (x.ndim - 2)
    if not a.get("training_mode"):
        if (var + var.dtype.type(a["epsilon"]) <= 0).any():
            raise DataError(f"var + epsilon has {(var + a['epsilon']).min()}, wanted values above 0")
        return _normal(wide, scale, bias, mean, var, a["epsilon"], around)
    over = (0, *range(2, x.ndim))
    batch_mean, batch_var = wide.mean(axis=over), wide.var(axis=over)
    moved = [
        old * old.dtype.type(a["momentum"]) + new * old.dtype.type(1 - a["momentum"])
        for old, new in ((mean, batch_mean), (var, batch_var))
    ]
    return [_normal(wide, scale, bias, batch_mean, batch_var, a["epsilon"], around), *moved][: a["results"]]


def _normal(x, scale, bias, mean, var, epsilon, around):
    scale, bias, mean, var = (v.astype(x.dtype).reshape(around) for v in (scale, bias, mean, var))
    return (x - mean) / np.sqrt(var + x.dtype.type(epsilon)) * scale + bias


def _softmax_rule(a, x):
    axis(a["axis"], ranked(x, 1), beyond=0)
    return [Info(x.dtype, x.shape)]


def _softmax(a, x):
    """Equation (4)."""
    first = axis(a["axis"], x.ndim)
    over = first if a["opset"] >= 13 else tuple(range(first, x.ndim))
    wide = in_float32(x)
    e = np.exp(wide - wide.max(axis=over, keepdims=True, initial=-np.inf))
    return e / e.sum(axis=over, keepdims=True)


def _chosen(a, rank, over):
    """The axes to reduce, or None where they are not known; none given means all, or none with noop_with_empty_axes."""
    found = numbers(over, "axes") if over is not None else []
    if found is None or rank is None:
        return None
    if not found:
        return [] if a.get("noop_with_empty_axes") else list(range(rank))
    return sorted(axes(found, rank))


def _mean_rule(a, x, over=None):
    rank = ranked(x, 0)
    chosen = _chosen(a, rank, over)
    if chosen is None:
        return [Info(x.dtype, (None,) * rank if a["keepdims"] and rank is not None else None)]
    kept = [1 if k in chosen else n for k, n in enumerate(x.shape) if a["keepdims"] or k not in chosen]
    return [Info(x.dtype, tuple(kept))]


def _mean(a, x, over=None):
    """The mean; of whole numbers cut toward 0."""
    chosen = tuple(_chosen(a, x.ndim, None if over is None else Info(over.dtype, over.shape, over)))
    keep = bool(a["keepdims"])
    if not chosen:
        return x
    count = int(np.prod([x.shape[k] for k in chosen], dtype=object))
    if x.dtype.kind == "f":
        return in_float32(x).mean(axis=chosen, keepdims=keep)
    if not count:
        raise DataError("the mean of no whole numbers, wanted at least one")
    total = x.sum(axis=chosen, keepdims=keep)
    return np.where(total < 0, -(-total // count), total // count).astype(x.dtype)


def _pool_rule(a, x):
    ranked(x, 2)
    return [Info(x.dtype, None if x.shape is None else (*x.shape[:2], *(1,) * (len(x.shape) - 2)))]


def _pool(a, x):
    return in_float32(x).mean(axis=tuple(range(2, x.ndim)), keepdims=True) if x.ndim > 2 else x


_GEMM = {"alpha": Attribute("float", 1.0), "beta": Attribute("float", 1.0), "transA": Attribute("int", 0),
         "transB": Attribute("int", 0)}  # fmt: skip
_NORM = {"epsilon": Attribute("float", 1e-5), "momentum": Attribute("float", 0.9)}
_TRAINS = _NORM | {"training_mode": Attribute("int", 0, (0, 1))}
_KEEP = {"keepdims": Attribute("int", 1)}
_OVER = _KEEP | {"axes": Attribute("ints", None)}
_NOOP = _KEEP | {"noop_with_empty_axes": Attribute("int", 0)}
_STATISTICS = {"T": FLOATS, "U": FLOATS, "V": FLOATS}

TABLE = {
    "Gemm": Operator(_gemm_rule, _gemm, (
        Version(7, "x w c", FLOATS, _GEMM), Version(9, "x w c", WIDE, _GEMM), Version(11, "x w c?", WIDE, _GEMM),
    )),
    "MatMul": Operator(_matmul_rule, _matmul, (Version(1, "x w"), Version(9, "x w", WIDE))),
    "BatchNormalization": Operator(_norm_rule, _norm, (
        Version(7, "x scale bias mean var", FLOATS, _NORM | {"spatial": Attribute("int", 1, (1,))}, results=5),
        Version(9, "x scale bias mean var", FLOATS, _NORM, results=5),
        Version(14, "x scale bias mean:U var:U", _STATISTICS, _TRAINS, results=3),
        Version(15, "x scale:V bias:V mean:U var:U", _STATISTICS, _TRAINS, results=3),
    )),
    "Softmax": Operator(_softmax_rule, _softmax, (
        Version(1, "x", FLOATS, {"axis": Attribute("int", 1)}), Version(13, "x", FLOATS, {"axis": Attribute("int", -1)}),
    )),
    "ReduceMean": Operator(_mean_rule, _mean, (
        Version(1, "x", WIDE, _OVER, moved={"axes": "over"}), Version(18, "x over?:L", WIDE, _NOOP),
    )),
    "GlobalAveragePool": Operator(_pool_rule, _pool, (Version(1, "x"),)),
}  # fmt: skip
