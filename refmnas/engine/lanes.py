"""Which lane of memory each channel has, and nodes as the steps see them: with whole blocks where that is not the plain order.

A tensor's planes of blocks lie behind one another, so a concatenation along channels needs no
copy: each part is written to its place inside the whole.  A part whose width is no
multiple of the block keeps the empty lanes at its end; the whole's channels then have gaps,
and what reads it has its weight rows moved apart, with zeros for the empty lanes.

    plain      channel c is lane c
    placed     a part of a concatenation, in the whole's buffer, some blocks from its beginning
    joined     strided 1 x 1 convolutions that nothing but the concatenation reads: each writes
               its own lanes, and the whole is plain
    lanes      a step that moves channels: where two tensors of different lanes are added,
               multiplied, or read by groups
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from ..models.node import Node
from . import pack

_WEIGHED = ("conv", "pointwise", "linear")


class Laid:
    """`nodes` as the steps see them.

    lanes     of the tensors that are not plain: the lane of every channel
    places    a part's name -> (the whole's name, blocks before it)
    joined    a joined part's name -> (the whole's name, channels before it, channels of the whole)
    """

    def __init__(self, nodes, block):
        self.block = block
        self.nodes: list[Node] = []
        self.lanes: dict[str, np.ndarray] = {}
        self.places: dict[str, tuple[str, int]] = {}
        self.joined: dict[str, tuple[str, int, int]] = {}
        self._uses = Counter(name for node in nodes for name in node.inputs)
        self._made: dict[str, Node] = {}
        for node in nodes:
            self._add(self._concatenated(node) if node.op == "concat" else self._seen(node))

    def _add(self, node):
        self.nodes.append(node)
        self._made[node.name] = node

    def channels(self, name):
        """As a step sees them."""
        return self._made[name].shape[-1]

    def _seen(self, node):
        """A node with the lanes of its inputs."""
        found = [self.lanes.get(name) for name in node.inputs]
        if all(lanes is None for lanes in found):
            return node
        is_grouped = node.op == "conv" and node.groups > 1
        if is_grouped or not all(np.array_equal(lanes, found[0]) for lanes in found if lanes is not None) or _some(found):
            plain = tuple(self._plain(name) for name in node.inputs)
            return replace(node, inputs=plain)
        lanes, width = found[0], self.channels(node.inputs[0])
        shape_in = (*node.shape_in[:-1], width)
        if node.op in _WEIGHED:
            return replace(node, shape_in=shape_in, w=_apart(node.w, node.w.ndim - 2, lanes, width))
        self.lanes[node.name] = lanes
        moved = replace(node, shape_in=shape_in, shape=(*node.shape[:-1], width))
        if node.w is None:
            return moved
        return replace(moved, w=_apart(node.w, node.w.ndim - 1, lanes, width), b=_apart(node.b, 0, lanes, width))

    def _plain(self, name):
        """The name of the tensor in plain order."""
        lanes = self.lanes.get(name)
        if lanes is None:
            return name
        plain = f"{name}/plain"
        if plain not in self._made:
            node = self._made[name]
            self._add(Node(plain, "lanes", (name,), node.shape, (*node.shape[:-1], len(lanes))))
        return plain

    def _concatenated(self, node):
        if self._is_joined(node):
            before = 0
            for name in node.inputs:
                self.joined[name] = (node.name, before, node.shape[-1])
                before += self._made[name].shape[-1]
            return node
        inputs, lanes, before = [], [], 0
        for k, name in enumerate(node.inputs):
            part = self._part(node, k, name)
            self.places[part] = (node.name, before // self.block)
            width = self.channels(part)
            lanes.append(before + self.lanes.get(name, np.arange(width)))
            before += pack.blocks_of(width, self.block) * self.block
            inputs.append(part)
        whole = np.concatenate(lanes)
        if np.array_equal(whole, np.arange(len(whole))):
            return replace(node, inputs=tuple(inputs))
        self.lanes[node.name] = whole
        return replace(node, inputs=tuple(inputs), shape=(*node.shape[:-1], before))

    def _part(self, node, k, name):
        """What is put to the place of part k: itself, or a copy where it lies elsewhere already."""
        made = self._made.get(name)
        if made is not None and made.op != "concat" and name not in self.places and name not in self.joined:
            return name
        shape = node.shape_in if made is None else made.shape
        copy = Node(f"{node.name}/{k}", "act", (name,), shape, shape)
        if name in self.lanes:
            self.lanes[copy.name] = self.lanes[name]
        self._add(copy)
        return copy.name

    def _is_joined(self, node):
        parts = [self._made.get(name) for name in node.inputs]
        widths = [part.shape[-1] for part in parts if part is not None]
        if not any(width % self.block for width in widths[:-1]):
            return False
        return all(part is not None and self._joins(part) for part in parts)

    def _joins(self, part):
        is_one = part.op == "conv" and part.kernel == part.groups == 1 and not any(part.pad)
        is_own = self._uses[part.name] == 1 and part.name not in self.places
        return is_one and is_own and part.act in ("identity", "relu", "relu6")


def _some(found):
    """Whether some are plain and others are not."""
    return any(lanes is None for lanes in found)


def _apart(a, axis, lanes, width):
    """Numbers of channels along an axis, at their lanes, zeros between."""
    shape = (*a.shape[:axis], width, *a.shape[axis + 1 :])
    moved = np.zeros(shape, a.dtype)
    moved[(slice(None),) * axis + (lanes,)] = a
    return moved
