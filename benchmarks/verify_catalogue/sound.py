"""Sound runs: other batches, sizes, orders of memory, threads and kernels of the same modules."""

from __future__ import annotations

import contextlib
import copy

import torch

from refmnas.verify import capture

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


def runs(size, meant, ours, image):
    """(name, a function that gives the capture, a function that gives the network) of every run."""
    for name in SUBJECTS:
        for way in _WAYS:
            extent = size + 1 if way == "odd size" else size
            yield (
                f"{name}: {way}",
                lambda n=name, w=way: _captured(meant(n), image, size, w),
                lambda n=name, e=extent: ours(n, e),
            )


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
