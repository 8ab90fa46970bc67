"""Networks as data, and the one builder that makes them run."""

from __future__ import annotations

from . import zoo


def names():
    """The names that `build` takes.

    >>> names()[:2]
    ['mnasnet-a1', 'mnasnet-b1']
    """
    return zoo.names()


def __getattr__(name):
    """`build` and `Network` are loaded when first asked for."""
    if name in ("Network", "build"):
        from . import network

        return getattr(network, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
