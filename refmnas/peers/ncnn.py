"""ncnn: the param and bin that we write, on the CPU, with half precision and bfloat16 turned off.

ncnn knows no batches: images of one run are computed one after the other.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from ..errors import PeerError
from ..io import ncnn as files
from .base import Peer, runtime, steps_of

_HALVES = (
    "use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_packed", "use_bf16_storage",
    "use_int8_inference",
)  # fmt: skip


class Ncnn(Peer):
    """ncnn.Net, an extractor for each image."""

    name = "ncnn"
    PACKAGES = ("ncnn",)

    def __init__(self, net, *, batch, size, threads):
        super().__init__(net, batch=batch, size=size, threads=threads)
        self._ncnn = runtime(self.name, "ncnn")
        self._net = self._ncnn.Net()
        self._net.opt.num_threads, self._net.opt.use_vulkan_compute = threads, False
        for option in _HALVES:
            if hasattr(self._net.opt, option):
                setattr(self._net.opt, option, False)
        with tempfile.TemporaryDirectory() as folder:
            param, weights = files.save(Path(folder) / "network.param", steps_of(net, size))
            if self._net.load_param(str(param)) or self._net.load_model(str(weights)):
                raise PeerError(f"{self.name}: refuses the files that refmnas.io.ncnn wrote of {net.spec.name}")
        self.description = f"ncnn {self.version}, CPU, fp16 and bf16 off, from our param and bin, one image at a time"

    def _input(self, nchw):
        return [(self._ncnn.Mat(one), one) for one in nchw]  # a Mat looks at the array and does not hold it

    def run_prepared(self, prepared):
        return np.stack([self._one(mat) for mat, _ in prepared])

    def _one(self, mat):
        extractor = self._net.create_extractor()
        extractor.input("input", mat)
        code, logits = extractor.extract(files.LOGITS)
        if code:
            raise PeerError(f"{self.name}: extract returned {code}")
        return np.array(logits)

    def close(self):
        self._net = None
