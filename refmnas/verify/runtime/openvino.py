"""OpenVINO: its CPU plugin, latency hint, one stream; tensors are made outputs by `add_outputs`."""

from __future__ import annotations

from ...errors import PeerError
from ...io import onnx
from .base import Runtime, nchw, version

_PRECISIONS = {"float32": "f32", "bf16": "bf16", "fp16": "f16"}


class OpenVino(Runtime):
    """A compiled model of openvino.Core."""

    name, PACKAGE, INSTALL, SUFFIX = "openvino", "openvino", "openvino", ".onnx"
    TAKES = ("precision",)

    @property
    def description(self):
        asked = self.settings
        return f"OpenVINO {version(self)}, CPU, latency hint, 1 stream, {asked.precision}, threads {asked.threads}"

    def run(self, x, shown):
        subject, core = self.subject, self._module.Core()
        if subject.path is None:
            model = core.read_model(onnx.encode(subject.steps, batch=subject.batch), b"")
        else:
            model = core.read_model(str(subject.path))
        there = [name for name in shown if self._is_shown(model, name)]
        request = self._compiled(core, model).create_infer_request()
        is_last = subject.graph.inputs[subject.image][1][1] != 3
        request.infer({subject.image: x if is_last else nchw(x)})
        return {name: request.get_tensor(name).data.copy() for name in (subject.last, *there)}

    def _is_shown(self, model, name):
        """Whether the tensor could be made an output: what its reader of files joined is none any more."""
        try:
            model.add_outputs(name)
        except RuntimeError:
            return False
        return True

    def _compiled(self, core, model):
        kind = _PRECISIONS[self.settings.precision]
        able = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if kind != "f32" and {"bf16": "BF16", "f16": "FP16"}[kind] not in able:
            raise PeerError(f"verify: openvino has no {self.settings.precision} on this CPU, it has {', '.join(able)}")
        asked = {
            "INFERENCE_NUM_THREADS": self.settings.threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": kind,
        }  # fmt: skip
        return core.compile_model(model, "CPU", asked)
