"""From folded nodes to the steps of a program: what is fused with what, and in which pieces it runs.

A block [expand] -> depthwise -> [squeeze and excitation] -> project [-> add] becomes

    band            all of it, some output rows at a time, where the planes are large: the
                    expanded rows live in a ring
    band, scale, split   with squeeze and excitation: the mean needs all rows first
    slab, [scale,] point or split   where the planes are small: a panel of channels at a time
                    through expansion and depthwise convolution, then the projection

The stem fills the first block's ring where that block expands nothing.  The head's mean is
taken from each panel's planes while they are in the cache; where the head has no 1 x 1 of
its own, the last block's projection is it.  A dense layer in between is a point.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from ..errors import SpecError
from ..models.fold import IMAGE
from . import pack
from .memory import Buffer, place

ACTS = {
    "identity": 0, "relu": 1, "relu6": 2, "swish": 3, "sigmoid": 4, "hard_sigmoid": 5, "hard_swish": 6,
    "hard_sigmoid_slim": 7, "hard_sigmoid_keras": 8,
}  # fmt: skip
HEAD = ["pointwise", "pool", "linear"]
STEM, BAND, SLAB, SCALE, POINT, SPLIT, MEAN, DENSE = range(8)
KINDS = ("stem", "band", "slab", "scale", "point", "split", "mean", "dense")
FILL_STEM, FILL_EXPAND, FILL_COPY = range(3)
RUN = 7  # pixels of a depthwise tile: csrc/tiles.py
BAND_FROM = 32
SPLIT_FROM = 14  # rows of output from which on a projection is split by pixels, not by channels
BAND_ROWS = 2
REACH = 256  # rows before the depthwise convolution that a band or a slab reaches over: RM_REACH
TILE_MACS = 4 * 24 * 8  # multiply-adds for which a line of weights is asked in advance


@dataclass(frozen=True)
class Shape:
    """What an instruction set's kernels take."""

    isa: int
    block: int
    stem_blocks: int
    dense_blocks: int


@dataclass
class Step:
    """One step: the record for C, and what a reader wants to know."""

    kind: int
    record: dict
    names: tuple[str, ...]  # the nodes that it computes
    shape: tuple[int, ...]  # of the last one's result
    macs: int
    size: int  # bytes of their weights and biases
    buffers: dict = field(default_factory=dict)  # field of the record -> name of a buffer


class Builder:
    """Reads nodes in order and writes steps; the results of the nodes `stored` are not fused away."""

    def __init__(self, nodes, shape, stored: Collection[str] = ()):
        self.nodes, self.shape, self.block = list(nodes), shape, shape.block
        self.stored = stored
        self.packer = pack.Packer(shape.block)
        self.steps: list[Step] = []
        self.sizes: dict[str, int] = {}
        self.scratch = 0
        pixels = max((n.shape_in[0] * n.shape_in[1] for n in self.nodes if len(n.shape_in) == 3 and n.op != "conv"), default=0)
        stem = self.nodes[0].shape
        self.packer.tables.add(np.arange(max(pixels, stem[0] * stem[1])) * self.block)  # first: every plain place

    # -- recognition ----------------------------------------------------------------

    def run(self):
        """All steps; SpecError naming the first node that no step is known for."""
        at = self._checked(0, self._stem())
        while at < len(self.nodes):
            at = self._checked(at, self._head(at) or self._bottleneck(at) or self._refuse(at))
        if self.steps[-1].kind != DENSE:
            self._refuse(at - 1)
        self._ask_early()
        return self

    def _checked(self, first, last):
        """`last`, where nodes first..last - 1 read one another as their fusion has it, and else what is stored."""
        for k in range(first, last):
            node, inside = self.nodes[k], [n.name for n in self.nodes[first:k]]
            wanted = {"scale": (*inside[-4:-3], *inside[-1:])}.get(node.op, inside[-1:])
            others = set(node.inputs) - set(wanted) - {IMAGE, *self.sizes}
            is_bare = node.op in ("pool", "scale", "add") and node.act != "identity"
            if not set(wanted) <= set(node.inputs) or others or is_bare:
                self._refuse(k)
        return last

    def _ask_early(self):
        """The last layer's weights are read once, faster than memory gives them: the steps before it ask for them."""
        last = self.steps[-1]
        begin = last.record["project"]["w"]
        missing = last.macs
        for step in reversed(self.steps[:-1]):
            share = min(missing, step.macs // TILE_MACS * pack.LINE)
            missing -= share
            step.record |= {"later": begin + missing, "later_size": share}

    def _refuse(self, at):
        node = self.nodes[at]
        raise SpecError(f"compile: no step of the engine takes {node.op} at {node.name}")

    def _ops(self, at, count):
        return [n.op for n in self.nodes[at : at + count]]

    def _stem(self):
        """The first convolution: alone, or as what fills the first block's ring."""
        node = self.nodes[0]
        if node.op != "conv" or node.inputs != (IMAGE,) or node.kernel > 7:
            self._refuse(0)
        is_kept = node.name in self.stored or any(node.name in n.inputs for n in self.nodes[2:])
        if self._ops(1, 2) == ["depthwise", "pointwise"] and not is_kept:
            return self._block(1, stem=node)
        self._emit(STEM, {"units": node.shape[0], **self._stem_fields(node), **self._plane(node)}, (node,), {"y": node.name})
        self.sizes[node.name] = self._floats(node.shape)
        return 1

    def _bottleneck(self, at):
        if self._ops(at, 2) == ["pointwise", "depthwise"]:
            return self._block(at + 1, expand=self.nodes[at])
        return self._block(at) if self._ops(at, 1) == ["depthwise"] else None

    def _head(self, at):
        """Pointwise, mean, [dense,] dense."""
        ops = self._ops(at, 4)
        if ops not in (HEAD, [*HEAD, "linear"]) or at + len(ops) != len(self.nodes):
            return None
        head, pool, *hidden, dense = self.nodes[at:]
        h, w, _ = head.shape
        project = self.packer.pointwise(head, ACTS[head.act])
        record = {"units": project["panel_count"], "project": project, "v_blocks": self._blocks(head.shape_in[2])}
        record |= self._plane(head)
        if head.name in self.stored:  # once more, by itself: the mean's step keeps no plane
            self.sizes[head.name] = self._floats(head.shape)
            self._project(head.shape_in[2], {"project": project}, (head,), {"v": head.inputs[0]})
        self._emit(MEAN, record, (head, pool), {"v": head.inputs[0], "y": pool.name})
        self.sizes[pool.name] = self._blocks(head.shape[2]) * self.block
        self.scratch = max(self.scratch, 3 * h * w * self.block)
        for node in hidden:
            self.sizes[node.name] = self._blocks(node.shape[0]) * self.block
            self._emit(POINT, self._dense(node), (node,), {"v": node.inputs[0], "y": node.name})
        self._emit(DENSE, self._dense(dense), (dense,), {"v": dense.inputs[0]})
        return len(self.nodes)

    def _dense(self, node):
        """The record of a layer that sees one pixel."""
        widths = pack.wide_panels(self._blocks(node.shape[0]), self.shape.dense_blocks)
        project = self.packer.pointwise(node, ACTS[node.act], widths)
        return {"units": len(widths), "project": project, "v_blocks": self._blocks(node.shape_in[0]), "p": 1, "q": 1}

    def _block(self, at, *, stem=None, expand=None):
        """Depthwise at `at`, perhaps squeeze and excitation, projection, perhaps a sum; where to go on."""
        depthwise, after = self.nodes[at], at + 1
        excite = self.nodes[after : after + 4] if self._ops(after, 4) == ["pool", "linear", "linear", "scale"] else []
        after += len(excite)
        if self._ops(after, 3) == HEAD:
            self._write_block(stem, expand, depthwise, excite, None, None)
            return after
        if self._ops(after, 1) != ["pointwise"]:
            self._refuse(min(after, len(self.nodes) - 1))
        project, after = self.nodes[after], after + 1
        add = self.nodes[after] if self._ops(after, 1) == ["add"] and len(set(self.nodes[after].inputs)) == 2 else None
        if project.act != "identity" and add:
            self._refuse(after)
        self._write_block(stem, expand, depthwise, excite, project, add)
        return after + (add is not None)

    # -- writing ----------------------------------------------------------------------

    def _write_block(self, stem, expand, depthwise, excite, project, add):
        is_band = stem is not None or depthwise.shape_in[0] >= BAND_FROM
        last = tuple(n for n in (project, add) if n)
        record, buffers = self._fill(stem, expand, depthwise, is_band)
        inside = tuple(n for n in (stem, expand, depthwise) if n)
        residual = {"res": next(n for n in add.inputs if n != project.name)} if add else {}
        out = {}
        if project:
            self.sizes[last[-1].name] = self._floats(last[-1].shape)
            out = {"project": self.packer.pointwise(project, ACTS[project.act])}
        if is_band and not excite and project:
            record |= out | {"is_private": 1, "v": self._behind(record)}
            self._room(record, record["rows"] * depthwise.shape[1] * self._blocks(depthwise.shape[2]) * self.block)
            self._emit(BAND, record, (*inside, *last), buffers | residual | {"y": last[-1].name})
            return
        v, sums = f"{depthwise.name}/v", f"{depthwise.name}/sums"
        v = v if project else [depthwise, *excite][-1].name
        self.sizes[v] = self._floats(depthwise.shape)
        if excite:
            self.sizes[sums] = depthwise.shape[0] * self._blocks(depthwise.shape[2]) * self.block
            record["is_summed"], buffers["sums"] = 1, sums
        self._room(record, 0)
        self._emit(BAND if is_band else SLAB, record, inside, buffers | {"v": v})
        if excite:
            self._excite(excite, depthwise, {"v": v, "sums": sums})
        if not project:
            return
        self._project(depthwise.shape[2], out, last, {"v": v} | residual)

    def _project(self, c_in, out, nodes, buffers):
        """A 1 x 1 convolution, perhaps a sum, as a step of its own."""
        plain = {"v_blocks": self._blocks(c_in), **self._plane(nodes[-1]), **out}
        kind = SPLIT if plain["p"] >= SPLIT_FROM else POINT
        plain["units"] = out["project"]["panel_count"] if kind == POINT else plain["p"] * plain["q"]
        self._emit(kind, plain, nodes, buffers | {"y": nodes[-1].name})

    def _fill(self, stem, expand, depthwise, is_band):
        """(record, buffers) of what comes before the projection."""
        h, w, c = depthwise.shape_in
        p, q, _ = depthwise.shape
        top, _, left, _ = depthwise.pad
        kernel, stride = depthwise.kernel, depthwise.stride
        rows = min(BAND_ROWS, p) if is_band else p
        record = {
            "u_h": h, "u_w": w, "kernel": kernel, "stride": stride, "top": top, "left": left, "p": p, "q": q, "rows": rows,
            "u_pitch": max((q - 1) * stride + kernel, (RUN - 1) * stride + kernel, left + w),
            "u_slots": min(h, (rows - 1) * stride + kernel) if is_band else h,
            "u_blocks": self._blocks(c) if is_band else min(3, self._blocks(c)),
            "v_blocks": self._blocks(c), "units": p, "dw_act": ACTS[depthwise.act],
        }  # fmt: skip
        if (rows - 1) * stride + kernel > REACH:
            raise SpecError(f"compile: {depthwise.name} has a kernel of {kernel}, wanted one that {REACH} rows hold")
        record["dw_w"], record["dw_b"] = self.packer.depthwise(depthwise)
        if stem:
            return record | self._stem_fields(stem), {}
        first = expand or depthwise
        record |= {"x_h": h, "x_w": w, "x_blocks": self._blocks(first.shape_in[2])}
        widths = (pack.panels if is_band else pack.halved_panels)(self._blocks(c))
        if expand:
            record |= {"fill": FILL_EXPAND, "expand": self.packer.pointwise(expand, ACTS[expand.act], widths)}
        else:
            record |= {"fill": FILL_COPY, "expand": self.packer.product(np.zeros((0, c)), np.zeros(c), widths, 0)}
        if not is_band:
            row, slot = np.arange(w) + left, record["u_blocks"] * record["u_pitch"]
            places = (np.arange(h)[:, None] * slot + row) * self.block
            record |= {"u_places": self.packer.tables.add(places), "units": record["expand"]["panel_count"]}
        return record, {"x": first.inputs[0]}

    def _excite(self, nodes, depthwise, buffers):
        """The scale step."""
        _, squeeze, excite, scale = nodes
        blocks = self._blocks(depthwise.shape[2])
        small = self._blocks(squeeze.shape[0])
        widths = pack.wide_panels(blocks, self.shape.dense_blocks)
        record = {
            "squeeze": self.packer.pointwise(squeeze, ACTS[squeeze.act]),
            "excite": self.packer.pointwise(excite, ACTS[excite.act], widths),
            "squeeze_blocks": small, "v_blocks": blocks, "units": len(widths), **self._plane(depthwise),
        }  # fmt: skip
        self.scratch = max(self.scratch, (blocks + small) * self.block)
        self._emit(SCALE, record, (squeeze, excite, scale), buffers)

    def _stem_fields(self, node):
        widths = pack.even_panels(self._blocks(node.shape[2]), self.shape.stem_blocks)
        depth = node.kernel * node.kernel * node.shape_in[2]
        product = self.packer.product(node.w.reshape(depth, -1), node.b, widths, ACTS[node.act], depth=depth)
        top, _, left, right = node.pad
        pitch = (left + node.shape_in[1] + right) * node.shape_in[2]
        room = -(-(node.kernel + 1) * pitch // pack.LINE) * pack.LINE  # the rings lie behind it
        self.scratch = max(self.scratch, room)
        return {
            "fill": FILL_STEM, "expand": product, "stem_kernel": node.kernel, "stem_stride": node.stride,
            "stem_top": top, "stem_left": left, "stem_pitch": pitch, "stem_lines": 0, "u": room,
        }  # fmt: skip

    def _behind(self, record):
        """Where a thread's ring ends in its scratch, the slot of zeros included."""
        return record.get("u", 0) + (record["u_slots"] + 1) * record["u_blocks"] * record["u_pitch"] * self.block

    def _room(self, record, more):
        self.scratch = max(self.scratch, self._behind(record) + more)

    def _plane(self, node):
        return {"p": node.shape[0], "q": node.shape[1]}

    def _blocks(self, channels):
        return pack.blocks_of(channels, self.block)

    def _floats(self, shape):
        return shape[0] * shape[1] * self._blocks(shape[2]) * self.block

    def _emit(self, kind, record, nodes, buffers):
        names, macs = tuple(n.name for n in nodes), sum(n.macs for n in nodes)
        size = 4 * sum(n.w.size + n.b.size for n in nodes if n.w is not None)
        self.steps.append(Step(kind, record, names, nodes[-1].shape, macs, size, buffers))

    def buffers(self, kept=()):
        """Every buffer with its life, placed, those named `kept` until the end; and the floats of all together."""
        found: dict[str, Buffer] = {}
        for number, step in enumerate(self.steps):
            for name in step.buffers.values():
                buffer = found.setdefault(name, Buffer(name, self.sizes[name], number, number))
                buffer.last = len(self.steps) if name in kept else number
        return found, place(found.values())
