"""Nodes that no block takes in, each as a step of its own, or with the sum that alone reads it.

    depthwise             band or slab of it alone
    pointwise [-> add]    point or split
    conv                  shortcut, over zeros put around by a window step where it has a padding
    average_pool, max_pool [-> add], add, act, shift, scale     window
    pool                  average
    linear                point, or dense at the end; before a softmax both are steps
    concat                nothing: its parts lie in it (refmnas.engine.lanes)
    lanes                 lanes
"""

from __future__ import annotations

from dataclasses import replace

from ..errors import SpecError
from . import grouped, steps
from .fill import REACH
from .steps import ACTS

POOLS = {"max_pool": steps.POOL_MOST, "average_pool": steps.POOL_MEAN}


def write(builder, at):
    """Emit the node at `at`; where to go on, or None where no step takes it."""
    node = builder.nodes[at]
    writer = WRITERS.get(node.op)
    if writer is None or not set(node.inputs) <= set(builder.sizes) or not _is_image(node):
        return None
    return writer(builder, at)


def _is_image(node):
    """Whether the node reads planes where it should, and vectors where it should."""
    return (len(node.shape_in), len(node.shape)) == {"linear": (1, 1), "pool": (3, 1)}.get(node.op, (3, 3))


def _depthwise(builder, at):
    builder.write_block(None, None, builder.nodes[at], [], None, None, None)
    return at + 1


def _pointwise(builder, at):
    node, add = builder.nodes[at], builder.sum_of(at)
    out = {"project": builder.packer.pointwise(node, ACTS[(add or node).act])}
    nodes = (node, add) if add else (node,)
    builder.project(node.shape_in[2], out, nodes, {"v": node.inputs[0]} | builder.residual(node, None, add))
    return at + len(nodes)


def _conv(builder, at):
    """Zeros around it first, where there are some; an activation of more than a maximum by itself, after it."""
    node = builder.nodes[at]
    if node.kernel > REACH:
        raise SpecError(f"compile: {node.name} has a kernel of {node.kernel}, wanted one that {REACH} rows hold")
    source, within = node.inputs[0], builder.laid.joined.get(node.name)
    builder.sizes[node.name] = builder.floats(node.shape)
    conv = node
    if any(node.pad):
        conv = _around(builder, node, f"{node.name}/x")
        source = f"{node.name}/x"
    act = node.act if ACTS[node.act] <= ACTS["relu6"] else "identity"
    record = grouped.shortcut(builder.packer, conv, ACTS[act], within and within[1:])
    y = within[0] if within else node.name
    builder.emit(steps.SHORTCUT, record, (node,), {"x": source, "y": y})
    if act != node.act:
        alone = replace(conv, op="act", act=node.act, shape_in=node.shape, kernel=1, stride=1, w=None)
        _emit_window(builder, alone, (), {"x": y, "y": y})
    return at + 1


def _around(builder, node, name):
    """The convolution without its padding, behind a step that writes its input and the zeros around."""
    (top, bottom, left, right), (h, w, c) = node.pad, node.shape_in
    shape = (h + top + bottom, w + left + right, c)
    builder.sizes[name] = builder.floats(shape)
    moved = replace(node, op="act", act="identity", shape=shape, kernel=1, stride=1, w=None)
    _emit_window(builder, moved, (), {"x": node.inputs[0], "y": name})
    return replace(node, shape_in=shape, pad=(0, 0, 0, 0))


def _window(builder, at):
    node = builder.nodes[at]
    if node.op in POOLS:
        if not (_holds(node, 0) and _holds(node, 1)):
            return None
        add = builder.sum_of(at)
        buffers = {"x": node.inputs[0]} | ({"res": builder.other(add, node)} if add else {})
    else:
        add, fields = None, {"add": ("x", "res"), "scale": ("x", "gate")}.get(node.op, ("x",))
        buffers = dict(zip(fields, node.inputs, strict=True))
    last = add or node
    builder.sizes[last.name] = builder.floats(last.shape)
    _emit_window(builder, node, (node, last) if add else (node,), buffers | {"y": last.name})
    return at + (2 if add else 1)


def _emit_window(builder, node, nodes, buffers):
    """csrc/f32_engine_window.inc.h; `nodes` are what the table of steps says, none: `node`, without its sums."""
    (h, w, _), (p, q, c), (top, _, left, _) = node.shape_in, node.shape, node.pad
    if node.op == "shift":
        top = left = -1
    pool = POOLS.get(node.op, steps.POOL_NONE)
    blocks = builder.blocks(c)
    record = {
        "x_h": h, "x_w": w, "kernel": node.kernel, "stride": node.strides[0], "stride_w": node.strides[1],
        "top": top, "left": left, "p": p, "q": q, "v_blocks": blocks, "units": blocks * p,
        "dw_act": ACTS[(nodes or (node,))[-1].act],
        "pool": steps.POOL_MEAN_PADDED if pool == steps.POOL_MEAN and node.count_pad else pool,
    }  # fmt: skip
    builder.emit(steps.WINDOW, record, nodes or (replace(node, name=f"{node.name}/{node.act}"),), buffers)


def _holds(node, axis):
    """Whether every window holds a pixel along an axis."""
    size, count, before = node.shape_in[axis], node.shape[axis], node.pad[2 * axis]
    return before < node.kernel and (count - 1) * node.strides[axis] - before < size


def _mean(builder, at):
    node = builder.nodes[at]
    h, w, c = node.shape_in
    blocks = builder.blocks(c)
    builder.sizes[node.name] = blocks * builder.block
    record = {"p": h, "q": w, "units": blocks, "dw_act": ACTS[node.act]}
    builder.emit(steps.AVERAGE, record, (node,), {"x": node.inputs[0], "y": node.name})
    return at + 1


def _linear(builder, at):
    node = builder.nodes[at]
    if at == len(builder.nodes) - 1:
        write_last(builder, node)
    else:
        _point(builder, node)
    return at + 1


def write_last(builder, node):
    """Emit the dense layer at the end: its numbers are the result, or a softmax's input."""
    softmax = builder.softmax
    if softmax is None:
        builder.emit(steps.DENSE, builder.dense(node), (node,), {"v": node.inputs[0]})
        return
    _point(builder, node)
    builder.scratch = max(builder.scratch, builder.sizes[node.name])
    record = {"units": 1, "v_blocks": builder.blocks(node.shape[0])}
    builder.emit(steps.SOFTMAX, record, (softmax,), {"v": node.name})


def _point(builder, node):
    builder.sizes[node.name] = builder.blocks(node.shape[0]) * builder.block
    builder.emit(steps.POINT, builder.dense(node), (node,), {"v": node.inputs[0], "y": node.name})


def _concat(builder, at):
    node = builder.nodes[at]
    if node.act != "identity":
        return None
    builder.sizes[node.name] = builder.floats(node.shape)
    return at + 1


def _lanes(builder, at):
    node = builder.nodes[at]
    runs, (p, q, c) = grouped.runs(builder.laid.lanes[node.inputs[0]], builder.block), node.shape
    record = {"parts": builder.packer.tables.add(runs), "part_count": len(runs), "p": p, "q": q, "units": p}
    builder.sizes[node.name] = builder.floats(node.shape)
    builder.emit(steps.LANES, record | {"v_blocks": builder.blocks(c)}, (node,), {"x": node.inputs[0], "y": node.name})
    return at + 1


WRITERS = {
    "depthwise": _depthwise, "pointwise": _pointwise, "conv": _conv, "pool": _mean, "linear": _linear, "concat": _concat,
    "lanes": _lanes, **dict.fromkeys(("add", "act", "average_pool", "max_pool", "shift", "scale"), _window),
}  # fmt: skip
