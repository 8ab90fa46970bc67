"""Activations that stand alone, as networks of cells have them, moved into what computes their input.

    x -> act                      x with the activation, where nothing else reads x
    parts -> concat -> act        each part with it: a part that nothing else reads takes it in,
                                  of another one an activated copy is put into the concatenation

An activation acts on every number alone, so no bit changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from ..models.node import Node


class Merged:
    """`nodes` in their order, without the activations moved; `made_of`: the names that one of them stands for."""

    def __init__(self, nodes, stored: Collection[str] = ()):
        self.nodes: list[Node] = []
        self.made_of: dict[str, tuple[str, ...]] = {}
        self._uses = Counter(name for node in nodes for name in node.inputs)
        self._stored = stored
        self._at: dict[str, int] = {}
        for node in nodes:
            if node.op != "act" or not self._moved(node):
                self._add(node)

    def _add(self, node):
        self._at[node.name] = len(self.nodes)
        self.nodes.append(node)

    def _takes(self, name):
        """Whether what computes `name` can take in the activation of its only reader."""
        at = self._at.get(name)
        return at is not None and self.nodes[at].act == "identity" and self._uses[name] == 1 and name not in self._stored

    def _moved(self, act):
        """Whether the activation is part of an earlier node now."""
        (before,) = act.inputs
        if not self._takes(before):
            return False
        node = self.nodes[self._at[before]]
        self._put(before, self._activated(node, act) if node.op == "concat" else replace(node, act=act.act), act.name)
        return True

    def _activated(self, concat, act):
        """The concatenation of activated parts; `concat` is taken out to put copies before it."""
        at = self._at[concat.name]
        inputs, copies = [], []
        for name in concat.inputs:
            new = f"{name}/{act.act}"
            if self._takes(name) and self.nodes[self._at[name]].op != "concat":
                self._put(name, replace(self.nodes[self._at[name]], act=act.act), new)
                self._uses[new] = 1
            elif new not in [copy.name for copy in copies]:
                shape = self._shape(name, concat)
                copies.append(Node(new, "act", (name,), shape, shape, act=act.act))
            inputs.append(new)
        self.nodes[at:at] = copies
        self._at = {node.name: k for k, node in enumerate(self.nodes)}
        return replace(concat, inputs=tuple(inputs))

    def _shape(self, name, concat):
        return self.nodes[self._at[name]].shape if name in self._at else concat.shape_in

    def _put(self, name, node, new):
        """`node` under the name `new` in the place of `name`."""
        at = self._at.pop(name)
        self.nodes[at], self._at[new] = replace(node, name=new), at
        self.made_of[new] = (*self.made_of.pop(name, (name,)), *((new,) if "/" not in new else ()))
