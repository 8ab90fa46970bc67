"""Which nodes are a block or the head, as fused steps take them: program.py says what they become.

    block    [pointwise ->] depthwise or grouped conv -> [pool, linear, linear, scale ->] pointwise [-> shortcut] [-> add]
    head     pointwise [-> shortcut] [-> add] -> pool -> [linear ->] linear, to the end

Everything between must be read inside alone, and what is read from outside must be stored.
"""

from __future__ import annotations

from collections.abc import Collection

from ..models.node import IMAGE, Node


class Blocks:
    """What a Builder asks of its nodes; `sizes` has the names of what is stored, `stored` those that must be."""

    nodes: list[Node]
    sizes: dict[str, int]
    stored: Collection[str]
    _last_read: dict[str, int]  # name -> number of the last node that reads it

    def _ops(self, at, count):
        return [n.op for n in self.nodes[at : at + count]] if at >= 0 else []

    def _fits(self, first, last):
        """Whether nodes first..last - 1 read one another as their fusion has it, else what is stored, and nobody reads them."""
        for k in range(first, last):
            node, inside = self.nodes[k], [n.name for n in self.nodes[first:k]]
            wanted = inside[-1:]
            if node.op == "scale":
                wanted = [*inside[-4:-3], *inside[-1:]]
            elif self._is_shortcut(k):
                wanted = []
            elif self._is_shortcut(k - 1):
                wanted = inside[-2:]
            others = set(node.inputs) - set(wanted) - set(self.sizes) - ({IMAGE} if k == 0 else set())
            is_bare = node.op in ("pool", "scale") and node.act != "identity"
            if not set(wanted) <= set(node.inputs) or others or is_bare:
                return False
        return all(self._last_read.get(node.name, -1) < last for node in self.nodes[first : last - 1])

    def _is_grouped(self, at):
        """Whether an expansion and a convolution with a window follow, the latter of what the former gives."""
        return self._ops(at, 2) == ["pointwise", "conv"] and self.nodes[at + 1].kernel > 1

    def _after(self, window):
        """Where a block's projection stands."""
        is_excited = self._ops(window + 1, 4) == ["pool", "linear", "linear", "scale"]
        return window + (5 if is_excited else 1)

    def _end(self, window):
        """Where a block with this window ends, before its projection where that is the head's; None: it is no block."""
        after = self._after(window)
        if self._ops(after, 1) != ["pointwise"]:
            return None
        return after if self._is_head(after) else self._summed(after)[2]

    def _summed(self, project):
        """(shortcut or None, sum or None, where to go on) after the projection at `project`."""
        at, shortcut = project + 1, None
        if self._is_shortcut(at):
            at, shortcut = at + 1, self.nodes[at]
        is_sum = self._ops(at, 1) == ["add"] and self.nodes[project].name in self.nodes[at].inputs
        if not is_sum or len(set(self.nodes[at].inputs)) != 2 or self.nodes[project].act != "identity":
            return None, None, project + 1
        return shortcut, self.nodes[at], at + 1

    def _is_shortcut(self, at):
        """Whether the node at `at` is a 1 x 1 that stands between a projection and the sum of both."""
        if self._ops(at - 1, 1) != ["pointwise"] or self._ops(at + 1, 1) != ["add"]:
            return False
        before, node, add = self.nodes[at - 1 : at + 2]
        is_one = node.op == "pointwise" or (node.op == "conv" and node.kernel == node.groups == 1 and not any(node.pad))
        return is_one and set(add.inputs) == {before.name, node.name}

    def _is_head(self, at):
        """Whether the projection at `at`, its sum included, is followed by the mean and dense layers to the end."""
        ends = (["pool", "linear"], ["pool", "linear", "linear"])
        return self._ops(at, 1) == ["pointwise"] and self._ops(self._summed(at)[2], len(self.nodes)) in ends

    def other(self, add, node):
        """What a sum adds to `node`."""
        return next(name for name in add.inputs if name != node.name)

    def sum_of(self, at):
        """The sum behind the node at `at`, where it alone reads that and its other part is stored; or None."""
        node, add = self.nodes[at], self.nodes[at + 1] if at + 1 < len(self.nodes) else None
        if add is None or add.op != "add" or node.act != "identity" or node.name in self.stored:
            return None
        is_own = node.name in add.inputs and self._last_read[node.name] == at + 1 and len(set(add.inputs)) == 2
        return add if is_own and self.other(add, node) in self.sizes else None
