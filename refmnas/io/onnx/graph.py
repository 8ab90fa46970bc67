"""A graph that was loaded: what goes in, what comes out, and its computation in NumPy."""

from __future__ import annotations

from collections import Counter

import numpy as np

from ...errors import DtypeError, RefmnasError, ShapeError, SpecError
from . import bind
from .operators import Info


class Graph:
    """What `refmnas.io.onnx.load` returns.

    inputs     {name: (dtype, shape)} of what a run wants; an extent is a number, a name that stands
               for one number in a run, or None; a shape None is any rank
    outputs    {name: (dtype, shape)} of what a run gives
    operators  {operator: how often it stands there}
    opset      of the file
    name       of the file
    steps      the nodes, in the order of computation
    constants  {name: array} of the initializers, read-only
    known      {name: Info} what is known of every tensor without a run

    >>> Graph("a", 17, [], {}, [], [], {}).run({})
    {}
    """

    def __init__(self, name, opset, steps, constants, inputs, outputs, known):
        self.name, self.opset, self.steps, self.constants, self.known = name, opset, steps, constants, known
        self._values = {value.name: value for value in inputs}
        self._wanted = [value.name for value in inputs if value.name not in constants]
        self.inputs = {name: (self._values[name].dtype, self._values[name].shape) for name in self._wanted}
        self.outputs = {value.name: (known[value.name].dtype, known[value.name].shape) for value in outputs}
        self.operators = dict(Counter(step.op for step in steps).most_common())

    def __repr__(self):
        return f"<Graph {self.name} opset {self.opset}, {len(self.steps)} nodes>"

    def run(self, feeds, *, max_bytes=1 << 30):
        """{name: array} of the outputs for {name: array} of the inputs.

        Shapes   as `inputs` and `outputs` say; extents of one name are equal.
        Units    none.  max_bytes: what one node's results, and what it needs between, may take.
        Dtypes   as `inputs` and `outputs` say: nothing is cast.
        Raises   SpecError for an input that is missing or unknown; ShapeError and DtypeError for one that
                 does not fit, and for a node whose operands do not; DataError for values that no result
                 exists for (an index beyond its axis, whole numbers over 0).
        """
        values = self._run(feeds, max_bytes, set(self.outputs))
        return {name: np.array(values[name]) for name in self.outputs}

    def intermediates(self, feeds, *, max_bytes=1 << 30):
        """{name: array} of every node's results, in the order of computation; `run` otherwise."""
        values = self._run(feeds, max_bytes, None)
        return {name: values[name] for step in self.steps for name in step.results if name}

    def _run(self, feeds, max_bytes, kept):
        """Every tensor's array; with `kept` those that nobody reads any more are let go."""
        values = self.constants | self._checked(feeds)
        last = {} if kept is None else {name: step for step in self.steps for name in step.reads()}
        for step in self.steps:
            try:
                infos = bind.operand_infos(step, _Seen(values))
                results = bind.apply(step, infos, max_bytes)
                arrays = {key: [i.value for i in v] if isinstance(v, list) else v.value for key, v in infos.items()}
                with np.errstate(all="ignore"):
                    made = bind.compute(step, arrays, results)
            except RefmnasError as error:
                raise type(error)(f"{self.name}: {step.label}: {error}") from None
            values |= {name: array for name, array in zip(step.results, made, strict=True) if name}
            for name in set(step.reads()) if kept is not None else ():
                if last[name] is step and name not in kept:
                    values.pop(name, None)
        return values

    def _checked(self, feeds):
        """The inputs' arrays; an initializer that is an input too may be given, or not."""
        where = f"{self.name}: run"
        if not isinstance(feeds, dict):
            raise DtypeError(f"{where}: feeds is {type(feeds).__name__}, wanted {{name: array}}")
        missing = [name for name in self._wanted if name not in feeds]
        unknown = [name for name in feeds if name not in self._values]
        if missing or unknown:
            came = f"no {missing[0]!r}" if missing else f"an unknown {unknown[0]!r}"
            raise SpecError(f"{where}: {came} among the inputs, wanted {', '.join(self._wanted) or 'none'}")
        extents: dict[str, int] = {}
        for name, array in feeds.items():
            value = self._values[name]
            if not isinstance(array, np.ndarray) or array.dtype != value.dtype:
                came = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
                raise DtypeError(f"{where}: {name} is {came}, wanted an array of {value.dtype}")
            shape = value.shape if value.shape is not None else array.shape
            wanted = tuple(extents.setdefault(n, m) if isinstance(n, str) else m if n is None else n
                           for n, m in zip(shape, array.shape, strict=False))  # fmt: skip
            if len(shape) != array.ndim or wanted != array.shape:
                raise ShapeError(f"{where}: {name} has shape {array.shape}, wanted {value.shape}")
        return dict(feeds)


class _Seen(dict):
    """Arrays as what is known of them."""

    def __init__(self, arrays):
        super().__init__()
        self._arrays = arrays

    def __missing__(self, name):
        array = self._arrays[name]
        return Info(array.dtype, array.shape, array)
