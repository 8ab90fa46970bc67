"""A runtime by its name."""

from __future__ import annotations

from importlib import import_module

from ...errors import PeerError, RefmnasError, SpecError
from .base import Runtime, Settings

_HOMES = {
    "ort": ("ort", "OnnxRuntime"), "openvino": ("openvino", "OpenVino"), "litert": ("litert", "LiteRt"),
    "ncnn": ("ncnn", "Ncnn"), "torch": ("torch", "Torch"),
}  # fmt: skip
RUNTIMES = tuple(_HOMES)


def check_name(name):
    """SpecError for a runtime that is not known here."""
    if name not in _HOMES:
        raise SpecError(f"verify: no runtime {name!r}, wanted one of {', '.join(RUNTIMES)}")


def open_runtime(name, subject, settings=None) -> Runtime:
    """The runtime of that name with the subject in it.

    Raises   SpecError for an unknown name, and for files and settings that it does not take; PeerError where it is
             not installed, with the command that installs it, or refuses the subject.
    """
    check_name(name)
    module, of = _HOMES[name]
    home = getattr(import_module(f"{__package__}.{module}"), of)
    try:
        return home(subject, settings or Settings())
    except (RefmnasError, MemoryError):
        raise
    except Exception as error:  # each runtime has exceptions of its own
        raise PeerError(f"verify: {name} refuses {subject.name}: {error}") from error
