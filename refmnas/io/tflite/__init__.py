"""TFLite files, without TensorFlow and the flatbuffers package.

    load(path)              a file of floats as a `Graph` that runs in NumPy
    recognise(graph)        which of our networks it is: refmnas.recognise, which knows models too
"""

from __future__ import annotations

from .graph import Graph
from .read import load

__all__ = ["Graph", "load"]


def __getattr__(name):
    """`recognise` stands right of io and models, which do not know one another; it is found here as well."""
    if name == "recognise":
        import refmnas

        return refmnas.recognise
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
