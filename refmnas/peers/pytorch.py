"""PyTorch: the published module filled by our names, else the folded steps; three ways to run it.

    torch-eager           as it comes, contiguous NCHW
    torch-channels-last   weights and image in channels_last
    torch-jit             torch.jit.trace, freeze, optimize_for_inference (which folds batch norm)

The number of threads belongs to the process, not to a module: `torch.set_num_threads` is
called before every run that finds another number.
"""

from __future__ import annotations

import warnings

from . import published, torch_steps
from .base import Peer, runtime, steps_of


class Eager(Peer):
    """torch.nn.Module under torch.inference_mode."""

    name = "torch-eager"
    PACKAGES = ("torch",)
    how = "eager"

    def __init__(self, net, *, batch, size, threads):
        super().__init__(net, batch=batch, size=size, threads=threads)
        self._torch = runtime(self.name, "torch")
        module, what = published.module(net) or (torch_steps.module(steps_of(net, size)), "the folded steps")
        self._torch.set_num_threads(threads)
        self._module = self._made(module)
        self.description = f"PyTorch {self.version}, {what}, {self.how}; threads are the process's"

    def _made(self, module):
        return module

    def _input(self, nchw):
        return self._torch.from_numpy(nchw)

    def run_prepared(self, prepared):
        if self._torch.get_num_threads() != self.threads:
            self._torch.set_num_threads(self.threads)
        with self._torch.inference_mode():
            return self._module(prepared).numpy()

    def close(self):
        self._module = None


class ChannelsLast(Eager):
    """Weights and image in PyTorch's channels_last."""

    name = "torch-channels-last"
    how = "channels_last"

    def _made(self, module):
        return module.to(memory_format=self._torch.channels_last)

    def _input(self, nchw):
        return self._torch.from_numpy(nchw).contiguous(memory_format=self._torch.channels_last)


class Jit(Eager):
    """TorchScript, frozen and optimised for inference."""

    name = "torch-jit"
    how = "torch.jit trace, freeze, optimize_for_inference"

    def _made(self, module):
        torch = self._torch
        example = torch.zeros(self.batch, 3, *self.size)
        with warnings.catch_warnings(), torch.inference_mode(False), torch.no_grad():
            warnings.simplefilter("ignore")  # TorchScript is deprecated, and says so at each call
            frozen = torch.jit.freeze(torch.jit.trace(module, example))
            made = torch.jit.optimize_for_inference(frozen)
            for _ in range(2):  # the first runs specialise it further
                made(example)
        return made
