"""Weights and tables as the kernels read them (csrc/engine.h): one array of each kind for a whole program.

A width that is no multiple of the block is filled up with zero channels, so that
no kernel has a tail.  Panels are a few blocks of output channels that a tile takes at once.
"""

from __future__ import annotations

import numpy as np

LINE = 16  # floats of a cache line: everything begins at one


class Pool:
    """Arrays laid one after the other; `add` tells where one begins."""

    def __init__(self, dtype):
        self._parts: list[np.ndarray] = []
        self._dtype, self.size = dtype, 0

    def add(self, values):
        flat = np.ravel(np.asarray(values, self._dtype))
        at, room = self.size, -(-flat.size // LINE) * LINE
        self._parts.append(np.concatenate([flat, np.zeros(room - flat.size, self._dtype)]))
        self.size += room
        return at

    def empty(self):
        """Let go of the arrays; the size stays."""
        self._parts = []

    def into(self, out):
        """Write everything to the beginning of `out`."""
        at = 0
        for part in self._parts:
            out[at : at + part.size] = part
            at += part.size


def blocks_of(channels, block):
    """Blocks that hold so many channels."""
    return -(-channels // block)


def panels(blocks, widest=3):
    """Output blocks in panels of at most three, never a single one beside others; both halves alike where they can be.

    >>> panels(10), panels(9), panels(7), panels(1)
    ([3, 2, 3, 2], [3, 3, 3], [3, 2, 2], [1])
    """
    if blocks % 2 == 0 and blocks >= 8:
        return panels(blocks // 2) * 2 if blocks % 4 or blocks < 16 else _greedy(blocks // 2) * 2
    return _greedy(blocks)


def halved_panels(blocks):
    """`panels` for what two threads share by panels: an odd number falls into two halves as well.

    >>> halved_panels(15)
    [3, 3, 2, 3, 2, 2]
    """
    return panels(blocks) if blocks % 2 == 0 or blocks < 9 else _greedy(blocks // 2 + 1) + _greedy(blocks // 2)


def _greedy(blocks):
    if blocks % 3 == 1 and blocks > 1:
        return [3] * (blocks // 3 - 1) + [2, 2]
    return [3] * (blocks // 3) + ([blocks % 3] if blocks % 3 else [])


def wide_panels(blocks, widest):
    """Panels of exactly `widest` blocks, then the rest as `panels` has it: for products of one pixel."""
    return [widest] * (blocks // widest) + _greedy(blocks % widest)


def even_panels(blocks, widest):
    """Panels of nearly equal width, at most `widest`: for the stem."""
    count = -(-blocks // widest)
    return [blocks // count + (k < blocks % count) for k in range(count)]


def padded(a, sizes):
    """`a` with zeros behind its last values, up to `sizes`."""
    return np.pad(a, [(0, size - have) for size, have in zip(sizes, a.shape, strict=True)])


def channels_filled(a, block):
    """The last axis filled up to whole blocks."""
    return padded(a, (*a.shape[:-1], blocks_of(a.shape[-1], block) * block))


class Packer:
    """Fills the two pools of a program."""

    def __init__(self, block):
        self.block, self.weights, self.tables = block, Pool(np.float32), Pool(np.int32)

    def empty(self):
        """Let go of what was written elsewhere."""
        self.weights.empty()
        self.tables.empty()

    def product(self, w, b, widths, act, *, depth=0):
        """The record of a convolution whose w is (rows, channels): rows are input channels, or a window's floats."""
        w, b = channels_filled(w, self.block), channels_filled(b, self.block)
        starts = np.concatenate([[0], np.cumsum(widths)[:-1]]).astype(int)
        parts = [w[:, s * self.block : (s + n) * self.block].ravel() for s, n in zip(starts, widths, strict=True)]
        return {
            "w": self.weights.add(np.concatenate(parts)),
            "b": self.weights.add(b),
            "panels": self.tables.add(np.stack([starts, widths], 1)),
            "panel_count": len(widths),
            "depth": depth,
            "act": act,
        }

    def pointwise(self, node, act, widths=None):
        """A node of w (C, D): input channels filled up to whole blocks too."""
        c, d = node.w.shape
        rows = padded(node.w, (blocks_of(c, self.block) * self.block, d))
        return self.product(rows, node.b, widths or panels(blocks_of(d, self.block)), act)

    def depthwise(self, node):
        """(offset of weights, offset of biases): [block][tap][channel]."""
        w = channels_filled(node.w, self.block)
        by_block = w.reshape(-1, w.shape[-1] // self.block, self.block).transpose(1, 0, 2)
        return self.weights.add(by_block), self.weights.add(channels_filled(node.b, self.block))
