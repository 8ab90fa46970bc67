"""What every runtime here has: one subject in it, and runs that show tensors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import PeerError, SpecError
from ...peers.base import runtime
from .subject import coarser

PRECISIONS = {"float32": "float32", "fp16": "fp16", "bf16": "bf16"}  # -> the claim that fits


@dataclass(frozen=True)
class Settings:
    """What the user asks of a runtime; None is its usual.

    threads, level (ort, litert), precision (openvino, ncnn, torch), channels_last and onednn (torch)
    """

    threads: int = 1
    level: str | None = None
    precision: str = "float32"
    channels_last: bool = False
    onednn: bool = True


class Runtime:
    """A runtime with one `Subject` in it.

    `run(x, shown)` gives {tensor: array} of the tensors `shown` and of the last; nothing is shown of ().
    """

    name = ""
    PACKAGE = ""  # that is imported
    INSTALL = ""  # what pip calls it
    SUFFIX: str | None = None  # of the users' files that it reads
    LEVELS: tuple[str, ...] = ()
    TAKES: tuple[str, ...] = ()  # fields of Settings beside threads and level
    EFFECT = "made outputs, which switches fusions across them off"
    source = "auto"  # whose names the tensors have

    def __init__(self, subject, settings):
        self.subject, self.settings = subject, settings
        if subject.path is not None and subject.suffix != self.SUFFIX:
            wanted = f"a file {self.SUFFIX} or " if self.SUFFIX else ""
            raise SpecError(f"verify: {self.name} with {subject.path}, wanted {wanted}the name of a network")
        _checked(self, settings)
        self._module = imported(self)
        self.level = settings.level or (self.LEVELS[-1] if self.LEVELS else None)
        self.model, self.last = subject.graph, subject.last

    @property
    def description(self):
        raise NotImplementedError

    def run(self, x, shown):
        """x (N, H, W, 3) float32 -> {tensor: array}."""
        raise NotImplementedError

    def every(self):
        """Names of all tensors that can be shown."""
        return tuple(self.subject.tensors())

    def fewer(self):
        """[(in words what is not shown, names)], ever fewer."""
        to = {}
        for tensor, part in self.subject.aliases().items():
            to.setdefault(part, []).append(tensor)
        every = set(self.every())
        return [(words, tuple(name for part in kept for name in to[part] if name in every))
                for words, kept in coarser(self.subject.parts, self.last)]  # fmt: skip

    def by_part(self, tensors):
        """{name that `captured` knows: array}, of what `run` gave."""
        aliases = self.subject.aliases()
        found = {}
        for name, a in tensors.items():
            if name in aliases:
                found.setdefault(aliases[name], a)
        return found | {self.last: tensors[self.last]}


def _checked(of, settings):
    """SpecError for what this runtime does not take."""
    if not 1 <= settings.threads <= 1024:
        raise SpecError(f"verify: threads is {settings.threads}, wanted 1 to 1024")
    if settings.level is not None and settings.level not in of.LEVELS:
        wanted = f"one of {', '.join(of.LEVELS)}" if of.LEVELS else "none: it has no levels"
        raise SpecError(f"verify: {of.name}: level is {settings.level!r}, wanted {wanted}")
    if settings.precision not in PRECISIONS:
        raise SpecError(f"verify: precision is {settings.precision!r}, wanted one of {', '.join(PRECISIONS)}")
    usual = Settings()
    for key in ("precision", "channels_last", "onednn"):
        if getattr(settings, key) != getattr(usual, key) and key not in of.TAKES:
            raise SpecError(f"verify: {of.name} does not take {key}={getattr(settings, key)!r}, wanted {getattr(usual, key)!r}")


def imported(of):
    """The runtime's module; PeerError with the command that installs it."""
    from importlib.util import find_spec

    if find_spec(of.PACKAGE.partition(".")[0]) is None:
        raise PeerError(f"verify: {of.name} is not installed: pip install {of.INSTALL}")
    return runtime(of.name, of.PACKAGE)


def version(of):
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as told

    try:
        return told(of.INSTALL)
    except PackageNotFoundError:
        return "of unknown version"


def nchw(x):
    return np.ascontiguousarray(x.transpose(0, 3, 1, 2))
