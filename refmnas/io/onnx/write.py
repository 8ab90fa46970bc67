"""Steps as an ONNX graph: NCHW, float32, weights OIHW.

    conv, depthwise     Conv with explicit pads (depthwise: group = channels)
    pointwise           Conv of kernel 1
    linear              Conv of kernel 1 over a map of one pixel; the last step Flatten, Gemm
    pool                GlobalAveragePool: (N, C, 1, 1)
    scale, add          Mul (the gate is (N, C, 1, 1)), Add
    relu6               Clip, by attributes below opset 11, by inputs from there
    swish               x * Sigmoid(x)
    hard_sigmoid        HardSigmoid(1/6, 1/2); of Keras (0.2, 0.5); of slim Add, Clip, Mul
    hard_swish          HardSwish from opset 14, below it x * HardSigmoid(1/6, 1/2)
    act                 the activation's nodes alone
    concat, pools       Concat, AveragePool and MaxPool with explicit pads
    shift               Pad by -1 before and 1 behind
    resize              two MatMul with the weights of rows and of columns: every opset has them, for any batch
    pyramid             Slice and MaxPool of each bin, Concat
    softmax             Flatten, Softmax

A step's result is the tensor of its name, and the node that gives it or begins it has that
name too; what lies inside a step is "step/part".
"""

from __future__ import annotations

import numpy as np

from ...layout import CONV, DEPTHWISE, POINTWISE, from_nhwc
from . import form
from .write_cells import CellNodes

LOGITS = "logits"
_HARD = {"hard_sigmoid": (1 / 6, 0.5), "hard_sigmoid_keras": (0.2, 0.5), "hard_swish": (1 / 6, 0.5)}


class Writer(CellNodes):
    """The nodes and tensors of one graph, in order."""

    def __init__(self, steps, image, opset):
        self.steps, self.image, self.opset = steps, image, opset
        self.nodes, self.tensors = [], {}
        for step in steps:
            self._step(step)

    def graph(self, batch, shown):
        """GraphProto with the logits, and the results of the steps `shown`, as outputs."""
        inputs = [form.value(self.image, _shape(batch, self.steps[0].shape_in))]
        if form.ir_version(self.opset) < 4:  # there every initializer is an input as well
            inputs += [form.value(name, a.shape) for name, a in self.tensors.items()]
        initializers = [form.tensor(name, a) for name, a in self.tensors.items()]
        outputs = [form.value(LOGITS, (batch, self.steps[-1].shape[0]))]
        outputs += [form.value(step.name, _shape(batch, step.shape)) for step in self.steps[:-1] if step.name in shown]
        return form.graph("refmnas", self.nodes, initializers, inputs, outputs)

    def _step(self, step):
        """A step's nodes: its op, then its activation."""
        is_last = step is self.steps[-1]
        result = LOGITS if is_last else step.name
        inner = result if step.act == "identity" else f"{step.name}/before"
        if step.op == "linear" and is_last:
            self._gemm(step, inner)
        elif step.w is not None:
            self._conv(step, inner)
        elif step.op == "act" and step.act != "identity":
            self._activation(step.name, step.act, step.inputs[0], result, at=step.name)
            return
        elif step.op in self.OPS:
            self.OPS[step.op](self, step, inner)
        elif step.op == "pool" and is_last:
            self._node(step.name, "GlobalAveragePool", step.inputs, f"{step.name}/map")
            self._node(f"{step.name}/flat", "Flatten", [f"{step.name}/map"], inner, axis=1)
        else:
            kind = {"pool": "GlobalAveragePool", "scale": "Mul", "add": "Add"}[step.op]
            self._node(step.name, kind, step.inputs, inner)
        if step.act != "identity":
            self._activation(step.name, step.act, inner, result)

    def _conv(self, step, result):
        w, groups, kernel = _oihw(step)
        top, bottom, left, right = step.pad
        inputs = [*step.inputs, *self._tensors(step.name, w=w, b=step.b)]
        pads = (top, left, bottom, right)
        options = {"dilations": (1, 1), "group": groups, "kernel_shape": kernel, "pads": pads}
        self._node(step.name, "Conv", inputs, result, **options, strides=step.strides)

    def _gemm(self, step, result):
        flat = f"{step.name}/flat"
        self._node(flat, "Flatten", step.inputs, flat, axis=1)
        inputs = [flat, *self._tensors(step.name, w=step.w.T, b=step.b)]
        self._node(step.name, "Gemm", inputs, result, alpha=1.0, beta=1.0, transA=0, transB=1)

    def _activation(self, name, kind, x, y, at=None):
        """The nodes of an activation; `at` is the name of the last one."""
        at = at or f"{name}/{kind}"
        if kind == "relu":
            self._node(at, "Relu", [x], y)
        elif kind == "relu6":
            self._clip(at, name, x, y)
        elif kind == "sigmoid":
            self._node(at, "Sigmoid", [x], y)
        elif kind == "swish":
            self._node(f"{name}/sigmoid", "Sigmoid", [x], f"{name}/sigmoid")
            self._node(at, "Mul", [x, f"{name}/sigmoid"], y)
        elif kind == "hard_sigmoid_slim":
            three, sixth = self._tensors(name, three=np.float32(3), sixth=np.float32(0.16667))
            self._node(f"{name}/shift", "Add", [x, three], f"{name}/shifted")
            self._clip(f"{name}/clip", name, f"{name}/shifted", f"{name}/clipped")
            self._node(at, "Mul", [f"{name}/clipped", sixth], y)
        else:
            self._hard(at, name, kind, x, y)

    def _hard(self, at, name, kind, x, y):
        """HardSigmoid, and hard-swish by its own node or by that one."""
        if kind == "hard_swish" and self.opset >= 14:
            self._node(at, "HardSwish", [x], y)
            return
        alpha, beta = _HARD[kind]
        is_swish = kind == "hard_swish"
        gate = f"{name}/gate" if is_swish else y
        self._node(f"{name}/hard_sigmoid" if is_swish else at, "HardSigmoid", [x], gate, alpha=alpha, beta=beta)
        if is_swish:
            self._node(at, "Mul", [x, gate], y)

    def _clip(self, at, name, x, y):
        if self.opset < 11:
            self._node(at, "Clip", [x], y, max=6.0, min=0.0)
            return
        self._node(at, "Clip", [x, *self._tensors(name, low=np.float32(0), high=np.float32(6))], y)

    def _node(self, name, op_type, inputs, output, **attributes):
        self.nodes.append(form.node(name, op_type, inputs, [output], sorted(attributes.items())))

    def _tensors(self, name, **arrays):
        """The tensors' names: "step/w"."""
        named = {f"{name}/{key}": np.asarray(a) for key, a in arrays.items()}
        self.tensors |= named
        return list(named)


def _oihw(step):
    """(weights (D, C / groups, Kh, Kw), groups, (Kh, Kw)) of a step that ONNX calls Conv."""
    if step.op == "conv":
        return from_nhwc(CONV, step.w), step.groups, step.w.shape[:2]
    if step.op == "depthwise":
        return from_nhwc(DEPTHWISE, step.w), step.w.shape[2], step.w.shape[:2]
    return from_nhwc(POINTWISE, step.w), 1, (1, 1)


def _shape(batch, shape):
    """NCHW of one image's (H, W, C) or (C,)."""
    height, width, channels = shape if len(shape) == 3 else (1, 1, *shape)
    return batch, channels, height, width
