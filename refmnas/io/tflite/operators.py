"""What each TFLite operator is in ONNX's: `TABLE`, operator -> (its options' fields, its translation).

    CONV_2D, DEPTHWISE_CONV_2D   Conv with weights OIHW; SAME is SAME_UPPER               (1)
    FULLY_CONNECTED              (rows, I) times the weights (O, I) turned, plus b        (2)
    MEAN, PAD, CONCATENATION     on the file's own axes
    PRELU                        max(x, 0) + alpha (x - max(x, 0))                        (3)
    RESIZE_BILINEAR              half_pixel, align_corners, or asymmetric positions
    RESIZE_NEAREST_NEIGHBOR      y[k] = x[floor((k + c) s)], s = n / m in float32, c = 1/2
                                 with half_pixel_centers, else 0; with align_corners
                                 x[floor(k s + 1/2)], s = (n - 1) / (m - 1)               (4)
    DEQUANTIZE                   float16 constants alone, widened when the graph is loaded

Source: the operators' reference kernels of the TensorFlow Lite and LiteRT projects.
"""

from __future__ import annotations

import numpy as np

from . import schema
from .translate import LONGEST_LIST, TO_NCHW, TO_NHWC, Recipe

LONGEST_AXIS = LONGEST_LIST  # elements of an axis after RESIZE_NEAREST_NEIGHBOR


def _windowed(t, op, inputs, act, **attributes):
    """An operator over NCHW between two Transposes; the activation after it is of NHWC."""
    x = t.node("Transpose", [t.operand(0, "the image")], perm=TO_NCHW)
    y = t.node(op, [x, *inputs], **attributes)
    t.finished("Transpose", [y], act, perm=TO_NHWC)


def _places(t):
    """auto_pad and strides of the options."""
    a = t.operator.options
    if a["padding"] not in (0, 1):
        raise t.bad(f"padding is {a['padding']}, wanted 0 (SAME) or 1 (VALID)")
    padding = {"SAME": "SAME_UPPER", "VALID": "VALID"}[schema.PADDINGS[a["padding"]]]
    return {"auto_pad": padding, "strides": (a["stride_h"], a["stride_w"])}


def _conv(t):
    """Equation (1); fewer channels in the weights than in x make groups."""
    a, x, w = t.operator.options, t.tensor(0, "the image"), t.tensor(1, "the weights")
    weights = t.weights(1, "the weights", (0, 3, 1, 2))
    _rank(t, x)
    groups = 1
    if x.shape[3] is not None and w.shape[3]:
        groups = x.shape[3] // w.shape[3]
    _convolved(t, weights, groups, a)


def _depthwise(t):
    """Equation (1): (1, H, W, C M) to (C M, 1, H, W), a group for each channel of x."""
    a, x, w = t.operator.options, t.tensor(0, "the image"), t.tensor(1, "the weights")
    weights = t.weights(1, "the weights", (3, 0, 1, 2))
    _rank(t, x)
    count, multiplier = w.shape[3], a["multiplier"]
    if w.shape[0] != 1 or multiplier < 0 or (multiplier and count % multiplier):
        raise t.bad(f"weights of shape {w.shape} with the multiplier {multiplier}, wanted (1, H, W, channels times it)")
    groups = count // multiplier if multiplier else x.shape[3]
    _convolved(t, weights, groups or 0, a)


def _convolved(t, weights, groups, a):
    bias = [t.operand(2, "the bias")] if t.has(2) else []
    dilations = a["dilation_h"], a["dilation_w"]
    _windowed(t, "Conv", [weights, *bias], t.act(), group=groups, dilations=dilations, **_places(t))


def _rank(t, x):
    if len(x.shape) != 4:
        raise t.bad(f"the image is {x} of shape {x.shape}, wanted NHWC")


def _pool(op):
    def translated(t):
        a = t.operator.options
        _rank(t, t.tensor(0, "the image"))
        _windowed(t, op, [], t.act(), kernel_shape=(a["filter_h"], a["filter_w"]), **_places(t))

    return translated


def _pair(op):
    def translated(t):
        t.finished(op, [t.operand(0, "x"), t.operand(1, "y")], t.act())

    return translated


def _dense(t):
    """Equation (2)."""
    a, x, w = t.operator.options, t.tensor(0, "x"), t.tensor(1, "the weights")
    weights = t.weights(1, "the weights", (1, 0))
    if a["weights_format"]:
        raise t.bad(f"weights_format is {a['weights_format']}, wanted 0: plain weights")
    rows, act = t.operand(0, "x"), t.act()
    if not a["keep_num_dims"] and (len(x.shape) != 2 or x.shape[1] != w.shape[1]):
        rows = t.node("Reshape", [rows, t.integers(-1, w.shape[1])], allowzero=1)
    if not t.has(2):
        t.finished("MatMul", [rows, weights], act)
    elif a["keep_num_dims"]:
        t.finished("Add", [t.node("MatMul", [rows, weights]), t.operand(2, "the bias")], act)
    else:
        t.finished("Gemm", [rows, weights, t.operand(2, "the bias")], act)


def _mean(t):
    axes = t.integers(*t.numbers(1, "the axes").reshape(-1).tolist())
    t.finished("ReduceMean", [t.operand(0, "x"), axes], keepdims=int(t.operator.options["keep_dims"]))


def _reshape(t):
    given = t.operator.options["new_shape"]
    if t.has(1) and t.tensor(1, "the shape").span is None and t.tensor(1, "the shape").count:
        shape = t.node("Cast", [t.operand(1, "the shape")], to=7)  # INT64
    elif t.has(1) and t.tensor(1, "the shape").count:
        shape = t.integers(*t.numbers(1, "the shape").reshape(-1).tolist())
    elif given is None and not t.has(1):
        raise t.bad("has no shape, neither as an operand nor as an option")
    else:
        shape = t.integers(*(given or ()))
    t.finished("Reshape", [t.operand(0, "x"), shape], allowzero=1)


def _squeeze(t):
    axes = t.operator.options["squeeze_dims"]
    t.finished("Squeeze", [t.operand(0, "x"), *([t.integers(*axes)] if axes else [])])


def _softmax(t):
    x, beta = t.operand(0, "x"), t.operator.options["beta"]
    if beta != 1:
        x = t.node("Mul", [x, t.constant(beta, np.float32)])
    t.finished("Softmax", [x], axis=-1)


def _single(op):
    def translated(t):
        t.finished(op, [t.operand(0, "x")])

    return translated


def _activation(act):
    def translated(t):
        t.activated(act, t.operand(0, "x"))

    return translated


def _prelu(t):
    """Equation (3): of the two summands one is 0, so nothing is rounded that a choice would not round."""
    x, alpha = t.operand(0, "x"), t.operand(1, "alpha")
    above = t.node("Relu", [x])
    below = t.node("Mul", [alpha, t.node("Sub", [x, above])])
    t.finished("Add", [above, below])


def _pad(t):
    pads = t.numbers(1, "the paddings")
    if pads.ndim != 2 or pads.shape[1] != 2 or pads.min(initial=0) < 0:
        raise t.bad(f"the paddings are {str(pads.tolist())[:80]}, wanted two numbers from 0 on for every axis")
    value = [t.operand(2, "the value")] if t.operator.op == "PADV2" else []
    t.finished("Pad", [t.operand(0, "x"), t.integers(*pads.T.reshape(-1).tolist()), *value])


def _slice(t):
    """The elements from `begin` on, `size` of them along every axis, or all that are left where it is -1."""
    begin, size = (t.numbers(place, what).reshape(-1).tolist() for place, what in ((1, "the begin"), (2, "the size")))
    if len(begin) != len(size) or min(begin, default=0) < 0 or min(size, default=0) < -1:
        raise t.bad(f"begins at {begin[:8]} and takes {size[:8]}, wanted numbers from 0 on for every axis, or -1 for all")
    ends = [2**31 - 1 if n == -1 else first + n for first, n in zip(begin, size, strict=True)]
    axes = t.integers(*range(len(begin)))
    t.finished("Slice", [t.operand(0, "x"), t.integers(*begin), t.integers(*ends), axes])


def _concat(t):
    names = [t.operand(k, f"operand {k}") for k in range(len(t.operator.inputs))]
    if not names:
        raise t.bad("has no operands")
    t.finished("Concat", names, t.act(), axis=t.operator.options["axis"])


def _transpose(t):
    order = tuple(t.numbers(1, "the order").reshape(-1).tolist())
    t.finished("Transpose", [t.operand(0, "x")], perm=order)


def _sizes(t):
    """(x, (rows, columns)) of a resize, whose options exclude one another."""
    a, sizes = t.operator.options, t.numbers(1, "the size").reshape(-1).tolist()
    _rank(t, t.tensor(0, "the image"))
    if len(sizes) != 2 or min(sizes) < 1 or (a["align_corners"] and a["half_pixel_centers"]):
        raise t.bad(f"the size is {sizes[:8]}, align_corners {a['align_corners']}, half_pixel_centers "
                    f"{a['half_pixel_centers']}, wanted two numbers from 1 on, and not both options")  # fmt: skip
    return t.operand(0, "the image"), sizes


def _bilinear(t):
    x, sizes = _sizes(t)
    a = t.operator.options
    mode = "align_corners" if a["align_corners"] else "half_pixel" if a["half_pixel_centers"] else "asymmetric"
    options = {"coordinate_transformation_mode": mode, "mode": "linear"}
    t.finished("Resize", [x, "", "", t.integers(*sizes)], axes=(1, 2), **options)


def _nearest(t):
    """Equation (4): the indices are counted here, as the reference kernel counts them."""
    x, sizes = _sizes(t)
    extents = t.tensor(0, "the image").shape[1:3]
    if None in extents or 0 in extents or max(sizes) > LONGEST_AXIS:
        raise t.bad(f"from {extents} to {tuple(sizes)}, wanted extents that the file says, and at most {LONGEST_AXIS}")
    rows, columns = (t.integers(*nearest(t.operator.options, n, m)) for n, m in zip(extents, sizes, strict=True))
    t.finished("Gather", [t.node("Gather", [x, rows], axis=1), columns], axis=2)


def nearest(a, n, m):
    """Equation (4) for one axis of n elements brought to m.

    >>> options = {"align_corners": False, "half_pixel_centers": True}
    >>> nearest(options, 2, 4)
    [0, 0, 1, 1]
    """
    half, k = np.float32(0.5), np.arange(m, dtype=np.float32)
    is_aligned = a["align_corners"] and m > 1
    scale = np.float32(n - 1) / np.float32(m - 1) if is_aligned else np.float32(n) / np.float32(m)
    place = (k + half if a["half_pixel_centers"] else k) * scale
    place = np.floor(place + half) if a["align_corners"] else np.floor(place)
    return np.clip(place, 0, n - 1).astype(np.int64).tolist()


def _dequantize(t):
    tensor, made = t.tensor(0, "x"), t.tensors[t.operator.outputs[0]]
    if tensor.dtype != np.float16 or tensor.span is None or made.dtype != np.float32 or made.shape != tensor.shape:
        raise t.bad(f"of {tensor} {tensor.shape} {tensor.dtype} to {made} {made.shape} {made.dtype}, wanted a float16 constant "
                    "to float32 of its shape: quantised models are not read")  # fmt: skip
    if made.number in t.widened or made.span is not None:
        raise t.bad(f"makes {made}, which is made twice")
    t.widened[made.number] = t.recipes[made.name] = Recipe(tensor.number, None, np.dtype(np.float32))


TABLE = {
    "ADD": (schema.ACT, _pair("Add")),
    "AVERAGE_POOL_2D": (schema.POOL, _pool("AveragePool")),
    "CONCATENATION": (schema.CONCATENATION, _concat),
    "CONV_2D": (schema.CONV, _conv),
    "DEPTHWISE_CONV_2D": (schema.DEPTHWISE, _depthwise),
    "DEQUANTIZE": ({}, _dequantize),
    "DIV": (schema.ACT, _pair("Div")),
    "FULLY_CONNECTED": (schema.DENSE, _dense),
    "HARD_SWISH": ({}, _single("HardSwish")),
    "LOGISTIC": ({}, _single("Sigmoid")),
    "MAX_POOL_2D": (schema.POOL, _pool("MaxPool")),
    "MEAN": (schema.REDUCER, _mean),
    "MUL": (schema.ACT, _pair("Mul")),
    "PAD": ({}, _pad),
    "PADV2": ({}, _pad),
    "PRELU": ({}, _prelu),
    "RELU": ({}, _activation("RELU")),
    "RELU6": ({}, _activation("RELU6")),
    "RELU_N1_TO_1": ({}, _activation("RELU_N1_TO_1")),
    "RESHAPE": (schema.RESHAPE, _reshape),
    "RESIZE_BILINEAR": (schema.BILINEAR, _bilinear),
    "RESIZE_NEAREST_NEIGHBOR": (schema.NEAREST, _nearest),
    "SLICE": ({}, _slice),
    "SOFTMAX": (schema.SOFTMAX, _softmax),
    "SQUEEZE": (schema.SQUEEZE, _squeeze),
    "SUB": (schema.ACT, _pair("Sub")),
    "TRANSPOSE": ({}, _transpose),
}
KNOWN = {name: fields for name, (fields, _) in TABLE.items()}
