"""OpenVINO: the ONNX file that we write, the CPU plugin, latency hint, one stream, float32.

INFERENCE_PRECISION_HINT f32 keeps it from bfloat16 where the CPU has that.
"""

from __future__ import annotations

from ..errors import PeerError
from ..io import onnx
from .base import Peer, by_step, runtime, steps_of


class OpenVino(Peer):
    """An inference request of a compiled model."""

    name = "openvino"
    PACKAGES = ("openvino",)

    def __init__(self, net, *, batch, size, threads):
        super().__init__(net, batch=batch, size=size, threads=threads)
        self._openvino = runtime(self.name, "openvino")
        self._core = self._openvino.Core()
        self._steps = steps_of(net, size)
        self._request = self._compiled(onnx.encode(self._steps, batch=batch)).create_infer_request()
        self.description = f"OpenVINO {self.version}, CPU, latency hint, 1 stream, f32, from our ONNX"

    def _compiled(self, model):
        settings = {
            "INFERENCE_NUM_THREADS": self.threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
        }
        compiled = self._core.compile_model(self._core.read_model(model, b""), "CPU", settings)
        got = int(compiled.get_property("INFERENCE_NUM_THREADS"))
        if got != self.threads:
            raise PeerError(f"{self.name}: took {got} threads, wanted {self.threads}")
        return compiled

    def _input(self, nchw):
        return self._openvino.Tensor(nchw, shared_memory=True)

    def run_prepared(self, prepared):
        self._request.set_input_tensor(prepared)
        self._request.infer()
        return self._request.get_output_tensor().data.copy()

    def intermediates(self, x):
        compiled = self._compiled(onnx.encode(self._steps, batch=self.batch, outputs="all"))
        request, prepared = compiled.create_infer_request(), self.prepare(x)  # the request does not hold the image
        request.set_input_tensor(prepared)
        request.infer()
        names = [*(step.name for step in self._steps[:-1]), onnx.LOGITS]
        return by_step(self._steps, [request.get_tensor(name).data.copy() for name in names])

    def close(self):
        self._request = self._core = None
