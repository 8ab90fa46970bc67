"""What a figure depends on: processor, caches, instruction set, versions; and who else was at work."""

from __future__ import annotations

import os
import platform
import re
from importlib import metadata
from pathlib import Path
from time import perf_counter

import numpy as np

from .. import __version__, kernels

CPUINFO = Path("/proc/cpuinfo")
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
STAT = Path("/proc/stat")
OTHERS = 0.1  # cores that others took, from which on it is said
VARIABLES = ("REFMNAS_ISA", "ONEDNN_MAX_CPU_ISA")  # that choose who computes with what
DISTRIBUTIONS = ("numpy", "onnxruntime", "openvino", "torch", "torchvision", "timm", "ncnn", "ai-edge-litert")


def facts():
    """The machine as data."""
    return {
        "processor": processor(),
        "caches": caches(),
        "cores": cores(),
        "isa": kernels.isa(),
        "isas": list(kernels.isas()),
        "system": platform.platform(),
        "load": load(),
        "versions": versions(),
        "environment": {name: os.environ[name] for name in VARIABLES if name in os.environ},
    }


def processor():
    """Name, family and model, as the system tells them."""
    try:
        text = CPUINFO.read_text(encoding="utf-8")
    except OSError:
        text = ""
    found = {key: re.search(rf"^{key}[^:]*: (.*)$", text, re.M) for key in ("model name", "cpu family", "model")}
    words = (f"{key} {match.group(1)}" for key, match in found.items() if match)
    return " ".join(words) or platform.processor() or platform.machine()


def caches():
    """{L1: bytes, L2: ..., L3: ...} of the first core's data caches, where the system tells."""
    found = {}
    for folder in sorted(CACHES.glob("index*")):
        try:
            kind, level, size = ((folder / name).read_text(encoding="utf-8").strip() for name in ("type", "level", "size"))
        except OSError:
            continue
        if kind != "Instruction":
            found[f"L{level}"] = _bytes(size)
    return found


def _bytes(text):
    """
    >>> _bytes("512K"), _bytes("32M"), _bytes("64")
    (524288, 33554432, 64)
    """
    return int(text.rstrip("KMG")) << {"K": 10, "M": 20, "G": 30}.get(text[-1], 0)


def cores():
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def load():
    """Processes that wanted to run, over the last minute; None where the system does not tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def versions():
    """Of what takes part, where it is installed; nothing is imported."""
    found = {"refmnas": __version__, "python": platform.python_version(), "numpy": np.__version__}
    for name in DISTRIBUTIONS[1:]:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


class Watch:
    """How many cores others were using between its making and `others()`."""

    def __init__(self):
        self._begin = _busy(), _own(), perf_counter()

    def others(self):
        """Cores, on average; None where the system does not tell."""
        busy, own, at = self._begin
        now = _busy()
        if busy is None or now is None or perf_counter() <= at:
            return None
        return max(0.0, (now - busy - (_own() - own)) / (perf_counter() - at))


def _busy():
    """Seconds that all cores together have worked."""
    try:
        words = STAT.read_text(encoding="utf-8").split("\n", 1)[0].split()[1:9]
        user, nice, system, _, _, irq, soft, steal = map(int, words)
        return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError):
        return None


def _own():
    """Seconds of this process and the children it has waited for."""
    t = os.times()
    return t.user + t.system + t.children_user + t.children_system
