"""Grouped convolutions as the kernels read them (csrc/f32_engine_grouped.inc.h): parts, pieces, chunks.

    part    up to three blocks of one group's outputs.  Where a group ends inside a block, its
            part has the block's other lanes as zeros, and the kernel keeps its own lanes.
    piece   eight neighbouring input channels, or one where the groups are no multiples of eight
    chunk   the least number of groups that fill their blocks: what a step expands and
            convolves at once, so that its planes stay in the first caches

With one group and a kernel of 1, this is the projection of a shortcut that has a stride.
"""

from __future__ import annotations

from dataclasses import replace
from math import lcm
from typing import NamedTuple

import numpy as np

from ..errors import SpecError
from . import pack

PIECE = 8  # csrc/tiles.py
ROWS_FROM = 16  # rows of output from which on a shortcut goes through all its parts a few rows at a time
ROWS = 2


class Part(NamedTuple):
    """`blocks` blocks from `first` on, whose channels from `begin` to before `end` are the group's."""

    group: int
    first: int
    blocks: int
    begin: int
    end: int


class Chunk(NamedTuple):
    """`blocks` blocks from `first` on, and the widths of the panels that expand them."""

    first: int
    blocks: int
    widths: list[int]


def parts(channels, groups, block):
    """The parts of all groups, in their order; the lanes behind the last channel belong to the last one.

    >>> [tuple(p) for p in parts(48, 2, 16)]
    [(0, 0, 2, 0, 24), (1, 1, 2, 24, 48)]
    """
    width, found = channels // groups, []
    for group in range(groups):
        found += _parts_between(group, group * width, (group + 1) * width, channels, block)
    return found


def _parts_between(group, begin, end, channels, block):
    """The parts of the channels from `begin` to before `end`."""
    end, first, found = end if end < channels else pack.blocks_of(channels, block) * block, begin // block, []
    for blocks in pack.panels(pack.blocks_of(end, block) - first):
        found.append(Part(group, first, blocks, max(begin, first * block), min(end, (first + blocks) * block)))
        first += blocks
    return found


def chunks(channels, groups, block):
    """The chunks of a convolution.

    >>> [c.blocks for c in chunks(408, 17, 8)][:3], [tuple(c) for c in chunks(72, 3, 16)]
    ([3, 3, 3], [(0, 3, [3]), (3, 2, [2])])
    """
    whole, least = pack.blocks_of(channels, block), lcm(channels // groups, block) // block
    if least == 1:
        sizes = pack.halved_panels(whole)
        return [Chunk(sum(sizes[:k]), size, [size]) for k, size in enumerate(sizes)]
    starts = range(0, whole, least)
    return [Chunk(first, size, pack.panels(size)) for first in starts for size in [min(least, whole - first)]]


def widths(node, block):
    """The panels that expand all chunks of a grouped convolution, in their order."""
    return [n for chunk in chunks(node.shape[2], node.groups, block) for n in chunk.widths]


def windows(packer, node, fill, is_band):
    """A grouped convolution's fields over rows as `fill` has them: a band's ring, or all rows of a chunk and their zeros."""
    (h, w, _), (p, q, channels), (top, _, left, _) = node.shape_in, node.shape, node.pad
    block, pitch, (stride, stride_w) = packer.block, fill["u_pitch"] * packer.block, node.strides
    columns = np.arange(q) * stride_w * block
    if is_band:
        return {"windows": packer.tables.add(columns), **_convolution(packer, node, (pitch, block))}
    found = chunks(channels, node.groups, block)
    most = max(chunk.blocks for chunk in found)
    slot = most * pitch
    starts = np.array([chunk.first for chunk in found])
    own = np.searchsorted(starts, np.arange(node.groups) * (channels // node.groups) // block, side="right") - 1
    return {
        "units": len(found) * p, "u_blocks": most, "u_slots": max((p - 1) * stride + node.kernel, top + h),
        "u_places": packer.tables.add((np.arange(h)[:, None] + top) * slot + (np.arange(w) + left) * block),
        "windows": packer.tables.add(np.arange(p)[:, None] * stride * slot + columns),
        "chunks": packer.tables.add(_table(found, channels, node.groups, block)),
        **_convolution(packer, node, (pitch, block), starts[own]),
    }  # fmt: skip


def shortcut(packer, node, act, within=None):
    """The record of a convolution over stored planes that has no padding, with a stride or without.

    within    (channels before it, channels of all) where its result is a part of a wider tensor

    Raises   SpecError for planes in which a place is no 32-bit number.
    """
    floats = node.shape_in[0] * node.shape_in[1] * pack.blocks_of(node.shape_in[2], packer.block) * packer.block
    if floats >= 1 << 31:
        raise SpecError(f"compile: {node.name} reads planes of {floats} numbers, wanted fewer than 2^31: a smaller image")
    node = node if node.op == "conv" else replace(node, w=node.w[None, None])
    (h, w, c), (p, q, _), (stride, stride_w) = node.shape_in, node.shape, node.strides
    record = _convolution(packer, node, (h * w * packer.block, packer.block), within=within)
    return record | {
        "x_h": h, "x_w": w, "x_blocks": pack.blocks_of(c, packer.block), "dw_act": act,
        "kernel": node.kernel, "stride": stride, "stride_w": stride_w, "p": p, "q": q, "rows": ROWS,
        "units": p if p >= ROWS_FROM else record["part_count"] * p,
        "windows": packer.tables.add((np.arange(p)[:, None] * stride * w + np.arange(q) * stride_w) * packer.block),
    }  # fmt: skip


def _convolution(packer, node, plane, starts=None, within=None):
    """Weights, parts and pieces.

    plane     floats from a block to the next, and from a pixel to the next
    starts    the block that the input begins with, for each group; None: the first for all
    within    as in `shortcut`
    """
    w, b, groups, block = node.w, node.b, node.groups, packer.block
    kernel, _, depth, channels = w.shape
    if groups == 1:  # then zero weights may meet the zero channels behind the last one
        depth = pack.blocks_of(depth, block) * block
        w = pack.padded(w, (kernel, kernel, depth, channels))
    found, size = parts(channels, groups, block), PIECE if depth % PIECE == 0 else 1
    if within:
        begin, whole = within
        found = _parts_between(0, begin, begin + channels, whole, block)
        own = slice(begin, begin + channels)
        w, b = _within(w, own, whole), _within(b, own, whole)
    places = np.stack([_pieces(g * depth, depth, size, kernel, block, plane) for g in range(groups)])
    if starts is not None:
        places -= plane[0] * starts[:, None]
    at, count, before = packer.tables.add(places), places.shape[1], 0
    rows = []
    for p in found:
        rows.append((p.first, p.blocks, p.begin - p.first * block, p.end - p.first * block, at + p.group * count, before))
        before += p.blocks
    return {
        "parts": packer.tables.add(rows), "part_count": len(rows), "piece_count": count, "piece": size,
        "depth": kernel * kernel * depth, "dw_w": packer.weights.add(_weights(w, found, block)),
        "dw_b": packer.weights.add(pack.channels_filled(b, block)),
    }  # fmt: skip


def _within(a, own, whole):
    """`a` as some channels of more, the others 0."""
    wide = np.zeros((*a.shape[:-1], whole), a.dtype)
    wide[..., own] = a
    return wide


def runs(lanes, block):
    """Rows (block, lane, block, lane, lanes) of what moves channels from `lanes` to the plain order, none over a block's end.

    >>> runs(np.array([0, 1, 2, 8, 9, 10]), 4).tolist()
    [[0, 0, 0, 0, 3], [2, 0, 0, 3, 1], [2, 1, 1, 0, 2]]
    """
    found, begin = [], 0
    for c in range(1, len(lanes) + 1):
        if c == len(lanes) or lanes[c] != lanes[c - 1] + 1 or c % block == 0 or lanes[c] % block == 0:
            found.append((lanes[begin] // block, lanes[begin] % block, begin // block, begin % block, c - begin))
            begin = c
    return np.array(found)


def _table(found, channels, groups, block):
    """Six numbers of every chunk: its blocks, panels and parts, each as the first and how many."""
    rows, panels, of = [], 0, parts(channels, groups, block)
    for c in found:
        inside = [k for k, p in enumerate(of) if c.first <= p.first < c.first + c.blocks]
        rows.append((c.first, c.blocks, panels, len(c.widths), inside[0], len(inside)))
        panels += len(c.widths)
    return np.array(rows)


def _pieces(begin, depth, size, kernel, block, plane):
    """Floats from a window's pixel to every piece of a kernel row: kernel column by column."""
    c = begin + np.arange(0, depth, size)
    return (np.arange(kernel)[:, None] * plane[1] + c // block * plane[0] + c % block).ravel()


def _weights(w, found, block):
    """Part by part: [kernel row][kernel column][input channel][lane]."""
    lists, channels = [], w.shape[-1]
    for p in found:
        lanes = np.zeros((*w.shape[:3], p.blocks * block), np.float32)
        at, end = p.begin - p.first * block, min(p.end, channels)
        lanes[..., at : at + end - p.begin] = w[..., p.begin : end]
        lists.append(lanes.ravel())
    return np.concatenate(lists)
