"""A TFLite file that was loaded: the graph of ONNX's operators that it became, with the file's own names."""

from __future__ import annotations

from collections import Counter

from .. import onnx


class Graph(onnx.Graph):
    """What `refmnas.io.tflite.load` returns: a `refmnas.io.onnx.Graph`, whose images are NHWC.

    operators  {TFLite's operator: how often it stands in the file}
    steps      what they became, in the order of computation
    version    of the file's schema
    tensors    the names of the file's tensors

    A fused activation belongs to its operator; what lies between two parts of one operator is no
    intermediate of the file and left out of `intermediates`.
    """

    def __init__(self, name, opset, steps, constants, ends, known, *, model, version):
        super().__init__(name, opset, steps, constants, *ends, known)
        self.version = version
        self.operators = dict(Counter(operator.op for operator in model.operators).most_common())
        self.tensors = [tensor.name for tensor in model.tensors]

    def __repr__(self):
        return f"<Graph {self.name} TFLite, {sum(self.operators.values())} operators>"

    def intermediates(self, feeds, *, max_bytes=1 << 30):
        """{name: array} of every operator's result, in the order of computation; `run` otherwise."""
        own = set(self.tensors)
        return {name: a for name, a in super().intermediates(feeds, max_bytes=max_bytes).items() if name in own}
