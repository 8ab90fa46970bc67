"""A network or a graph as a list of parts, in the order of computation."""

from __future__ import annotations

import numpy as np

from ..errors import SpecError
from ..models.plan import sides
from ..models.walk import walk
from .part import IMAGE, WEIGHED, Part

_STATISTICS = ("gamma", "beta", "mean", "var")


def of_network(net, size=None):
    """The parts of a network of `refmnas.models.build` for images of `size`, an edge or (H, W); None: its own.

    Raises   SpecError for a size that is none, and for a layer whose step is not known.

    >>> from refmnas.models import build
    >>> [(p.name, p.op) for p in of_network(build("mobilenet-v2"), 32)][:3]
    [('stem.conv', 'conv'), ('stem.bn', 'batchnorm'), ('stem.act', 'act')]
    """
    rows, columns = sides(net.size if size is None else size)
    found = []
    for node in walk(net._chain, "", IMAGE, (rows, columns, 3), folded=False):
        if node.op == "affine":
            layer = _layer(net._chain, node.name)
            arrays = {key: _double(layer.params[key].value) for key in _STATISTICS}
            found.append(Part(node.name, "batchnorm", node.inputs, tuple(node.shape), arrays, {"eps": layer.eps}))
        else:
            arrays = {"w": node.w} if node.w is not None else {}
            if node.op in WEIGHED and "b" in _layer(net._chain, node.name).params:
                arrays["b"] = node.b
            found.append(Part(node.name, node.op, node.inputs, tuple(node.shape), arrays, _options(node)))
    return found


def of_graph(graph, size=None):
    """The parts of a graph of `refmnas.io.onnx.load` or `io.tflite.load`; their names are the graph's tensors.

    Raises   SpecError naming the first operator that is no part, and one whose stride of rows is not that of columns;
             and for a size that is not the graph's.
    """
    from ..recognition.nodes import unfolded

    found = []
    for node, norm, eps in unfolded(graph, None if size is None else sides(size)):
        if len(set(node.strides)) > 1:
            raise SpecError(f"verify: {node.name} has the strides {node.strides}, wanted one of rows and columns")
        arrays = {}
        if norm is not None:
            arrays, options = {key: _double(norm[key]) for key in _STATISTICS}, {"eps": float(eps)}
        else:
            options = _options(node)
        if node.w is not None:
            arrays = {"w": _double(node.w)} | ({"b": _double(node.b)} if node.b is not None else {})
        found.append(Part(node.name, node.op, node.inputs, tuple(node.shape), arrays, options))
    return found


def _options(node):
    """A node's numbers as the options of its op."""
    window = {"stride": node.stride, "pad": tuple(node.pad)}
    if node.op in ("conv", "depthwise"):
        return window | ({"groups": node.groups} if node.op == "conv" else {})
    if node.op in ("average_pool", "max_pool"):
        counts = {"count_pad": node.count_pad} if node.op == "average_pool" else {}
        return {"kernel": (node.kernel,) * 2} | window | counts
    if node.op == "resize":
        return {"size": tuple(node.shape[:2]), "mode": "bilinear", "places": "half_pixel"}
    return {"act": {"kind": node.act}, "pyramid": {"levels": tuple(node.levels)}}.get(node.op, {})


def _layer(chain, name):
    """The layer of that dotted name; a sum's branch shares its name."""
    layer = chain
    for key in name.split("."):
        if key not in layer.children:
            raise SpecError(f"verify: no layer {name}, wanted one of the network")
        layer = layer.children[key]
    return layer


def _double(a):
    return np.asarray(a, np.float64)
