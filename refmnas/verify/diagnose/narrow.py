"""A segment at a few output channels: what is false there is false, at a fraction of the work."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

_DENSE = ("conv", "pointwise", "linear")
_ALONE = ("depthwise", "batchnorm", "act", "pool", "average_pool", "max_pool", "scale", "add")


def narrowed(segment, channels):
    """The segment whose last result has `channels` alone; the segment itself where that cannot be told."""
    wanted = {segment.parts[-1].name: True}  # whether a tensor is wanted at these channels alone
    for part in reversed(segment.parts):
        if not wanted.get(part.name, False):
            if part.name not in wanted:
                return segment
            for name in part.inputs:
                if wanted.setdefault(name, False):
                    return segment
            continue
        if not _can(part):
            return segment
        for name in part.inputs:
            if wanted.setdefault(name, part.op in _ALONE) != (part.op in _ALONE):
                return segment
    parts = tuple(_cut(part, channels) if wanted[part.name] else part for part in segment.parts)
    feeds = {name: a[..., channels] if wanted.get(name) else a for name, a in segment.feeds.items()}
    return replace(segment, parts=parts, feeds=feeds, came=np.asarray(segment.came)[..., channels])


def _can(part):
    return part.op in _ALONE or (part.op in _DENSE and part.options.get("groups", 1) == 1)


def _cut(part, channels):
    shape = (*part.shape[:-1], len(channels))
    return replace(part, shape=shape, arrays={key: a[..., channels] for key, a in part.arrays.items()})
