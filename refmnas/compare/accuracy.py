"""How often a network is right on labelled images, cut and scaled as its dialect says."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .. import kernels
from ..engine import compile
from ..errors import DataError, SpecError
from ..io import image
from . import labels

FIVE = 5


class Accuracy(NamedTuple):
    """Per cent of the images whose class came first, and among the first five (None with five classes or fewer)."""

    top1: float
    top5: float | None
    images: int


def measured(net, found, tell=lambda done: None):
    """The Accuracy of `net` on [Labelled]; by the engine where it takes the network, else by the network's forward.

    Of equal logits the lower index comes first.

    Raises   FormatError for an image that cannot be read or a class that the network lacks:
             an accuracy over fewer images would be another figure; DataError for logits that are not finite.
    """
    classes = net.spec.head.classes
    labels.check(found, classes, net.spec.name)
    run, first, five = _runner(net), 0, 0
    for number, (path, index) in enumerate(found, 1):
        logits = run(image.open(path, net.dialect.preprocess, net.size))[0]
        if not np.isfinite(logits).all():
            raise DataError(f"{path}: {net.spec.name} gives logits that are not finite")
        place = list(np.argsort(-logits, kind="stable")).index(index)
        first, five = first + (place == 0), five + (place < FIVE)
        tell(number)
    return Accuracy(_percent(first, found), _percent(five, found) if classes > FIVE else None, len(found))


def _percent(count, found):
    return 100.0 * count / len(found)


def _runner(net):
    """A function from an image to logits."""
    if kernels.built():
        try:
            return compile(net)
        except SpecError:
            pass  # a network that the engine does not take
    return lambda x: net.forward(x.astype(net.dtype, copy=False))
