"""refmnas: the reference for mobile CNNs, framework-free, forward and backward."""

from importlib import import_module

from .backend import use

__version__ = "0.1.0"
__all__ = ["__version__", "use"]

_SUBMODULES = ("backend", "blocks", "bounds", "cases", "io", "kernels", "layers", "models", "ops", "oracle")


def __getattr__(name):
    """Submodules are attributes, loaded when first touched."""
    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_SUBMODULES])
