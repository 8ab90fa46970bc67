"""From a file to a Graph: everything is checked before the first weight is read."""

from __future__ import annotations

from ...errors import RefmnasError
from .._reader import Limits, Reader
from ..onnx import bind
from ..onnx.operators import Info
from ..onnx.parse import Value
from . import operators, parse, schema
from .flat import Flat
from .graph import Graph
from .translate import OPSET, Translator, read


def load(path, *, max_header=1 << 20, max_tensors=65_536, max_bytes=1 << 30):
    """The graph of a TFLite file of floats, ready to run: a `Graph`.

    Whatever cannot be computed is refused here by its name: an operator, an option's value, a fused
    activation, an element type, a quantised, sparse or variable tensor, several subgraphs, a tensor that
    nothing gives, shapes that contradict one another or what the file declares.

    Shapes   as in the file: NHWC.
    Units    max_header and max_bytes count bytes: of tables and names (a dozen times that in memory), of
             all constants together, float16 as the float32 that they become.
    Dtypes   float32, int32, int64; float16 constants that a DEQUANTIZE widens.
    Raises   FormatError, naming the file, for all of it; and for a file that cannot be opened, is cut,
             hostile, or beyond a cap, which the message names.
    """
    with Reader(path) as reader:
        flat = Flat(reader, Limits(max_header, max_tensors, max_bytes))
        model = parse.model(flat, operators.KNOWN)
        found = _translated(flat, model)
        given = {model.tensors[n].name for n in model.inputs} | set(found.arrays) | set(found.recipes)
        steps = bind.bound(_Nodes(found.nodes), {}, flat.bad)
        steps = bind.sorted_steps(steps, given, flat.bad)
        _check_ends(flat, model, found, steps)
        constants = _constants(flat, model, found)
        values = [Value(tensor.name, tensor.dtype, tensor.shape) for tensor in model.tensors]
        known = {values[n].name: Info(values[n].dtype, values[n].shape) for n in model.inputs}
        known |= {name: Info(array.dtype, array.shape, array) for name, array in constants.items()}
        bind.infer(steps, known, {value.name: value for value in values}, flat.bad)
        ends = [values[n] for n in model.inputs], [values[n] for n in model.outputs]
        return Graph(reader.name, OPSET, steps, constants, ends, known, model=model, version=schema.VERSION)


class _Nodes:
    """What `bind` wants of a model."""

    opset = OPSET

    def __init__(self, nodes):
        self.nodes = nodes


def _translated(flat, model):
    """Every operator as nodes of ONNX."""
    found = Translator(flat, model.tensors)
    for operator in model.operators:
        found.operator = operator
        try:
            operators.TABLE[operator.op][1](found)
        except RefmnasError as error:
            if str(error).startswith(flat.reader.name):
                raise
            raise found.bad(str(error)) from None
    for number in model.outputs:
        found.held(model.tensors[number])
    return found


def _check_ends(flat, model, found, steps):
    """Inputs that nothing makes, and outputs that something does."""
    made = {name for step in steps for name in step.results}
    inputs = {model.tensors[n].name for n in model.inputs}
    twice = inputs & (set(found.arrays) | set(found.recipes))
    twice |= {model.tensors[n].name for n in model.inputs if model.tensors[n].span is not None}
    if twice:
        raise flat.bad(f"the input {min(twice)!r} is a constant as well, wanted one of both")
    for name in (model.tensors[n].name for n in model.outputs):
        if name not in made | inputs | set(found.recipes):
            raise flat.bad(f"the output {name!r} is no operator's result")


def _constants(flat, model, found):
    """{name: array}, read-only: of the file, turned and widened, and those of the translation."""
    base = {(recipe.tensor, recipe.dtype) for recipe in found.recipes.values()}
    size = sum(array.nbytes for array in found.arrays.values())
    size += sum(model.tensors[n].count * (dtype or model.tensors[n].dtype).itemsize for n, dtype in base)
    flat.limits.check_bytes(size, flat.reader)
    arrays: dict = {}
    for n, dtype in sorted(base, key=lambda key: key[0]):
        array = read(flat, model.tensors[n])
        arrays[n, dtype] = array if dtype is None else array.astype(dtype)
        arrays[n, dtype].flags.writeable = False
    constants = dict(found.arrays)
    for name, recipe in found.recipes.items():
        array = arrays[recipe.tensor, recipe.dtype]
        constants[name] = array if recipe.order is None else array.transpose(recipe.order)
    return constants
