"""Whether a list of nodes is one network: every node reads what an earlier one gives, of the shape that it expects."""

from __future__ import annotations

from ..models.node import IMAGE


def first_wrong(nodes):
    """The first node that reads what is not there, or of another shape, or whose weights do not fit; or None."""
    shapes = {IMAGE: nodes[0].shape_in}
    for node in nodes:
        found = [shapes.get(name) for name in node.inputs]
        if None in found or not _reads(node, found) or not _weighs(node):
            return node
        shapes[node.name] = node.shape
    return None


def _reads(node, found):
    first, *others = found
    if first != node.shape_in:
        return False
    if node.op == "concat":
        return sum(s[-1] for s in found) == node.shape[-1] and all(s[:-1] == first[:-1] == node.shape[:-1] for s in found)
    wanted = {"add": [first], "scale": [first[-1:]]}.get(node.op, [])
    return others == wanted and _gives(node, first)


def _gives(node, first):
    """Whether channels, and rows and columns where nothing strides, are those of the input."""
    if node.op in ("add", "scale", "act", "shift", "softmax"):
        return node.shape == first
    if node.op == "pool":
        return node.shape == first[-1:]
    if node.op in ("conv", "depthwise", "average_pool", "max_pool"):
        return len(first) == len(node.shape) == 3 and all(_extent(node, axis) == node.shape[axis] for axis in (0, 1))
    return node.shape[:-1] == first[:-1] if node.op in ("pointwise", "linear") else True


def _extent(node, axis):
    before, after = node.pad[2 * axis : 2 * axis + 2]
    return (node.shape_in[axis] + before + after - node.kernel) // node.strides[axis] + 1


def _weighs(node):
    """Whether weights and biases have the sizes that the shapes ask for."""
    if node.w is None:
        return True
    c, d, K = node.shape_in[-1], node.shape[-1], node.kernel
    wanted = {"conv": (K, K, c // node.groups, d), "depthwise": (K, K, c)}.get(node.op, (c, d))
    fits = node.w.shape == wanted and node.b is not None and node.b.shape == (d,)
    return fits and not c % node.groups and not d % node.groups
