"""Faults planted in ONNX files: attributes, initialisers and nodes of a ModelProto."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from . import graphs

V2, V3, E0 = "mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0"
A1, B1, NASNET = "mnasnet-a1", "mnasnet-b1", "nasnet-a-mobile"


@dataclass(frozen=True)
class GraphFault:
    """`plant(model)` changes the file; `codes` name what it is, several where they are the same computation."""

    name: str
    codes: tuple[str, ...]
    network: str
    plant: Callable

    @property
    def code(self):
        return self.codes[0]

    @property
    def key(self):
        return f"{self.network}.onnx: {self.name}"


def of(model, op, at="all", wanted=lambda model, node: True):
    found = [node for node in model.graph.node if node.op_type == op and wanted(model, node)]
    assert found, f"no {op}"
    return found if at == "all" else [found[at]]


def attribute(node, name, value):
    """Set it, or take it away (None)."""
    kept = [a for a in node.attribute if a.name != name]
    del node.attribute[:]
    node.attribute.extend(kept)
    if value is not None:
        node.attribute.append(helper.make_attribute(name, value))


def given(node, name, default=None):
    return next((helper.get_attribute_value(a) for a in node.attribute if a.name == name), default)


def array(model, name):
    return numpy_helper.to_array(next(a for a in model.graph.initializer if a.name == name))


def put(model, name, value):
    tensor = next(a for a in model.graph.initializer if a.name == name)
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))


def strided(model, node):
    return max(given(node, "strides", [1])) > 1


def depthwise(model, node):
    return given(node, "group", 1) > 1


def _dense_depthwise(model, node):
    return depthwise(model, node) and not strided(model, node)


def pointwise(model, node):
    return array(model, node.input[1]).shape[2:] == (1, 1) and not _squeezed(model, node)


def _squeezed(model, node):
    """Whether it stands behind a mean, or behind what does."""
    made = {name: n for n in model.graph.node for name in n.output}
    for _ in range(4):
        node = made.get(node.input[0])
        if node is None or node.op_type in ("Add", "BatchNormalization"):
            return False
        if node.op_type in ("GlobalAveragePool", "ReduceMean"):
            return True
    return False


def attributes(op, at, change, wanted=lambda model, node: True):
    """change(node) gives the attributes that differ."""

    def plant(model):
        for node in of(model, op, at, wanted):
            for name, value in change(node).items():
                attribute(node, name, value)

    return plant


def arrays(op, at, index, change, wanted=lambda model, node: True):
    """The initialiser that is operand `index` becomes change(it)."""

    def plant(model):
        for node in of(model, op, at, wanted):
            put(model, node.input[index], change(array(model, node.input[index])))

    return plant


def behind(op, at, made, wanted=lambda model, node: True):
    """made(name in, name out) are nodes behind the chosen ones, which keep the tensor's name."""

    def plant(model):
        for node in of(model, op, at, wanted):
            name, inner = node.output[0], f"{node.output[0]}/before"
            place = list(model.graph.node).index(node)
            node.output[0] = inner
            for k, new in enumerate(made(inner, name)):
                model.graph.node.insert(place + 1 + k, new)

    return plant


def instead(op, at, made, wanted=lambda model, node: True):
    """made(node) are nodes in the place of the chosen ones."""

    def plant(model):
        for node in of(model, op, at, wanted):
            place = list(model.graph.node).index(node)
            new = made(node)
            model.graph.node.remove(node)
            for k, each in enumerate(new):
                model.graph.node.insert(place + k, each)

    return plant


def _lower(node):
    return {"pads": None, "auto_pad": "SAME_LOWER"}


def _symmetric(node):
    return {"pads": [k // 2 for k in given(node, "kernel_shape")] * 2}


def _through_half(inner, name):
    yield helper.make_node("Cast", [inner], [f"{inner}/half"], to=TensorProto.FLOAT16)
    yield helper.make_node("Cast", [f"{inner}/half"], [name], to=TensorProto.FLOAT)


def _swish(node):
    name = node.output[0]
    return [helper.make_node("Sigmoid", [node.input[0]], [f"{name}/gate"]),
            helper.make_node("Mul", [node.input[0], f"{name}/gate"], [name])]  # fmt: skip


def _passed(index):
    return lambda node: [helper.make_node("Identity", [node.input[index]], [node.output[0]])]


def _scaling(model, node):
    """A Mul of a squeeze: one operand is made by a gate behind a mean."""
    made = {name: n for n in model.graph.node for name in n.output}
    gates = (made[name] for name in node.input if name in made and made[name].op_type in ("Sigmoid", "HardSigmoid"))
    return any(_squeezed(model, gate) for gate in gates)


def _unscaled(node):
    """The operand that is no gate, passed on: the exporter writes the gate first."""
    return [helper.make_node("Identity", [node.input[1]], [node.output[0]])]


def _gate(model, node):
    """A Sigmoid of a squeeze path that is no half of a swish."""
    users = [n for n in model.graph.node if node.output[0] in n.input]
    return _squeezed(model, node) and not any(node.input[0] in user.input for user in users)


def _unclipped(node):
    return [helper.make_node("Clip", [*node.input[:2]], [node.output[0]])]


def _swapped(model):
    """The first two 1x1 convolutions whose initialisers have one shape."""
    seen = {}
    for node in of(model, "Conv", wanted=pointwise):
        w = array(model, node.input[1])
        if w.shape in seen:
            other = seen[w.shape]
            a = array(model, other)
            put(model, other, w)
            put(model, node.input[1], a)
            return
        seen[w.shape] = node.input[1]
    raise AssertionError("no two of one shape")


def _element(w):
    w = w.copy()
    w.flat[w.size // 5] += 0.03
    return w


def _exchanged(w):
    w = w.copy()
    w[[2, 9]] = w[[9, 2]]
    return w


def _stale(network):
    def plant(model):
        for tensor in graphs.graph(network, seed=50).graph.initializer:
            put(model, tensor.name, numpy_helper.to_array(tensor))

    return plant


def _rolled(model):
    """Both initialisers of the last Gemm, by one class."""
    for index in (1, 2):
        arrays("Gemm", -1, index, lambda a: np.roll(a, 1, axis=0))(model)


def _half(w):
    return w.astype(np.float16).astype(np.float32)


_ROWS = [
    ("pads [0, 0, 1, 1] in one", "PAD-SAME", V2, attributes("Conv", 2, lambda n: {"pads": [0, 0, 1, 1]}, strided)),
    ("epsilon 1e-3 in one", "BN-EPS", V2, attributes("BatchNormalization", 14, lambda n: {"epsilon": 1e-3})),
    ("Clip without its max in one", "ACT-KIND", V2, instead("Clip", 9, _unclipped)),
    ("two equal-shaped initialisers exchanged", "WEIGHT-SWAP", V2, _swapped),
    ("one wrong element of an initialiser", "WEIGHT-STALE", V2, arrays("Conv", 11, 1, _element, pointwise)),
    ("fp16 initialiser in one", "PREC-FP16", V2, arrays("Conv", 6, 1, _half, pointwise)),
    ("biased variance in all", "BN-VAR", V2, arrays("BatchNormalization", "all", 4, lambda v: v * (195 / 196))),
    ("one Add left out", "RES-MISSING", V2, instead("Add", 3, _passed(1))),
    ("stale weights", "WEIGHT-STALE", V2, _stale(V2)),
    ("dilations [2, 2] in one", "DILATION", V2,
     attributes("Conv", 5, lambda n: {"dilations": [2, 2], "pads": [2] * 4}, _dense_depthwise)),
    ("no bias of the Gemm", "BIAS-MISSING", V2, arrays("Gemm", -1, 2, np.zeros_like)),
    ("HardSigmoid alpha 0.2", "SE-GATE", V3, attributes("HardSigmoid", "all", lambda n: {"alpha": 0.2})),
    ("HardSigmoid alpha 0.16667 in one", "SE-GATE", V3, attributes("HardSigmoid", 3, lambda n: {"alpha": 0.16667})),
    ("swish for HardSwish", "ACT-KIND", V3, instead("HardSwish", "all", _swish)),
    ("no scaling in one", "SE-MISSING", V3, instead("Mul", 2, _unscaled, _scaling)),
    ("maximum for mean in one", "SE-SQUEEZE", V3, instead(
        "GlobalAveragePool", 4, lambda n: [helper.make_node("GlobalMaxPool", n.input, n.output)])),
    ("no mean in one", "BN-FOLD", V3, arrays("BatchNormalization", 21, 3, np.zeros_like)),
    ("taps transposed in all", "LAYOUT-WEIGHT", V3, arrays("Conv", "all", 1, lambda w: w.swapaxes(2, 3), depthwise)),
    ("fp16 output of one", "PREC-FP16", V3, behind("Conv", 8, _through_half, pointwise)),
    ("Relu behind one Add", "ACT-EXTRA", V3, behind("Add", 2, lambda a, b: [helper.make_node("Relu", [a], [b])])),
    ("no beta in one", "BN-BETA", E0, arrays("BatchNormalization", 18, 2, np.zeros_like)),
    ("HardSigmoid for Sigmoid in the gates", "SE-GATE", E0, instead("Sigmoid", "all", lambda n: [
        helper.make_node("HardSigmoid", n.input, n.output, alpha=1 / 6, beta=0.5)], _gate)),
    ("classes rolled by one", "CLASS-SHIFT", E0, _rolled),
    ("auto_pad SAME_LOWER in all strided", "PAD-LOWER PAD-SAME", B1, attributes("Conv", "all", _lower, strided)),
    ("symmetric pads in one strided", "PAD-SAME PAD-LOWER", A1, attributes("Conv", 1, _symmetric, strided)),
    ("two channels of a depthwise exchanged", "WEIGHT-SWAP", A1, arrays("Conv", 4, 1, _exchanged, depthwise)),
    ("count_include_pad 1 in one AveragePool", "POOL", NASNET, attributes(
        "AveragePool", 4, lambda n: {"count_include_pad": 1})),
]  # fmt: skip
GRAPH_FAULTS = [GraphFault(name, tuple(codes.split()), network, plant) for name, codes, network, plant in _ROWS]
