"""Other runtimes with the same network and the same weights: what refmnas is compared with.

    names()                     ort, openvino, torch-eager, torch-channels-last, torch-jit, ncnn, litert
    available()                 {name: its version, or why it is not there}
    build(name, net, ...)       a Peer: run(x), prepare(x), run_prepared(p), intermediates(x), profile(x), close()

All in float32, at exactly the threads asked for, from the folded steps of
`refmnas.models.fold` or, for PyTorch, the published module filled with the network's
weights.  Nothing here imports a runtime before it is built.
"""

from __future__ import annotations

from importlib import import_module

from ..errors import PeerError, RefmnasError, SpecError
from .base import Availability, Peer, availability, options

__all__ = ["Availability", "Peer", "available", "build", "names"]

_HOMES = {  # name -> (module here, class)
    "ort": ("ort", "OnnxRuntime"),
    "openvino": ("openvino", "OpenVino"),
    "torch-eager": ("pytorch", "Eager"),
    "torch-channels-last": ("pytorch", "ChannelsLast"),
    "torch-jit": ("pytorch", "Jit"),
    "ncnn": ("ncnn", "Ncnn"),
    "litert": ("litert", "LiteRt"),
}


def names():
    """The names that `build` takes.

    >>> names()[:2]
    ['ort', 'openvino']
    """
    return list(_HOMES)


def available():
    """{name: Availability}: its version, or the reason why it cannot be built; true where it can."""
    return {name: availability(name, _home(name).PACKAGES) for name in _HOMES}


def build(name, net, *, batch=1, size=None, threads=1) -> Peer:
    """The network in another runtime, with a copy of its weights.

    name        one of `names()`
    net         a Network; batch norm is taken in evaluation
    batch       images of a run
    size        an edge, or (H, W); None: the network's own
    threads     that compute; PyTorch's number is the process's, set again before each run

    Raises   PeerError where the runtime is absent, broken, or refuses the network;
             SpecError for an unknown name, and for options that cannot be.
    """
    home = _home(name)
    found = availability(name, home.PACKAGES)
    batch, size, threads = options(batch, size, threads, net)
    if not found:
        raise PeerError(f"{name}: {found.reason}")
    try:
        return home(net, batch=batch, size=size, threads=threads)
    except (RefmnasError, MemoryError):
        raise
    except Exception as error:  # each runtime has exceptions of its own
        raise PeerError(f"{name}: refuses {net.spec.name}: {error}") from error


def _home(name) -> type[Peer]:
    if name not in _HOMES:
        raise SpecError(f"peers: no {name!r}, wanted one of {', '.join(_HOMES)}")
    module, of = _HOMES[name]
    return getattr(import_module(f"{__name__}.{module}"), of)
