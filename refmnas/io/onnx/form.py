"""ONNX's messages: which field of which message has which number.

Source: onnx.proto of the ONNX project, and the table of IR versions beside the releases.
"""

from __future__ import annotations

import numpy as np

from ... import __version__
from .wire import Message

FLOAT, INT64 = 1, 7  # TensorProto.DataType
OPSETS = range(7, 26)


def ir_version(opset):
    """The IR version of the first release that had the opset: what any runtime with the opset reads.

    >>> [ir_version(opset) for opset in (7, 9, 13, 17, 21, 25)]
    [3, 4, 7, 8, 10, 13]
    """
    starts = ((25, 13), (24, 12), (23, 11), (21, 10), (19, 9), (15, 8), (12, 7), (11, 6), (10, 5), (9, 4))
    return next((ir for first, ir in starts if opset >= first), 3)


def model(graph, opset):
    """ModelProto."""
    domain = Message().text(1, "").number(2, opset)
    head = Message().number(1, ir_version(opset)).text(2, "refmnas").text(3, __version__)
    return head.message(7, graph).message(8, domain)


def graph(name, nodes, initializers, inputs, outputs):
    """GraphProto."""
    message = Message()
    for node in nodes:
        message.message(1, node)
    message.text(2, name)
    for field, entries in ((5, initializers), (11, inputs), (12, outputs)):
        for entry in entries:
            message.message(field, entry)
    return message


def node(name, op_type, inputs, outputs, attributes=()):
    """NodeProto; `attributes` are (name, an int, a float or a tuple of ints)."""
    message = Message()
    for text in inputs:
        message.text(1, text)
    for text in outputs:
        message.text(2, text)
    message.text(3, name).text(4, op_type)
    for key, value in attributes:
        message.message(5, _attribute(key, value))
    return message


def _attribute(name, value):
    """AttributeProto."""
    message = Message().text(1, name)
    if isinstance(value, float):
        return message.real(2, value).number(20, 1)
    if isinstance(value, int):
        return message.number(3, value).number(20, 2)
    for number in value:
        message.number(8, number)
    return message.number(20, 7)


def tensor(name, array):
    """TensorProto of a float32 or int64 array, as raw bytes."""
    message = Message()
    for extent in array.shape:
        message.number(1, extent)
    kind, order = (INT64, "<i8") if array.dtype == np.int64 else (FLOAT, "<f4")
    little = np.ascontiguousarray(array, order).reshape(-1)  # also an array without axes
    return message.number(2, kind).text(8, name).raw(9, little)


def value(name, shape):
    """ValueInfoProto of float32; an extent is a number, or a text where any is taken."""
    dims = Message()
    for extent in shape:
        dim = Message().text(2, extent) if isinstance(extent, str) else Message().number(1, extent)
        dims.message(1, dim)
    kind = Message().number(1, FLOAT).message(2, dims)
    return Message().text(1, name).message(2, Message().message(1, kind))
