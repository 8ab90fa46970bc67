"""LiteRT: the XNNPACK delegate, or its own kernels.

    all     the delegate; tensors are made outputs of the file, since within the delegate no other can be read
    none    the built-in kernels, with experimental_preserve_all_tensors: the file is the same, shown or not

The outputs of a user's file are changed in its bytes: the vector of outputs is written anew behind the file, and
the subgraph's reference turned to it.

Source: the internals page of the FlatBuffers documentation, equations (1) to (4) of `refmnas.io.tflite.flat`.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from ...errors import FormatError
from ...io import tflite
from .base import Runtime, version


def with_outputs(model, numbers):
    """The bytes of a TFLite model whose first subgraph has the tensors of these numbers as outputs."""
    made = bytearray(model)
    made += bytes(-len(made) % 4)
    root = _read(made, 0, "I")
    graphs = _reference(made, _field(made, root, 2, "subgraphs"))
    at = _field(made, _reference(made, graphs + 4), 2, "outputs")
    struct.pack_into("<I", made, at, len(made) - at)
    return bytes(made + struct.pack(f"<{1 + len(numbers)}I", len(numbers), *numbers))


def _read(data, at, code):
    return struct.unpack_from("<" + code, data, at)[0]


def _reference(data, at):
    return at + _read(data, at, "I")


def _field(data, table, slot, what):
    """Where a table's field stands."""
    vtable = table - _read(data, table, "i")
    size = _read(data, vtable, "H")
    offset = _read(data, vtable + 4 + 2 * slot, "H") if 4 + 2 * slot < size else 0
    if not offset:
        raise FormatError(f"verify: the TFLite model has no {what}")
    return table + offset


class LiteRt(Runtime):
    """ai_edge_litert.interpreter.Interpreter."""

    name, PACKAGE, INSTALL, SUFFIX = "litert", "ai_edge_litert.interpreter", "ai-edge-litert", ".tflite"
    LEVELS = ("none", "all")

    def __init__(self, subject, settings):
        super().__init__(subject, settings)
        path = subject.path
        if self.level == "none":
            self.EFFECT = "kept, which changes nothing of what runs"
        self._bytes = tflite.encode(subject.steps, batch=subject.batch) if path is None else Path(path).read_bytes()
        details = self._opened(self._bytes).get_tensor_details()
        self._numbers = {each["name"]: each["index"] for each in details}
        made = {n for op in self._opened(self._bytes, plain=True)._get_ops_details() for n in op["outputs"]}
        self._made = [each["name"] for each in details if each["index"] in made and each["name"] != self.last]

    @property
    def description(self):
        kernels = "XNNPACK" if self.level == "all" else "built-in kernels"
        return f"LiteRT {version(self)}, CPU, {kernels}, threads {self.settings.threads}"

    def every(self):
        return tuple(self._made)

    def run(self, x, shown):
        by_file = self.level == "all" and shown
        model = with_outputs(self._bytes, [self._numbers[name] for name in (self.last, *shown)]) if by_file else self._bytes
        interpreter = self._opened(model, plain=self.level == "none", keeps=bool(shown))
        at = interpreter.get_input_details()[0]["index"]
        interpreter.resize_tensor_input(at, x.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(at, np.ascontiguousarray(x))
        interpreter.invoke()
        return {name: interpreter.get_tensor(self._numbers[name]).copy() for name in (self.last, *shown)}

    def _opened(self, model, plain=False, keeps=False):
        kinds = self._module.OpResolverType
        interpreter = self._module.Interpreter(
            model_content=model, num_threads=self.settings.threads,
            experimental_op_resolver_type=kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES if plain else kinds.BUILTIN,
            experimental_preserve_all_tensors=plain and keeps,
        )  # fmt: skip
        interpreter.allocate_tensors()
        return interpreter
