"""TFLite's operators as ONNX's: one evaluator, and one recogniser, for both.

A file's tensors keep their names and their order of axes, NHWC, so that what a run gives is
what another runtime gives for the same file.  Where ONNX wants NCHW a Transpose stands before
and after: a view, which the ops of refmnas, NHWC within, turn back without a copy.
Weights are turned once, when the graph is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .. import _elements
from ..onnx.decode import PER_NUMBER, PER_OBJECT
from ..onnx.parse import Node
from . import parse, schema

OPSET = 18  # whose forms the translation writes
TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
LONGEST_LIST = 1 << 16  # numbers of an operand that says shapes, axes or sizes
_KINDS = {int: "int", float: "float", str: "text", tuple: "ints"}


@dataclass
class Recipe:
    """A constant before it is made: a file's tensor, turned, or in another type."""

    tensor: int
    order: tuple[int, ...] | None = None
    dtype: np.dtype | None = None


@dataclass
class Translator:
    """The nodes of a model so far.  `arrays` are constants that are made here, `recipes` those that the file holds."""

    flat: object
    tensors: list
    nodes: list[Node] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    recipes: dict[str, Recipe] = field(default_factory=dict)
    operator: object = None  # the one that is being translated

    def __post_init__(self):
        self._names = parse.Names(tensor.name for tensor in self.tensors)
        self._made: dict[tuple, str] = {}
        self.widened: dict[int, Recipe] = {}  # results of DEQUANTIZE

    def bad(self, text):
        return self.flat.bad(f"{self.operator}: {text}")

    # -- operands ----------------------------------------------------------------------

    def tensor(self, place, what):
        """The tensor of an operand; FormatError where it is left out."""
        inputs = self.operator.inputs
        if place >= len(inputs) or inputs[place] < 0:
            raise self.bad(f"the operand {what} is missing")
        return self.tensors[inputs[place]]

    def has(self, place):
        return place < len(self.operator.inputs) and self.operator.inputs[place] >= 0

    def operand(self, place, what):
        """The name of an operand, which is no float16."""
        tensor = self.tensor(place, what)
        if tensor.dtype == np.float16:
            raise self.bad(f"{what} is {tensor}, float16: wanted float32, or DEQUANTIZE of constants before it")
        return self.held(tensor)

    def held(self, tensor):
        """A tensor's name; a constant is noted, so that it will be read."""
        if tensor.span is not None:
            self.recipes.setdefault(tensor.name, Recipe(tensor.number))
        return tensor.name

    def weights(self, place, what, order):
        """The name of constant weights with their axes in another order."""
        tensor = self.tensor(place, what)
        recipe = self.widened.get(tensor.number, Recipe(tensor.number) if tensor.span is not None else None)
        if recipe is None:
            raise self.bad(f"{what} is {tensor}, which is no constant: wanted weights in the file")
        if len(tensor.shape) != len(order):
            raise self.bad(f"{what} is {tensor} of shape {tensor.shape}, wanted {len(order)} axes")
        if recipe.dtype is None and tensor.dtype != np.float32:
            raise self.bad(f"{what} is {tensor} of type {tensor.dtype}, wanted float32")
        key = tensor.number, order
        if key not in self._made:
            self._made[key] = self._names.own(f"{tensor.name}/turned")
            self.recipes[self._made[key]] = Recipe(recipe.tensor, order, recipe.dtype)
        return self._made[key]

    def numbers(self, place, what):
        """The whole numbers of a constant operand, as an array."""
        tensor = self.tensor(place, what)
        if tensor.span is None or tensor.dtype.kind != "i" or tensor.count > LONGEST_LIST:
            raise self.bad(f"{what} is {tensor}, wanted a constant of at most {LONGEST_LIST} whole numbers")
        self.flat.charge(PER_NUMBER * tensor.count)  # each time: many operators may have one list
        return read(self.flat, tensor)

    # -- results -----------------------------------------------------------------------

    @property
    def result(self):
        return self.tensors[self.operator.outputs[0]].name

    def constant(self, value, dtype):
        """The name of a small constant that the file does not hold."""
        array = np.array(value, dtype)
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self._made:
            self.flat.charge(2 * array.nbytes + 4 * PER_OBJECT)
            self._made[key] = self._names.own(f"constant {len(self._made)}")
            self.arrays[self._made[key]] = array
        return self._made[key]

    def integers(self, *values):
        return self.constant(values, np.int64)

    def node(self, op, inputs, result=None, **attributes):
        """One node of ONNX; its result is inside the operator unless it is named."""
        if result is None:
            result = self._names.own(f"{self.result}/{op.lower()}")
        kinds = {key: (_KINDS[type(value)], value) for key, value in attributes.items()}
        self.flat.charge(1024)
        label = f"{self.operator.op} {self.operator.number}"
        self.nodes.append(Node(label, op, tuple(inputs), (result,), kinds))
        return result

    def finished(self, op, inputs, act="NONE", **attributes):
        """The operator's last node, and its fused activation."""
        if act == "NONE":
            return self.node(op, inputs, self.result, **attributes)
        return self.activated(act, self.node(op, inputs, **attributes))

    def activated(self, act, x):
        """An activation of x as the operator's result."""
        if act == "RELU":
            return self.node("Relu", [x], self.result)
        low, high = {"RELU6": (0, 6), "RELU_N1_TO_1": (-1, 1)}[act]
        return self.node("Clip", [x, self.constant(low, np.float32), self.constant(high, np.float32)], self.result)

    def act(self):
        """The name of the operator's fused activation."""
        number = self.operator.options["act"]
        name = schema.ACTIVATIONS[number] if 0 <= number < len(schema.ACTIVATIONS) else f"number {number}"
        if name not in ("NONE", "RELU", "RELU6", "RELU_N1_TO_1"):
            raise self.bad(f"the fused activation {name} is not read, wanted NONE, RELU, RELU6 or RELU_N1_TO_1")
        return name


def read(flat, tensor):
    """The array of a constant: native, writable."""
    what = str(tensor)
    span = flat.reader.span(tensor.span[0], tensor.span[1] - tensor.span[0], what)
    element = _elements.Element(tensor.dtype, tensor.dtype.itemsize)
    return _elements.read(span, element, tensor.count).reshape(tensor.shape)
