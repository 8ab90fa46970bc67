"""The parts of all gradients of a network, in the order of the backward pass.

A tensor that several parts read gets a gradient from each, and their sum.
"""

from __future__ import annotations

from dataclasses import replace

from ..part import IMAGE, WEIGHED, Part

MARK = ".grad"
_WINDOWED = ("average_pool",)
_PASSED = {"pool": "pool.dx", "act": "act.dx", "add": "add.dx", **{op: f"{op}.dx" for op in _WINDOWED}}


def of(parts, image, batch, training):
    """(forward parts as they ran, the parts of their gradients).

    image      (H, W, 3) of one image
    batch      how many images
    training   whether batch norm took the statistics of the batch
    """
    forward = [_ran(part, training) for part in parts]
    shapes = {IMAGE: image} | {part.name: part.shape for part in forward}
    readers: dict[str, list] = {}
    for part in forward:
        for place, name in enumerate(part.inputs):
            readers.setdefault(name, []).append((part, place))
    found = []
    for part in reversed(forward):
        found += _to(part.name, readers.get(part.name, []), shapes)
        found += _parameters(part, shapes, batch)
    return forward, found + _to(IMAGE, readers.get(IMAGE, []), shapes)


def _ran(part, training):
    if part.op != "batchnorm" or not training:
        return part
    return replace(part, op="batchnorm.train")


def _to(name, readers, shapes):
    """The gradient of one tensor: from its one reader, or the sum over all."""
    if len(readers) == 1:
        return [_from(*readers[0], f"{name}{MARK}", shapes)]
    ways = [_from(part, place, f"{name}{MARK} from {part.name}", shapes) for part, place in readers]
    if not ways:
        return []
    return [*ways, Part(f"{name}{MARK}", "add", tuple(way.name for way in ways), shapes[name])]


def _from(part, place, name, shapes):
    """What `part` sends back to its input number `place`."""
    dy, x, shape = f"{part.name}{MARK}", part.inputs[place], shapes[part.inputs[place]]
    if part.op in WEIGHED:
        return Part(name, f"{part.op}.dx", (dy,), shape, part.arrays, part.options | {"shape": shape})
    if part.op.startswith("batchnorm"):
        inputs = (dy, x) if part.op == "batchnorm.train" else (dy,)
        return Part(name, f"{part.op}.dx", inputs, shape, part.arrays, part.options)
    if part.op == "scale":
        return Part(name, "scale.dg" if place else "scale.dx", (dy, part.inputs[1 - place]), shape)
    inputs = (dy, x) if part.op == "act" else (dy,)
    return Part(name, _PASSED.get(part.op, f"{part.op}.dx"), inputs, shape, {}, part.options | {"shape": shape})


def _parameters(part, shapes, batch):
    dy, found = f"{part.name}{MARK}", []
    if part.op in WEIGHED:
        pixels = batch
        for n in part.shape[:-1]:
            pixels *= n
        options = part.options | {"pixels": pixels}
        w = part.arrays["w"]
        found.append(Part(f"{part.name}.w{MARK}", f"{part.op}.dw", (dy, part.inputs[0]), w.shape[1:], part.arrays, options))
        if "b" in part.arrays:
            found.append(Part(f"{part.name}.b{MARK}", f"{part.op}.db", (dy,), (), part.arrays, options))
    if part.op.startswith("batchnorm"):
        for key in ("gamma", "beta"):
            inputs = (dy, part.inputs[0]) if key == "gamma" else (dy,)
            found.append(Part(f"{part.name}.{key}{MARK}", f"{part.op}.d{key}", inputs, (), part.arrays, part.options))
    return found
