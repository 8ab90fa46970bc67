"""What every peer has, and how one says that it is absent."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module, metadata, util

import numpy as np

from ..errors import DtypeError, PeerError, ShapeError, SpecError
from ..models import fold

MOST_THREADS = 1024


@dataclass(frozen=True)
class Availability:
    """Whether a peer can be built here: its version, or the reason why not; true where it can."""

    version: str | None = None
    reason: str | None = None

    def __bool__(self):
        return self.version is not None

    def __str__(self):
        return self.version or f"absent: {self.reason}"


class Peer:
    """Somebody else's runtime with one network in it, for one batch, size and number of threads.

    name          as `refmnas.peers.names` lists it
    version       of the runtime
    threads       that it computes with
    precision     of weights, activations and sums
    description   what was built and how, in one line

    `run(x)` is `run_prepared(prepare(x))`: the second of the two is what a clock should
    see.  x is (N, H, W, 3) float32, the result (N, classes).
    """

    name = ""
    precision = "float32"
    description = ""

    def __init__(self, net, *, batch, size, threads):
        self.threads, self.batch, self.size = threads, batch, size
        self.version = availability(self.name, self.PACKAGES).version
        self.classes = net.spec.head.classes

    PACKAGES: tuple[str, ...] = ()  # what must be installed; the first gives the version

    def prepare(self, x):
        """x as the runtime's own input: to NCHW, and whatever else may be done once."""
        return self._input(np.ascontiguousarray(self.checked(x).transpose(0, 3, 1, 2)))

    def run_prepared(self, prepared):
        """The logits of what `prepare` returned."""
        raise NotImplementedError

    def run(self, x):
        """The logits (N, classes) of x (N, H, W, 3)."""
        return self.run_prepared(self.prepare(x))

    def intermediates(self, x):
        """{step: (N, H, W, C), or (N, C) after a pool} of every step of `refmnas.models.fold`, where it can tell."""
        raise PeerError(f"{self.name}: has no intermediates; ort, openvino and litert have")

    def profile(self, x, runs=20):
        """{step: microseconds} by the runtime's own clock, where it has one."""
        raise PeerError(f"{self.name}: has no profile; ort has")

    def close(self):
        """Let the runtime go, with its threads and memory."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def checked(self, x):
        """x, which must be of the shape that the peer was built for."""
        if not isinstance(x, np.ndarray) or x.dtype != np.float32:
            came = getattr(x, "dtype", type(x).__name__)
            raise DtypeError(f"{self.name}: x is {came}, wanted a float32 array")
        wanted = (self.batch, *self.size, 3)
        if x.shape != wanted:
            raise ShapeError(f"{self.name}: x has shape {x.shape}, wanted {wanted}, what the peer was built for")
        return x

    def _input(self, nchw):
        return nchw


def options(batch, size, threads, net):
    """(batch, (H, W), threads), checked."""
    for key, value, most in (("batch", batch, 2**31 - 1), ("threads", threads, MOST_THREADS)):
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise SpecError(f"peers.build: {key} is {value!r}, wanted 1 to {most}")
    height, width = (net.size, net.size) if size is None else (size, size) if np.ndim(size) == 0 else size
    if min(height, width) < 1:
        raise SpecError(f"peers.build: size is {size!r}, wanted at least 1 pixel")
    return batch, (int(height), int(width)), threads


def steps_of(net, size):
    """The folded steps, which must be there in float32 and finite."""
    return fold.nodes(net, size, np.float32)


def by_step(steps, tensors):
    """{step: NHWC} of a runtime's NCHW results, in the order of the steps."""
    found = {}
    for step, a in zip(steps, tensors, strict=True):
        a = np.moveaxis(np.asarray(a), 1, -1)
        found[step.name] = np.ascontiguousarray(a).reshape(len(a), *step.shape)
    return found


def availability(name, packages):
    """Told by what is installed, without importing it."""
    for package in packages:
        if util.find_spec(package) is None:
            return Availability(reason=f"{package} is not installed: pip install 'refmnas[peers]'")
    try:
        return Availability(version=metadata.version(packages[0]))
    except metadata.PackageNotFoundError:
        return Availability(reason=f"{packages[0]} is there but says no version")


def runtime(name, package):
    """The runtime's module; PeerError where it is broken."""
    try:
        return import_module(package)
    except Exception as error:  # a missing library, another Python's build: whatever an import can raise
        raise PeerError(f"{name}: {package} cannot be imported: {error}") from error
