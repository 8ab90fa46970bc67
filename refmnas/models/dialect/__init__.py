"""The conventions that public implementations disagree on: `of(source, network)` -> Dialect."""

from __future__ import annotations

from ...errors import SpecError
from . import sources
from .record import Dialect, Preprocess

__all__ = ["SOURCES", "Dialect", "Preprocess", "of"]

SOURCES = tuple(sources.OF)


def of(source, network=None):
    """The conventions of `source` for `network` (a name of the zoo; None: the source's general ones).

    Raises   SpecError for an unknown source.

    >>> of("torchvision", "mnasnet-b1").bn_momentum
    0.0003
    """
    if source not in sources.OF:
        raise SpecError(f"dialect: no source {source!r}, wanted one of {', '.join(SOURCES)}")
    return sources.OF[source](network or "")
