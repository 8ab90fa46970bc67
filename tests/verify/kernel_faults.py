"""Faults planted in kernels by hand, each of a kind that is really made; the judge must find every one.

A row: name, function, the kernel, the code it must be given (a tuple where either is right), and
the cause that must be named ("" where none has to be).
"""

import ctypes
import time
from typing import Any, NamedTuple

import kernels_by_hand as right
import numpy as np
from kernels_by_hand import F, taps
from numpy.lib.stride_tricks import as_strided

WRONG = "WRONG-VALUES"
FAULTS = []


class Fault(NamedTuple):
    """One planted fault."""

    name: str
    function: str
    fn: Any
    code: Any
    cause: str
    more: dict


def fault(function, code=WRONG, cause="", **more):
    """Write a kernel into FAULTS; its docstring is the fault's name."""

    def add(fn):
        FAULTS.append(Fault(fn.__doc__, function, fn, code, cause, more))
        return fn

    return add


# -- tails and tiles ----------------------------------------------------------------


@fault("depthwise.forward", cause="TAIL")
def _(x, w, b=None, **o):
    """channels behind whole vectors of 8 are left 0"""
    y = right.depthwise(x, w, b, **o)
    y[..., y.shape[3] // 8 * 8 :] = 0
    return y


@fault("pointwise.forward")
def _(x, w, b=None):
    """the lane tail of 16 output channels lacks the last input channel"""
    y = right.pointwise(x, w, b)
    d = y.shape[3] // 16 * 16
    y[..., d:] -= x[..., -1:] * w[-1:, d:]
    return y


@fault("depthwise.forward")
def _(x, w, b=None, **o):
    """the last column of an odd width is the one before it"""
    y = right.depthwise(x, w, b, **o)
    if y.shape[2] % 2 and y.shape[2] > 1:
        y[:, :, -1] = y[:, :, -2]
    return y


@fault("depthwise.forward")
def _(x, w, b=None, **o):
    """rows beyond the 16th come from the first tile"""
    y = right.depthwise(x, w, b, **o)
    return y[:, np.arange(y.shape[1]) % 16].copy()


@fault("depthwise.forward")
def _(x, w, b=None, **o):
    """a tile of 64 columns forgets its seam"""
    y = right.depthwise(x, w, b, **o)
    y[:, :, 64:65] = 0
    return y


@fault("pointwise.forward")
def _(x, w, b=None):
    """a channel index of 7 bits"""
    y = right.pointwise(x, w, b)
    return y[..., np.arange(y.shape[3]) & 127].copy()


@fault("conv.forward")
def _(x, w, b=None, **o):
    """one element alone: the last of the second image"""
    y = right.conv(x, w, b, **o)
    if len(y) > 1:
        y[1, -1, -1, -1] *= F(1.0001)
    return y


@fault("pool.forward")
def _(x):
    """the mean leaves out the last row of an odd height"""
    H, W = x.shape[1:3]
    return x[:, : H - H % 2 or 1].sum(axis=(1, 2)) / F(H * W)


@fault("linear.forward")
def _(x, w, b=None):
    """a sum that stops at whole blocks of four inputs"""
    c = len(w) // 4 * 4 or len(w)
    y = x[:, :c] @ w[:c]
    return y if b is None else y + b


# -- pads, strides, dilation, groups --------------------------------------------------


@fault("depthwise.forward", cause="PAD")
def _(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1):
    """pads of left and right exchanged"""
    return right.depthwise(x, w, b, stride=stride, pad=(pad[0], pad[1], pad[3], pad[2]), dilation=dilation)


@fault("conv.forward")
def _(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1, groups=1):
    """unequal pads made equal"""
    top, bottom, left, r = pad
    pad = ((top + bottom) // 2, top + bottom - (top + bottom) // 2, (left + r) // 2, left + r - (left + r) // 2)
    return right.conv(x, w, b, stride=stride, pad=pad, dilation=dilation, groups=groups)


@fault("conv.forward")
def _(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1, groups=1):
    """the border repeated instead of zeros"""
    t, bottom, left, r = pad
    x = np.pad(x, ((0, 0), (t, bottom), (left, r), (0, 0)), mode="edge")
    return right.conv(x, w, b, stride=stride, dilation=dilation, groups=groups)


@fault("depthwise.forward")
def _(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1):
    """dilation of the rows alone"""
    (top, bottom, left, r), (Kh, Kw) = pad, w.shape[:2]
    cut = (Kw - 1) * (dilation - 1)
    wide = np.zeros(((Kh - 1) * dilation + 1, Kw, w.shape[2]), F)
    wide[::dilation] = w
    x = np.pad(x, ((0, 0), (top, bottom), (left, r), (0, 0)))
    return right.depthwise(x[:, :, : x.shape[2] - cut], wide, b, stride=stride)


@fault("depthwise.forward")
def _(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1):
    """stride 2 begins at the second column"""
    if stride != 2:
        return right.depthwise(x, w, b, stride=stride, pad=pad, dilation=dilation)
    full = right.depthwise(x, w, b, pad=pad, dilation=dilation)
    columns = np.minimum(np.arange(0, full.shape[2], 2) + 1, full.shape[2] - 1)
    return full[:, ::2][:, :, columns]


@fault("conv.forward")
def _(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1, groups=1):
    """channels of the groups interleaved"""
    C = x.shape[3]
    x = x[..., np.arange(C).reshape(C // groups, groups).T.ravel()]
    return right.conv(x, w, b, stride=stride, pad=pad, dilation=dilation, groups=groups)


@fault("conv.forward", "RAISES")
def _(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1, groups=1):
    """a stride larger than the kernel is an index out of range"""
    if stride > w.shape[0]:
        raise IndexError("index 3 is out of bounds for axis 1 with size 3")
    return right.conv(x, w, b, stride=stride, pad=pad, dilation=dilation, groups=groups)


# -- weights, bias --------------------------------------------------------------------


@fault("depthwise.forward", cause="LAYOUT-WEIGHT")
def _(x, w, b=None, **o):
    """the kernel turned by half a turn"""
    return right.depthwise(x, w[::-1, ::-1], b, **o)


@fault("conv.forward", cause="LAYOUT-WEIGHT")
def _(x, w, b=None, **o):
    """rows and columns of a square kernel exchanged"""
    return right.conv(x, w.swapaxes(0, 1) if w.shape[0] == w.shape[1] else w, b, **o)


@fault("depthwise.forward", cause="BIAS-MISSING")
def _(x, w, b=None, **o):
    """no bias"""
    return right.depthwise(x, w, None, **o)


@fault("depthwise.forward")
def _(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1):
    """the bias added once per row of the kernel"""
    y = right.depthwise(x, w, None, stride=stride, pad=pad, dilation=dilation)
    return y if b is None else y + b * F(len(w))


_CACHE = {}


@fault("pointwise.forward")
def _(x, w, b=None):
    """packed weights kept by their shape"""
    return right.pointwise(x, _CACHE.setdefault(w.shape, w.copy()), b)


# -- arithmetic -----------------------------------------------------------------------


@fault("depthwise.forward", cause="PREC-FP16")
def _(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1):
    """sums in float16"""
    y = 0
    for i, j, part in taps(x, w.shape[:2], stride, pad, dilation):
        with np.errstate(over="ignore"):
            y = y + (part * w[i, j]).astype(np.float16)
    return (y if b is None else y + b.astype(np.float16)).astype(F)


@fault("pointwise.forward", cause="PREC-FP16")
def _(x, w, b=None):
    """operands in float16"""
    with np.errstate(over="ignore"):
        return right.pointwise(x.astype(np.float16).astype(F), w.astype(np.float16).astype(F), b)


@fault("linear.forward", cause="PREC-TF32")
def _(x, w, b=None):
    """operands cut to ten bits"""
    cut = [(a.view(np.uint32) & np.uint32(0xFFFFE000)).view(F) for a in (x, w)]
    return right.pointwise(*cut, b)


@fault("conv.forward", cause="FTZ")
def _(x, w, b=None, **o):
    """denormal inputs flushed"""
    small = F(2.0**-126)
    return right.conv(np.where(abs(x) < small, F(0), x), np.where(abs(w) < small, F(0), w), b, **o)


@fault("depthwise.forward", "NOT-FINITE")
def _(x, w, b=None, **o):
    """a scaled sum that overflows"""
    with np.errstate(over="ignore", invalid="ignore"):
        y = right.depthwise(x, w * F(16), None, **o) / F(16)
    return y if b is None else y + b


@fault("batchnorm.forward")
def _(x, gamma, beta, *, eps):
    """the variance as the mean of squares less the squared mean"""
    axes = tuple(range(x.ndim - 1))
    mean = x.mean(axis=axes)
    var = np.square(x).mean(axis=axes) - np.square(mean)
    rstd = 1 / np.sqrt(np.maximum(var, 0) + F(eps))
    return gamma * (x - mean) * rstd + beta, mean, var, rstd


@fault("batchnorm.forward", cause="")
def _(x, gamma, beta, *, eps):
    """epsilon outside the root"""
    _, mean, var, rstd = right.batchnorm(x, gamma, beta, eps=eps)
    rstd = 1 / (np.sqrt(var) + F(eps))
    return gamma * (x - mean) * rstd + beta, mean, var, rstd


@fault("softmax.forward", "NOT-FINITE")
def _(x):
    """exp without the peak taken off"""
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(x)
        return e / e.sum(axis=1, keepdims=True)


# -- kinks, pools ---------------------------------------------------------------------


@fault("activation.backward")
def _(dy, x, *, kind, kink):
    """relu6 passes the gradient at 6 itself"""
    from refmnas.ops import activation

    dx = activation.backward(dy, x, kind=kind, kink=kink)[0].copy()
    return np.where(x == 6, dy, dx) if kind == "relu6" else dx


@fault("activation.backward", cause="KINK")
def _(dy, x, *, kind, kink):
    """the other rule at the ends of Keras' hard sigmoid"""
    from refmnas.ops import activation

    return activation.backward(dy, x, kind=kind, kink="tf" if kink == "torch" else "torch")[0].copy()


@fault("max_pool.forward")
def _(x, *, kernel, stride=1, pad=(0, 0, 0, 0), ceil=False):
    """zero as the padding of a maximum"""
    from refmnas.ops import max_pool

    y = max_pool.forward(x, kernel=kernel, stride=stride, pad=pad, ceil=ceil)
    return np.maximum(y, F(0)) if any(pad) else y


@fault("max_pool.backward")
def _(dy, x, *, kernel, stride=1, pad=(0, 0, 0, 0), ceil=False):
    """the last of equal maxima has the gradient"""
    from refmnas.ops import max_pool

    if ceil or pad[0] != pad[1] or pad[2] != pad[3]:
        raise NotImplementedError("only equal pads, without ceil")
    rest = [(s + 2 * p - k) % stride for s, p, k in zip(x.shape[1:3], (pad[0], pad[2]), kernel, strict=True)]
    if any(rest):
        raise NotImplementedError("only windows that fit")
    turned = [a[:, ::-1, ::-1] for a in (dy, x)]
    return max_pool.backward(*turned, kernel=kernel, stride=stride, pad=pad)[0][:, ::-1, ::-1].copy()


@fault("average_pool.forward", cause="POOL")
def _(x, *, kernel, stride=1, pad=(0, 0, 0, 0), count_pad=False, ceil=False):
    """the padding is counted, always"""
    from refmnas.ops import average_pool

    return average_pool.forward(x, kernel=kernel, stride=stride, pad=pad, count_pad=True, ceil=ceil)


# -- gradients ------------------------------------------------------------------------


@fault("depthwise.backward")
def _(dy, x, w, *, stride=1, pad=(0, 0, 0, 0), dilation=1):
    """the input's gradient of stride 2 lacks its last column"""
    dx, dw, db = right.depthwise_backward(dy, x, w, stride=stride, pad=pad, dilation=dilation)
    if stride == 2:
        dx[:, :, -1] = 0
    return dx, dw, db


@fault("depthwise.backward")
def _(dy, x, w, **o):
    """the weight's gradient of the first image alone"""
    dx, _, db = right.depthwise_backward(dy, x, w, **o)
    return dx, right.depthwise_backward(dy[:1], x[:1], w, **o)[1], db


@fault("pointwise.backward")
def _(dy, x, w):
    """the bias' gradient averaged over the batch"""
    dx, dw, db = right.pointwise_backward(dy, x, w)
    return dx, dw, db / F(max(len(x), 1))


@fault("gate.backward")
def _(dy, x, g):
    """the gate's second path dropped"""
    return dy.copy(), (dy * x).sum(axis=(1, 2))


# -- memory and calls -----------------------------------------------------------------


@fault("depthwise.forward", ("UNINITIALISED", WRONG))  # small blocks come from NumPy's own store, with old values
def _(x, w, b=None, **o):
    """the channel tail is never written"""
    y = right.depthwise(x, w, b, **o)
    raw = np.empty_like(y)
    c = y.shape[3] // 4 * 4
    raw[..., :c] = y[..., :c]
    return raw


@fault("pointwise.forward", "UNINITIALISED", out=True)
def _(x, w, b=None, *, out):
    """the result is added to what out held"""
    out += right.pointwise(x, w, b)


@fault("depthwise.forward", "UNINITIALISED", out=True)
def _(x, w, b=None, *, out, **o):
    """the last row of out is left as it was"""
    out[:, : max(out.shape[1] - 1, 1)] = right.depthwise(x, w, b, **o)[:, : max(out.shape[1] - 1, 1)]


@fault("pointwise.forward", "WRITES-OUTSIDE", out=True)
def _(x, w, b=None, *, out):
    """the last vector is stored whole"""
    out[...] = right.pointwise(x, w, b)
    if out.size % 4:
        as_strided(out, (out.size + 4 - out.size % 4,), (4,))[out.size :] = 0


@fault("gate.forward", ("NOT-FINITE", WRONG))
def _(x, g):
    """what lies behind the input is multiplied by 0 and added"""
    y = x * g[:, None, None, :]
    if x.size:
        y[-1] += as_strided(x, (x.size + 1,), (4,))[-1] * F(0)
    return y


@fault("activation.forward", "CHANGES-ARGUMENT")
def _(x, *, kind):
    """an activation in place"""
    from refmnas.ops import activation

    x[...] = activation.forward(x, kind=kind)
    return x


@fault("dropout.forward", "RETURNS-VIEW")
def _(x, mask, *, rate):
    """the input itself where nothing is dropped"""
    return x if rate == 0 else x * mask / F(1 - rate)


@fault("concat.forward", "REUSES-BUFFER")
def _(a, b, buffers={}):  # noqa: B006
    """one buffer per shape for all calls"""
    shape = (*a.shape[:-1], a.shape[-1] + b.shape[-1])
    y = buffers.setdefault(shape, np.zeros(shape, F))
    y[...] = np.concatenate([a, b], axis=-1)
    return y


@fault("pointwise.forward", "NOT-DETERMINISTIC")
def _(x, w, b=None, rng=np.random.default_rng(0)):
    """a sum in another order at each call"""
    order = rng.permutation(len(w))
    return right.pointwise(np.ascontiguousarray(x[..., order]), np.ascontiguousarray(w[order]), b)


@fault("linear.forward", "HANGS", limit_s=0.5)
def _(x, w, b=None):
    """an endless loop where there is no bias"""
    while b is None:
        time.sleep(0.01)
    return right.pointwise(x, w, b)


@fault("depthwise.forward", "CRASHES")
def _(x, w, b=None, **o):
    """an address of 0 where the image is narrower than the kernel"""
    if x.shape[2] < w.shape[1]:
        ctypes.string_at(0)
    return right.depthwise(x, w, b, **o)


@fault("conv.forward", "WRONG-SHAPE")
def _(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1, groups=1):
    """the extent rounded up"""
    y = right.conv(x, w, b, stride=stride, pad=pad, dilation=dilation, groups=groups)
    rest = (x.shape[1] + pad[0] + pad[1] - (len(w) - 1) * dilation - 1) % stride
    return np.pad(y, ((0, 0), (0, 1), (0, 0), (0, 0))) if rest else y


@fault("pool.forward", "WRONG-DTYPE")
def _(x):
    """a mean in float64, and not brought back"""
    return x.mean(axis=(1, 2), dtype=np.float64)


@fault("gate.backward", "WRONG-COUNT")
def _(dy, x, g):
    """one gradient of two"""
    return dy * g[:, None, None, :]


@fault("softmax_xent.forward", "RAISES")
def _(x, labels, *, smoothing=0.0):
    """an empty batch has no largest logit"""
    from refmnas.ops import softmax_xent

    x.max()
    return softmax_xent.forward(x, labels, smoothing=smoothing)


@fault("depthwise.forward", layout="NCHW")
def _(x, w, b=None, *, stride=1, pad=(0, 0, 0, 0), dilation=1):
    """the second channel's weights used for all, in NCHW"""
    one = w[:, 0].transpose(1, 2, 0)
    y = right.depthwise(x.transpose(0, 2, 3, 1), np.repeat(one[..., -1:], one.shape[2], 2), b,
                        stride=stride, pad=pad, dilation=dilation)  # fmt: skip
    return y.transpose(0, 3, 1, 2)
