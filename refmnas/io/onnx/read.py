"""From a file to a Graph: everything is checked before the first array is made, and nothing is half read."""

from __future__ import annotations

from collections import Counter

from ...errors import RefmnasError
from .._reader import Limits, Reader
from . import bind, parse, tensors
from .decode import Source
from .graph import Graph
from .operators import Info

DEFAULTS = 4  # IR version from which an initializer that is an input too may be given in a run; before, all are both


def load(path, *, max_header=1 << 20, max_tensors=65_536, max_bytes=1 << 30):
    """The graph of an ONNX file, ready to run: a `Graph`.

    Whatever cannot be computed is refused here by its name: an operator, an attribute or a value of
    one, an element type, an opset, a cycle, a tensor that nothing gives, shapes that contradict one
    another or what the file declares.  Tensors in other files are read where these lie inside the
    file's own folder, without links.

    Shapes   as in the file: NCHW.
    Units    max_header and max_bytes count bytes: of nodes and names (a dozen times that in memory), of
             all tensors together.
    Dtypes   bool, integers and floats of 8 to 64 bits.
    Raises   FormatError, naming the file, for all of it; and for a file that cannot be opened, is cut,
             hostile, or beyond a cap, which the message names.
    """
    with Reader(path) as reader:
        source = Source(reader, Limits(max_header, max_tensors, max_bytes))
        model = parse.model(source)
        _check_outputs(model, source.bad)
        placed = {id(t): t for t in _tensors(model)}
        known = {v.name: Info(v.dtype, _extents(v.shape)) for v in model.inputs}
        names = set(known) | set(model.tensors)
        drafts = bind.bound(model, placed, source.bad)  # what is refused is refused before a tensor is read
        bind.sorted_steps(drafts, names, source.bad)
        arrays = {key: _read(source, tensor) for key, tensor in placed.items()}
        steps = bind.sorted_steps(bind.bound(model, arrays, source.bad), names, source.bad)
        constants = {name: arrays[id(tensor)] for name, tensor in model.tensors.items()}
        known |= _constants(model, constants, source.bad)
        bind.infer(steps, known, _declared(model), source.bad)
        for value in model.outputs:
            _hold(value, known, source.bad)
        inputs = [v for v in model.inputs if v.name not in constants or model.ir_version >= DEFAULTS]
        return Graph(reader.name, model.opset, steps, constants, inputs, model.outputs, known)


def _tensors(model):
    """Every tensor of the file: initializers, and those that are attributes."""
    yield from model.tensors.values()
    for node in model.nodes:
        yield from (value for _, value in node.attributes.values() if isinstance(value, tensors.Tensor))


def _read(source, tensor):
    array = tensors.read(source, tensor, f"tensor {tensor.name!r}")
    array.flags.writeable = False
    return array


def _extents(shape):
    return None if shape is None else tuple(n if isinstance(n, int) else None for n in shape)


def _constants(model, constants, bad):
    """What is known of the initializers; one that is an input too is a default, so its value is not counted on."""
    inputs = {value.name: value for value in model.inputs}
    found = {}
    for name, array in constants.items():
        info = Info(array.dtype, array.shape, array)
        try:
            bind.held_to(inputs.get(name), info)
        except RefmnasError as error:
            raise bad(str(error)) from None
        found[name] = info._replace(value=None) if name in inputs and model.ir_version >= DEFAULTS else info
    return found


def _check_outputs(model, bad):
    """Names that stand once, and outputs that something gives."""
    for key, values in (("input", model.inputs), ("output", model.outputs)):
        names = [value.name for value in values]
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise bad(f"the {key} {twice[0]!r} stands twice")
    made = {v.name for v in model.inputs} | set(model.tensors) | {name for node in model.nodes for name in node.outputs}
    for value in model.outputs:
        if value.name not in made:
            raise bad(f"the output {value.name!r} is no node's result")


def _declared(model):
    return model.declared | {value.name: value for value in model.outputs}


def _hold(value, known, bad):
    try:
        bind.held_to(value, known[value.name])
    except RefmnasError as error:
        raise bad(str(error)) from None
