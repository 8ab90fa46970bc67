"""PyTorch: the published module filled by our names, its modules' results by hooks; else the folded steps."""

from __future__ import annotations

import contextlib

from ...peers import published, torch_steps
from ..hooks import capture
from .base import Runtime, nchw, version

_TYPES = {"float32": "float32", "fp16": "float16", "bf16": "bfloat16"}


class Torch(Runtime):
    """A torch.nn.Module in evaluation."""

    name, PACKAGE, INSTALL = "torch", "torch", "torch"
    TAKES = ("precision", "channels_last", "onednn")
    EFFECT = "seen by hooks, which changes nothing of what runs"

    def __init__(self, subject, settings):
        super().__init__(subject, settings)
        found = published.module(subject.net)
        self._module_of, self._what = found or (torch_steps.module(subject.steps), "the folded steps")
        self._is_published = found is not None
        if self._is_published:
            self.model, self.last = subject.net, "output"
            self.source = published.name_of(subject.net)[0]
        self._module_of = self._module_of.to(getattr(self._module, _TYPES[settings.precision]))
        if settings.channels_last:
            self._module_of = self._module_of.to(memory_format=self._module.channels_last)

    @property
    def description(self):
        asked = self.settings
        how = f"{'channels_last' if asked.channels_last else 'NCHW'}, oneDNN {'on' if asked.onednn else 'off'}"
        return f"PyTorch {version(self)}, {self._what}, {how}, {asked.precision}, threads {asked.threads}"

    def every(self):
        return ("all",)

    def fewer(self):
        return []

    def by_part(self, tensors):
        return tensors if self._is_published else super().by_part(tensors)

    def run(self, x, shown):
        torch, asked = self._module, self.settings
        image = torch.from_numpy(nchw(x)).to(getattr(torch, _TYPES[asked.precision]))
        image = image.contiguous(memory_format=torch.channels_last) if asked.channels_last else image
        before = torch.get_num_threads()
        torch.set_num_threads(asked.threads)
        try:
            with contextlib.nullcontext() if asked.onednn else torch.backends.mkldnn.flags(enabled=False):
                return self._results(image, shown)
        finally:
            torch.set_num_threads(before)

    def _results(self, image, shown):
        torch = self._module
        if shown and self._is_published:
            return {name: a for name, a in capture(self._module_of, image).items() if name != "input"}
        with torch.no_grad():
            if shown:
                results = self._module_of.results(image)
                return {name: a.float().numpy() for name, a in results.items()} | {self.last: self._ended(results)}
            return {self.last: self._module_of(image).float().numpy()}

    def _ended(self, results):
        return results[self.subject.steps[-1].name].float().numpy()
