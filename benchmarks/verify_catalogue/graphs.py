"""ONNX graphs that faults are planted in: PyTorch's export, batch norm kept, and our own writer's, batch norm folded.

graph(name)              the ModelProto that is meant
tensors(model, x, level) every float tensor of a run by ONNX Runtime, each made an output; by_openvino(model, x) likewise
"""

from __future__ import annotations

import copy
import io
import tempfile
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from refmnas.bench.weights import drawn
from refmnas.io import onnx as ours
from refmnas.models import build, fold

from . import networks

EXPORTED = ("mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0")
WRITTEN = {"mnasnet-a1": "tf", "mnasnet-b1": "tf", "nasnet-a-mobile": "slim"}
LEVELS = ("DISABLE_ALL", "ENABLE_BASIC", "ENABLE_EXTENDED", "ENABLE_ALL")


@lru_cache(maxsize=3)
def graph(name, size=96, seed=0):
    if name in WRITTEN:
        net = drawn(build(name, dialect=WRITTEN[name], size=size), seed)
        return onnx.load_from_string(ours.encode(fold.nodes(net, size), batch=2))
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            networks.module(name, seed), (torch.from_numpy(networks.image(size)),), file, dynamo=False, opset_version=17,
            training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False, input_names=["input"],
            output_names=["output"],
        )  # fmt: skip
    return onnx.load_from_string(file.getvalue())


def loaded(model):
    """Our reader's graph of a ModelProto."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.onnx"
        path.write_bytes(model.SerializeToString())
        return ours.load(path)


def tensors(model, x, level="DISABLE_ALL", instrumented=True):
    """{tensor: array} with the input; `instrumented` False: the outputs of the file alone."""
    model = _instrumented(model) if instrumented else model
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, f"ORT_{level}")
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(names, {session.get_inputs()[0].name: x}), strict=True))
    return {name: a for name, a in found.items() if a.dtype == np.float32 and a.ndim} | {"input": x}


def _instrumented(model):
    """A copy whose tensors are all outputs."""
    model = copy.deepcopy(model)
    known = {value.name for value in model.graph.output}
    names = [name for node in model.graph.node for name in node.output if name and name not in known]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    return model


def by_openvino(model, x):
    """The same by OpenVINO's CPU plugin in float32, every tensor made an output."""
    import openvino

    inferred = onnx.shape_inference.infer_shapes(model)
    types = {value.name: value for value in inferred.graph.value_info}
    made = copy.deepcopy(model)
    known = {value.name for value in made.graph.output}
    constant = {name for node in made.graph.node if node.op_type == "Constant" for name in node.output}
    made.graph.output.extend(value for name, value in types.items() if name not in known | constant)
    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(made.SerializeToString(), b""), "CPU", settings)
    request = compiled.create_infer_request()
    request.infer({0: x})
    names = [value.name for value in made.graph.output]
    found = {name: np.array(request.get_tensor(name).data) for name in names}
    return {name: a for name, a in found.items() if a.dtype == np.float32 and a.ndim} | {"input": x}
