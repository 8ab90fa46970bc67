"""Sound runs: other batches, sizes, orders of memory, threads, kernels and compilers of the same modules, and of ONNX files.

PyTorch's compiled programs (torch.jit: traced, frozen, optimised for inference) run a module whose tensors of interest are
returned, which keeps them from being fused away; of ONNX Runtime and OpenVINO every tensor of the file is made an output.
"""

from __future__ import annotations

import contextlib
import copy

import torch

from refmnas.verify import capture

from . import graphs
from .networks import SUBJECTS

_WAYS = (
    "eager",
    "channels_last",
    "oneDNN off",
    "batch 1",
    "batch 5",
    "two threads",
    "another image",
    "odd size",
    "double",
)
_JIT = ("traced", "frozen", "optimised for inference")
_JITTED = ("mobilenet_v2", "mobilenet_v3_large", "semnasnet_100", "efficientnet_b0")


def runs(size, meant, ours, image):
    """(name, a function that gives the capture, a function that gives the network or the graph) of every run."""
    for name in SUBJECTS:
        for way in _WAYS:
            extent = size + 1 if way == "odd size" else size
            yield (
                f"{name}: {way}",
                lambda n=name, w=way: _captured(meant(n), image, size, w),
                lambda n=name, e=extent: ours(n, e),
            )
    for name in _JITTED:
        for way in _JIT:
            made = lambda n=name, w=way: _jitted(meant(n), image(size), w)  # noqa: E731
            yield f"{name}: torch.jit {way}", made, lambda n=name: ours(n, size)
    for name in (*graphs.EXPORTED, *graphs.WRITTEN):
        model = lambda n=name: graphs.graph(n, size)  # noqa: E731
        for level in graphs.LEVELS:
            yield (
                f"{name}.onnx: ONNX Runtime {level}",
                lambda m=model, v=level: graphs.tensors(m(), image(size), v),
                lambda m=model: graphs.loaded(m()),
            )
        yield f"{name}.onnx: OpenVINO", lambda m=model: graphs.by_openvino(m(), image(size)), lambda m=model: graphs.loaded(m())


class _Returning(torch.nn.Module):
    """A module that returns every tensor that hooks see, so that a program of it has them as results."""

    def __init__(self, module, names):
        super().__init__()
        self.module, self.names = module, names

    def forward(self, x):
        seen = {}
        hooks = [
            m.register_forward_hook(lambda _, a, y, n=name: seen.__setitem__(n, y.clone()))
            for name, m in self.module.named_modules()
            if name in self.names
        ]
        y = self.module(x)
        for hook in hooks:
            hook.remove()
        return tuple(y if name == "output" else seen[name] for name in self.names)


def _jitted(module, image, way):
    x = torch.from_numpy(image)
    seen = capture(module, x)
    names = [name for name in seen if name != "input"]
    with torch.no_grad():
        program = torch.jit.trace(_Returning(copy.deepcopy(module), names), x, check_trace=False)
        if way != "traced":
            program = torch.jit.freeze(program.eval())
        if way == "optimised for inference":
            program = torch.jit.optimize_for_inference(program)
        for _ in range(3):  # the profiling executor compiles on the second run
            found = program(x)
    return {name: y.numpy() for name, y in zip(names, found, strict=True)} | {"input": image}


def _captured(module, image, size, way):
    batch = {"batch 1": 1, "batch 5": 5}.get(way, 2)
    x = torch.from_numpy(image(size, batch, 8 if way == "another image" else 3))
    if way == "odd size":
        x = torch.nn.functional.interpolate(x, size=(size + 1, size + 1), mode="bilinear")
    made = copy.deepcopy(module)
    if way == "channels_last":
        made, x = made.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    if way == "double":
        return capture(made.double(), x.double())
    threads = torch.get_num_threads()
    torch.set_num_threads(2 if way == "two threads" else 1)
    try:
        with torch.backends.mkldnn.flags(enabled=False) if way == "oneDNN off" else contextlib.nullcontext():
            return capture(made, x)
    finally:
        torch.set_num_threads(threads)
