"""ncnn: the param and bin that we write, every blob by its name.  Its graph is what the file says, shown or not."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from ...errors import PeerError
from ...io import ncnn as files
from .base import Runtime, nchw, version

_HALVES = ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic")
_BF16 = ("use_bf16_packed", "use_bf16_storage")


class Ncnn(Runtime):
    """ncnn.Net on the CPU, one image after the other."""

    name, PACKAGE, INSTALL = "ncnn", "ncnn", "ncnn"
    TAKES = ("precision",)
    EFFECT = "read by name, which changes nothing of what runs"

    def __init__(self, subject, settings):
        super().__init__(subject, settings)
        self._net = self._module.Net()
        options = self._net.opt
        options.num_threads, options.use_vulkan_compute, options.use_int8_inference = settings.threads, False, False
        on = {"float32": (), "fp16": _HALVES, "bf16": _BF16}[settings.precision]
        for option in (*_HALVES, *_BF16):
            if hasattr(options, option):
                setattr(options, option, option in on)
        with tempfile.TemporaryDirectory() as folder:
            param, weights = files.save(Path(folder) / "network.param", subject.steps)
            if self._net.load_param(str(param)) or self._net.load_model(str(weights)):
                raise PeerError(f"ncnn: refuses the files that refmnas.io.ncnn wrote of {subject.name}")

    @property
    def description(self):
        asked = self.settings
        return f"ncnn {version(self)}, CPU, {asked.precision}, threads {asked.threads}, from our param and bin"

    def every(self):
        return tuple(step.name for step in self.subject.steps[:-1])

    def run(self, x, shown):
        rows = [self._one(np.ascontiguousarray(one), shown) for one in nchw(x)]
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}

    def _one(self, image, shown):
        extractor = self._net.create_extractor()
        extractor.set_light_mode(False)  # which lets go of a blob once it is read
        extractor.input("input", self._module.Mat(image))
        found = {}
        for name in (*shown, files.LOGITS):
            code, blob = extractor.extract(name)
            if code:
                raise PeerError(f"ncnn: extract of {name} returned {code}")
            found[name] = np.array(blob)
        return found
