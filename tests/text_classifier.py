"""PP-OCR's MobileNetV3 classifier of text directions, of the wheel rapidocr-onnxruntime; ONNX Runtime's tensors of it."""

from importlib.util import find_spec
from pathlib import Path

import pytest


def path():
    spec = find_spec("rapidocr_onnxruntime")
    if spec is None:
        pytest.skip("the wheel of rapidocr-onnxruntime is not installed: pip install --no-deps rapidocr-onnxruntime")
    return next(Path(spec.submodule_search_locations[0]).rglob("ch_ppocr_mobile_v2.0_cls_infer.onnx"))


def runtime(path, x, image="x"):
    """Every tensor by ONNX Runtime from x (N, 3, H, W), the input `image`; no graph optimised."""
    package = pytest.importorskip("onnx", reason="needs the extra parity: onnx is not installed")
    ort = pytest.importorskip("onnxruntime", reason="needs the extra peers: onnxruntime is not installed")
    model = package.load(path)
    names = [name for node in model.graph.node for name in node.output if name]
    del model.graph.output[:]
    model.graph.output.extend(package.ValueInfoProto(name=name) for name in names)
    settings = ort.SessionOptions()
    settings.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    session = ort.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])
    return dict(zip(names, session.run(names, {image: x}), strict=True))
