"""LiteRT: the TFLite file that we write, its XNNPACK delegate, float32.

The delegate is what the interpreter applies by default; the threads are those of both.
Images stay NHWC, and go in by one copy into the interpreter's own tensor, which a run counts.
"""

from __future__ import annotations

import numpy as np

from ..io import tflite
from .base import Peer, runtime, steps_of


class LiteRt(Peer):
    """An interpreter of ai_edge_litert."""

    name = "litert"
    PACKAGES = ("ai_edge_litert",)

    def __init__(self, net, *, batch, size, threads):
        super().__init__(net, batch=batch, size=size, threads=threads)
        self._litert = runtime(self.name, "ai_edge_litert.interpreter")
        self._steps = steps_of(net, size)
        self._interpreter = self._opened(tflite.encode(self._steps, batch=batch))
        self._image = self._interpreter.get_input_details()[0]["index"]
        self._logits = self._interpreter.get_output_details()[0]["index"]
        self.description = f"LiteRT {self.version}, CPU, XNNPACK, from our TFLite"

    def _opened(self, model):
        kind = self._litert.OpResolverType.BUILTIN  # with the delegates that are applied by default: XNNPACK
        options = {"num_threads": self.threads, "experimental_op_resolver_type": kind}
        interpreter = self._litert.Interpreter(model_content=model, **options)
        interpreter.allocate_tensors()
        return interpreter

    def prepare(self, x):
        """x as it is: NHWC, contiguous."""
        return np.ascontiguousarray(self.checked(x))

    def run_prepared(self, prepared):
        self._interpreter.set_tensor(self._image, prepared)
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._logits)

    def intermediates(self, x):
        """As `Peer.intermediates`; a tensor that is an output is not fused away."""
        interpreter = self._opened(tflite.encode(self._steps, batch=self.batch, outputs="all"))
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], self.prepare(x))
        interpreter.invoke()
        found = {end["name"]: interpreter.get_tensor(end["index"]) for end in interpreter.get_output_details()}
        names = {step.name: tflite.LOGITS if step is self._steps[-1] else step.name for step in self._steps}
        return {step.name: found[names[step.name]].reshape(len(x), *step.shape) for step in self._steps}

    def close(self):
        self._interpreter = None
