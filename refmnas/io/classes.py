"""The thousand class names of ImageNet-1k, which the published weights were trained on."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from ..errors import FormatError

COUNT = 1000


@lru_cache(maxsize=1)
def names():
    """The names in index order, each once.

    >>> names()[285]
    'Egyptian cat'
    """
    text = resources.files("refmnas").joinpath("data/imagenet_classes.txt").read_text(encoding="utf-8")
    lines = tuple(line for line in text.splitlines() if not line.startswith("#"))
    if len(lines) != COUNT:
        raise FormatError(f"refmnas/data/imagenet_classes.txt: has {len(lines)} names, wanted {COUNT}: damaged install")
    return lines
