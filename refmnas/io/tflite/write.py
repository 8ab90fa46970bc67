"""Steps as a TFLite model: NHWC, float32.

    conv, pointwise     CONV_2D, weights (D, Kh, Kw, C / groups)
    depthwise           DEPTHWISE_CONV_2D, weights (1, Kh, Kw, C)
    pads                SAME where they are those of the SAME rule, VALID where there are none, else
                        PAD and VALID
    linear              CONV_2D of kernel 1 over a map of one pixel; the last step FULLY_CONNECTED,
                        weights (D, C)
    pool                MEAN over rows and columns, which stay: (N, 1, 1, C); the last step's do not
    scale, add          MUL, ADD
    relu, relu6         fused into the operator, after a pool an operator
    sigmoid             LOGISTIC
    swish               x LOGISTIC(x)
    hard_swish          HARD_SWISH
    act                 the activation's operators alone
    the others          `write_cells`
    hard_sigmoid        relu6(x + 3) / 6: ADD with RELU6 fused, MUL by 1/6, of slim by 0.16667;
                        of Keras relu6(1.2 x + 3) / 6

A step's result is the tensor of its name; what lies inside a step is "step/part".
"""

from __future__ import annotations

import sys

import numpy as np

from . import schema
from .build import Ints, Number, Raw, Table, Tables, Text
from .write_cells import SAME, VALID, CellOperators, is_same

LOGITS = "logits"
_FUSED = {"identity": 0, "relu": 1, "relu6": 3}
_SIXTH = {"hard_sigmoid": 1 / 6, "hard_sigmoid_slim": 0.16667, "hard_sigmoid_keras": 1 / 6}
_UNFUSED = ("pool", "shift", "resize", "concat", "pyramid")  # without an activation of their own


class Writer(CellOperators):
    """The tensors, buffers and operators of one subgraph, in order."""

    def __init__(self, steps, image, batch, description):
        self.batch, self.description, self.steps = batch, description, steps
        self.tensors: list[Table] = []
        self.buffers = [Table({})]  # the first is always empty
        self.operators: list[Table] = []
        self.codes: list[str] = []
        self.numbers: dict[str, int] = {}
        self.constants: dict[tuple, int] = {}
        self.image = self._tensor(image, self._shape(steps[0].shape_in))
        for step in steps:
            self._step(step)

    def model(self, shown):
        """The model's table, with the logits and the results of the steps `shown` as outputs."""
        ends = [LOGITS, *(step.name for step in self.steps[:-1] if step.name in shown)]
        outputs = Ints(tuple(self.numbers[name] for name in ends))
        graph = Table({0: Tables(self.tensors), 1: Ints((self.image,)), 2: outputs, 3: Tables(self.operators), 4: Text("main")})
        codes = [_code(op) for op in self.codes]
        return Table({0: Number("I", schema.VERSION), 1: Tables(codes), 2: Tables([graph]), 3: Text(self.description),
                      4: Tables(self.buffers)})  # fmt: skip

    # -- steps -------------------------------------------------------------------------

    def _step(self, step):
        """A step's operators: its op, then its activation where that is not fused."""
        is_last = step is self.steps[-1]
        result = LOGITS if is_last else step.name
        shape = (self.batch, *step.shape) if is_last else self._shape(step.shape)
        is_fused = step.act == "identity" or (step.act in _FUSED and step.op not in _UNFUSED)
        inner = result if is_fused else f"{step.name}/before"
        act = _FUSED[step.act] if is_fused else 0
        inputs = [self.numbers[name] for name in step.inputs]
        if step.op == "act":
            self._activation(step.name, step.act, inputs[0], result, shape)
            return
        if step.w is not None:
            (self._dense if step.op == "linear" and is_last else self._conv)(step, inputs, inner, shape, act)
        elif step.op == "pool":
            axes = self._constant(f"{step.name}/axes", np.array((1, 2), "<i4"))
            self._operator("MEAN", [*inputs, axes], inner, shape, keep_dims=not is_last)
        elif step.op in self.OPS:
            self.OPS[step.op](self, step, inputs, inner, shape, act)
        else:
            self._operator({"scale": "MUL", "add": "ADD"}[step.op], inputs, inner, shape, act=act)
        if not is_fused:
            self._activation(step.name, step.act, self.numbers[inner], result, shape)

    def _conv(self, step, inputs, result, shape, act):
        w = _ohwi(step)
        places = {"padding": VALID, "stride_h": step.strides[0], "stride_w": step.strides[1], "act": act}
        if any(step.pad):
            if is_same(step, w.shape[1:3]):
                places["padding"] = SAME
            else:
                inputs = [self._padded(step, inputs[0])]
        tensors = [self._constant(f"{step.name}/w", w), self._constant(f"{step.name}/b", step.b)]
        if step.op == "depthwise":
            self._operator("DEPTHWISE_CONV_2D", [*inputs, *tensors], result, shape, **places, multiplier=1)
        else:
            self._operator("CONV_2D", [*inputs, *tensors], result, shape, **places)

    def _padded(self, step, x, value=None):
        """The number of the image with explicit zeros, or another value, around it."""
        top, bottom, left, right = step.pad
        height, width, channels = step.shape_in
        pads = np.array(((0, 0), (top, bottom), (left, right), (0, 0)), "<i4")
        name = f"{step.name}/padded"
        paddings = self._constant(f"{step.name}/paddings", pads)
        shape = (self.batch, height + top + bottom, width + left + right, channels)
        if value is None:
            self._operator("PAD", [x, paddings], name, shape)
        else:
            self._operator("PADV2", [x, paddings, self._constant(f"{step.name}/outside", np.float32(value))], name, shape)
        return self.numbers[name]

    def _dense(self, step, inputs, result, shape, act):
        tensors = [self._constant(f"{step.name}/w", step.w.T), self._constant(f"{step.name}/b", step.b)]
        self._operator("FULLY_CONNECTED", [*inputs, *tensors], result, shape, act=act)

    def _activation(self, name, kind, x, y, shape):
        if kind == "identity":
            self._operator("RESHAPE", [x, self._constant(f"{name}/shape", np.array(shape, "<i4"))], y, shape)
        elif kind in ("relu", "relu6"):
            self._operator(kind.upper(), [x], y, shape)
        elif kind == "sigmoid":
            self._operator("LOGISTIC", [x], y, shape)
        elif kind == "swish":
            self._operator("LOGISTIC", [x], f"{name}/sigmoid", shape)
            self._operator("MUL", [x, self.numbers[f"{name}/sigmoid"]], y, shape)
        elif kind == "hard_swish":
            self._operator("HARD_SWISH", [x], y, shape)
        else:
            self._hard_sigmoid(name, kind, x, y, shape)

    def _hard_sigmoid(self, name, kind, x, y, shape):
        if kind == "hard_sigmoid_keras":
            self._operator("MUL", [x, self._constant(f"{name}/slope", np.float32(1.2))], f"{name}/steep", shape)
            x = self.numbers[f"{name}/steep"]
        three = self._constant(f"{name}/three", np.float32(3))
        self._operator("ADD", [x, three], f"{name}/clipped", shape, act=_FUSED["relu6"])
        sixth = self._constant(f"{name}/sixth", np.float32(_SIXTH[kind]))
        self._operator("MUL", [self.numbers[f"{name}/clipped"], sixth], y, shape)

    # -- tables ------------------------------------------------------------------------

    def _operator(self, op, inputs, result, shape, **options):
        if op not in self.codes:
            self.codes.append(op)
        made = self._tensor(result, shape)
        fields = {0: Number("I", self.codes.index(op)), 1: Ints(tuple(inputs)), 2: Ints((made,))}
        if options:
            fields |= {3: Number("B", schema.OPTIONS[op]), 4: _options(op, options)}
        self.operators.append(Table(fields))

    def _tensor(self, name, shape, kind=0, buffer=0):
        self.numbers[name] = len(self.tensors)
        fields = {0: Ints(tuple(map(int, shape))), 1: Number("b", kind), 2: Number("I", buffer), 3: Text(name)}
        self.tensors.append(Table(fields))
        return self.numbers[name]

    def _constant(self, name, array):
        """The number of a constant; small ones that are equal are one."""
        array = np.ascontiguousarray(array) if np.ndim(array) else np.asarray(array)
        array = array.byteswap() if sys.byteorder == "big" and array.dtype.isnative else array
        key = (array.dtype.kind, array.shape, array.tobytes()) if array.size <= 8 else (name,)
        if key not in self.constants:
            kind = schema.TYPES.index("FLOAT32" if array.dtype.kind == "f" else "INT32")
            self.buffers.append(Table({0: Raw(array)}))
            self.constants[key] = self._tensor(name, array.shape, kind, len(self.buffers) - 1)
        return self.constants[key]

    def _shape(self, shape):
        """NHWC of one image's (H, W, C), or of the (C,) of a map of one pixel."""
        return self.batch, *((1, 1, *shape) if len(shape) == 1 else shape)


def _code(op):
    number = schema.NUMBERS[op]
    return Table({0: Number("b", min(number, 127)), 2: Number("i", 1), 3: Number("i", number)})


def _options(op, values):
    fields = _FIELDS[op]
    return Table({fields[name][0]: Number(fields[name][1], value) for name, value in values.items()})


_FIELDS = {
    "ADD": schema.ACT, "MUL": schema.ACT, "CONV_2D": schema.CONV, "DEPTHWISE_CONV_2D": schema.DEPTHWISE,
    "FULLY_CONNECTED": schema.DENSE, "MEAN": schema.REDUCER, "AVERAGE_POOL_2D": schema.POOL, "MAX_POOL_2D": schema.POOL,
    "CONCATENATION": schema.CONCATENATION, "RESIZE_BILINEAR": schema.BILINEAR, "SOFTMAX": schema.SOFTMAX,
}  # fmt: skip


def _ohwi(step):
    """Weights (D, Kh, Kw, C / groups); of a depthwise step (1, Kh, Kw, C)."""
    if step.op == "conv":
        return step.w.transpose(3, 0, 1, 2)
    if step.op == "depthwise":
        return step.w[None]
    return step.w.T[:, None, None]
